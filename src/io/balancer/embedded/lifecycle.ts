import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PortError } from '../../../engine/ports.ts';
import { type EmbeddedConfig, type ParsedConfig, parseEmbeddedConfig } from './config.ts';
import { ControlConnection } from './connection.ts';
import { type EmbeddedRecord, processState, readRecord, recordPathOf, sameProcess, tokenVariable } from './identity.ts';
import { type Hello, parseHello } from './wire.ts';

export type RunningEmbedded = {
  readonly pid: number;
  /** Path of the control socket. */
  readonly socket: string;
  /** Backend → `host:port` on which users reach it. */
  readonly listening: Readonly<Record<string, string>>;
  /** It ran already, with this configuration, and was left as it is. */
  readonly reused: boolean;
  /** It had been started before, and had died without being asked to end. */
  readonly again: boolean;
};

/**
 * Starts the balancer as a process of its own and waits until it carries traffic; one that runs already with the same
 * configuration is found again and left alone. `stateDirectory` gets its configuration, log and record. Throws PortError
 * (`refused`: it cannot start, or runs with another configuration; the message has its last words), or an Error that names
 * every problem of the configuration. Once `signal` aborts it is not started; what was begun of it has ended by then.
 */
export async function startEmbedded(
  config: EmbeddedConfig,
  stateDirectory: string,
  signal: AbortSignal = never,
): Promise<RunningEmbedded> {
  parseEmbeddedConfig(config, `configuration "${config.name}"`);
  const configPath = configPathOf(config.name, stateDirectory);
  const text = `${JSON.stringify(config, null, 2)}\n`;
  const running = await findRunning(config, configPath, text);
  if (running !== null) return running;
  const again = readRecord(recordPathOf(configPath)) !== null;
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    writeConfig(configPath, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `embedded balancer "${config.name}" cannot be started: its configuration cannot be written: ${why}`;
    throw new PortError('refused', message, { retriable: true, cause: error });
  }
  return { ...(await launch(config, configPath, text, signal)), again };
}

const never = new AbortController().signal;

/** Ends the balancer of this name: present requests may end, then SIGKILL. Never ends a process that it cannot identify. */
export async function stopEmbedded(name: string, stateDirectory: string): Promise<'stopped' | 'not-running'> {
  const record = readRecord(recordPathOf(configPathOf(name, stateDirectory)));
  if (record === null || processState(record) === 'gone') return 'not-running';
  const hello = await askHello(record.socket, helloMsMax);
  if (hello !== null && sameProcess(record, hello)) await askToStop(record.socket);
  else if (processState(record) === 'unknown') {
    const message = `pid ${record.pid} may be the embedded balancer "${name}" or another process: look, and stop it by hand`;
    throw new PortError('refused', message, { retriable: false });
  }
  await untilGone(record, performance.now() + stopMsMax);
  return 'stopped';
}

async function untilGone(record: EmbeddedRecord, killAt: number): Promise<void> {
  let killed = false;
  for (;;) {
    const state = processState(record);
    if (state === 'gone') return;
    const late = performance.now() - killAt;
    if (late > stopMsMax) {
      const message = `the embedded balancer (pid ${record.pid}) does not end; look, and stop it by hand`;
      throw new PortError('timeout', message, { retriable: true });
    }
    if (late > 0 && !killed && state === 'running') {
      process.kill(record.pid, 'SIGKILL');
      killed = true;
    }
    await sleep(10);
  }
}

/** Longer than the grace that the process gives to present requests. */
const stopMsMax = 8000;
const startMsMax = 30_000;
const helloMsMax = 2000;

function configPathOf(name: string, stateDirectory: string): string {
  return join(stateDirectory, `balancer-${name}.json`);
}

async function findRunning(config: EmbeddedConfig, configPath: string, text: string): Promise<RunningEmbedded | null> {
  const record = readRecord(recordPathOf(configPath));
  const hello = await askHello(config.socket, helloMsMax);
  if (hello === null) {
    if (record === null || processState(record) === 'gone') return null;
    const message = `embedded balancer "${config.name}" seems to run (pid ${record.pid}) and does not answer on ${record.socket}`;
    throw new PortError('refused', `${message}: stop it first`, { retriable: false });
  }
  if (record === null || !sameProcess(record, hello)) {
    const message = `pid ${hello.pid} answers on ${config.socket} and was not started from ${configPath}`;
    throw new PortError('refused', `${message}: choose another socket, or stop it`, { retriable: false });
  }
  if (hello.configHash !== hashOf(text) && !(await reconfigure(config, configPath, text))) {
    const message = `embedded balancer "${config.name}" runs (pid ${hello.pid}) with another configuration`;
    throw new PortError('refused', `${message}: stop it first; its weights and states go back to the configured ones`, {
      retriable: false,
    });
  }
  return runningOf(record, true);
}

/**
 * Gives a running balancer configured weights that differ from those that it was started with, as a reload of HAProxy would,
 * but the weights in force stay: whoever wrote them has to. false: something else differs too, and it was left as it is.
 */
async function reconfigure(config: EmbeddedConfig, configPath: string, text: string): Promise<boolean> {
  const before = readFileSync(configPath, 'utf8');
  if (
    withoutWeights(parseEmbeddedConfig(JSON.parse(before), configPath)) !==
    withoutWeights(parseEmbeddedConfig(config, text))
  )
    return false;
  const weights = Object.fromEntries(
    config.backends.map(({ name, servers }) => [
      name,
      Object.fromEntries(servers.map((server) => [server.name, server.weight ?? 100])),
    ]),
  );
  writeConfig(configPath, text);
  const connection = new ControlConnection(config.socket);
  try {
    const call = { op: 'configured' as const, configHash: hashOf(text), weights };
    await connection.call(call, AbortSignal.timeout(helloMsMax));
    return true;
  } finally {
    connection.close();
  }
}

function withoutWeights(config: ParsedConfig): string {
  const backends = config.backends.map((backend) => ({
    ...backend,
    servers: backend.servers.map((server) => ({ ...server, weight: null })),
  }));
  return JSON.stringify({ ...config, backends });
}

function writeConfig(configPath: string, text: string): void {
  const temporary = `${configPath}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, configPath);
}

async function launch(
  config: EmbeddedConfig,
  configPath: string,
  text: string,
  signal: AbortSignal,
): Promise<RunningEmbedded> {
  const logPath = configPath.replace(/\.json$/u, '.log');
  const log = openSync(logPath, 'a', 0o600);
  // Compiled, this file and the entry are both .js.
  const entry = fileURLToPath(new URL(`./process${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const child = spawn(process.execPath, [entry, configPath], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, [tokenVariable]: randomUUID() },
  });
  closeSync(log);
  child.unref();
  const outcome = await untilReady(child, configPath, signal);
  if (signal.aborted && typeof outcome === 'string')
    throw new PortError('refused', `embedded balancer "${config.name}" did not start (${outcome})`, {
      retriable: true,
    });
  if (typeof outcome !== 'string' && outcome.configHash === hashOf(text)) return runningOf(outcome, false);
  // Somebody else may have started the same one at the same moment, and won the port.
  const winner = await findRunning(config, configPath, text);
  if (winner !== null) return winner;
  const words = lastWords(logPath);
  throw new PortError(
    'refused',
    `embedded balancer "${config.name}" did not start (${typeof outcome === 'string' ? outcome : 'another start overtook this one'}): ${words}`,
    {
      retriable: false,
    },
  );
}

async function untilReady(
  child: ChildProcess,
  configPath: string,
  signal: AbortSignal,
): Promise<EmbeddedRecord | string> {
  let ended: string | null = null;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `exit ${code ?? signal}`;
  });
  const endsAt = performance.now() + startMsMax;
  while (ended === null) {
    if (signal.aborted) {
      child.kill('SIGKILL');
      while (ended === null) await sleep(10);
      if (readRecord(recordPathOf(configPath))?.pid === child.pid) rmSync(recordPathOf(configPath), { force: true });
      return 'it was given up';
    }
    const record = readRecord(recordPathOf(configPath));
    if (record !== null && record.pid === child.pid) return record;
    if (performance.now() > endsAt) {
      child.kill('SIGKILL');
      return `not ready within ${startMsMax / 1000} s`;
    }
    await sleep(10);
  }
  return ended;
}

function runningOf({ pid, socket, listening }: EmbeddedRecord, reused: boolean): RunningEmbedded {
  return { pid, socket, listening, reused, again: false };
}

/** null: nobody answers there, or not in this language. */
async function askHello(socket: string, msMax: number): Promise<Hello | null> {
  const connection = new ControlConnection(socket);
  try {
    return parseHello(await connection.call({ op: 'hello' }, AbortSignal.timeout(msMax)));
  } catch (error) {
    if (error instanceof PortError && (error.code === 'unreachable' || error.code === 'timeout')) return null;
    throw error;
  } finally {
    connection.close();
  }
}

async function askToStop(socket: string): Promise<void> {
  const connection = new ControlConnection(socket);
  try {
    await connection.call({ op: 'stop' }, AbortSignal.timeout(helloMsMax));
  } catch (error) {
    // It may end before its answer arrives; whether it did is looked at by the caller.
    if (!(error instanceof PortError)) throw error;
  } finally {
    connection.close();
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function lastWords(logPath: string): string {
  const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n');
  return lines.slice(-5).join('\n') || 'it said nothing';
}
