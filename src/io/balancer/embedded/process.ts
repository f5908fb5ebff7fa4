import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { type BackendConfig, hostPort, type ParsedConfig, parseEmbeddedConfig } from './config.ts';
import { startControl } from './control.ts';
import { bornOf, recordPathOf, tokenVariable } from './identity.ts';
import { type RunningBackend, startBackend } from './listener.ts';
import type { Hello } from './wire.ts';

/**
 * The process of the embedded balancer: `node process.ts CONFIG.json`. It has no parent to lean on and outlives the
 * controller. It writes who it is beside its configuration once it carries traffic, and removes that when it ends.
 *
 * SIGTERM, SIGINT or `stop` on the control socket: no new connections, present requests end within `graceMs`.
 */
async function main(configPath: string): Promise<void> {
  process.umask(0o077);
  const text = readFileSync(configPath, 'utf8');
  const config = parseEmbeddedConfig(parseJson(text, configPath), configPath);
  // Traffic first: two processes of one configuration meet at its ports, before either touches the other's socket.
  const backends = await startBackends(config);
  let hello: Hello = {
    pid: process.pid,
    startedAtMs: Math.round(performance.timeOrigin),
    // Given by whoever starts it, so that it shows in the environment of the process too.
    token: process.env[tokenVariable] ?? randomUUID(),
    configHash: createHash('sha256').update(text).digest('hex'),
    listening: Object.fromEntries([...backends].map(([name, backend]) => [name, backend.address])),
  };
  const recordPath = recordPathOf(configPath);
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    closeControl();
    rmSync(recordPath, { force: true });
    rmSync(config.socket, { force: true });
    const closing = [...backends.values()].map((backend) => backend.close(graceMs));
    Promise.all(closing).then(() => process.exit(0), fail);
  };
  await removeStaleSocket(config.socket);
  const record = () => writeRecord(recordPath, { ...hello, socket: config.socket, born: bornOf(process.pid) });
  const configured = (configHash: string): void => {
    hello = { ...hello, configHash };
    record();
  };
  const closeControl = await startControl(config.socket, { hello: () => hello, backends, configured, stop });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  // The terminal of whoever started it may go away.
  process.on('SIGHUP', () => {});
  record();
}

const graceMs = 5000;

async function startBackends(config: ParsedConfig): Promise<Map<string, RunningBackend>> {
  const backends = new Map<string, RunningBackend>();
  for (const backend of config.backends) {
    try {
      backends.set(backend.name, await startBackend(backend));
    } catch (error) {
      throw new Error(cannotListen(backend, error), { cause: error });
    }
  }
  return backends;
}

function cannotListen({ name, listen }: BackendConfig, error: unknown): string {
  const where = `${hostPort(listen)} (backend ${name})`;
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    return `cannot listen on ${where}: the port is in use; stop what listens there (ss -ltnp) or choose another port`;
  }
  if (code === 'EACCES')
    return `cannot listen on ${where}: not allowed; ports below 1024 need rights, choose another port`;
  return `cannot listen on ${where}: ${String(error)}`;
}

/** A socket on which nobody listens is what a killed balancer leaves behind. One that answers is somebody's. */
async function removeStaleSocket(path: string): Promise<void> {
  const outcome = await new Promise<string>((resolve) => {
    const socket = createConnection(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve('answers');
    });
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
  if (outcome === 'answers') throw new Error(`another process answers on the control socket ${path}: stop it first`);
  if (outcome === 'ECONNREFUSED') rmSync(path, { force: true });
}

function writeRecord(path: string, record: unknown): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

const [configPath, ...others] = process.argv.slice(2);
if (configPath === undefined || others.length > 0) fail('usage: node process.ts CONFIG.json');
main(configPath).catch(fail);
