import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHaproxy } from '../../scripts/fetch/haproxy.ts';
import { parseInfo } from '../../src/io/balancer/haproxy/replies.ts';
import { askRuntime } from '../../src/io/balancer/haproxy/runtime-socket.ts';

export type HaproxyOptions = {
  /** The sections after `global` and `defaults`. */
  readonly sections: readonly string[];
  /** More lines for `global` and `defaults`. */
  readonly global?: readonly string[];
  readonly defaults?: readonly string[];
  /** Runs under a master process, which reloads on SIGUSR2. */
  readonly master?: boolean;
};

export type RunningHaproxy = {
  /** Runtime socket of level admin; beside it `operator.sock`, `user.sock` and, with a master, `master.sock`. */
  readonly socket: string;
  readonly directory: string;
  readonly configFile: string;
  /** Process id of the worker that answers now. */
  worker(): Promise<number>;
  /** Reads the configuration again in a new process: SIGUSR2 with a master, `-sf` without. */
  reload(sections?: readonly string[]): Promise<void>;
  /** Ends every process at once. */
  kill(): Promise<void>;
  close(): Promise<void>;
};

/** A real HAProxy on loopback with a generated configuration; everything it starts ends with `close`. */
export async function startHaproxy(options: HaproxyOptions): Promise<RunningHaproxy> {
  const binary = await fetchHaproxy();
  const directory = mkdtempSync(join(tmpdir(), 'drover-haproxy-'));
  const configFile = join(directory, 'haproxy.cfg');
  const socket = join(directory, 'admin.sock');
  const children: ChildProcess[] = [];
  const write = (sections: readonly string[]) => writeFileSync(configFile, configuration(directory, options, sections));
  const start = (more: readonly string[]) => {
    const mode = options.master ? ['-W', '-S', join(directory, 'master.sock')] : ['-db'];
    children.push(
      spawn(binary, [...mode, '-f', configFile, ...more], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    return outputOf(children.at(-1));
  };
  const kill = async () => {
    for (const child of children.splice(0)) await endGroup(child);
  };
  const startedWell = async (before: string | null, output: () => string) => {
    try {
      await untilAnswers(socket, before);
    } catch (error) {
      throw new Error(`HAProxy did not start: ${output()}`, { cause: error });
    }
  };
  try {
    write(options.sections);
    await startedWell(null, start([]));
  } catch (error) {
    await kill();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    socket,
    directory,
    configFile,
    worker: async () => Number((await identity(socket)).split('@').at(0)),
    reload: async (sections = options.sections) => {
      write(sections);
      const before = await identity(socket);
      // Start_time_sec has whole seconds, and process ids may be used again.
      await sleep(1000);
      if (options.master === true) children.at(-1)?.kill('SIGUSR2');
      const output = options.master === true ? () => '' : start(['-sf', String(before.split('@').at(0))]);
      await startedWell(before, output);
    },
    kill,
    close: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configuration(
  directory: string,
  { global = [], defaults = [] }: HaproxyOptions,
  sections: readonly string[],
): string {
  return [
    'global',
    ...['admin', 'operator', 'user'].map(
      (level) => `  stats socket ${join(directory, `${level}.sock`)} level ${level}`,
    ),
    '  nbthread 1',
    ...global.map((line) => `  ${line}`),
    'defaults',
    '  mode http',
    '  timeout connect 2s',
    '  timeout client 10s',
    '  timeout server 10s',
    ...defaults.map((line) => `  ${line}`),
    ...sections,
    '',
  ].join('\n');
}

function outputOf(child: ChildProcess | undefined): () => string {
  let text = '';
  for (const stream of [child?.stdout, child?.stderr]) {
    stream?.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-4000);
    });
  }
  return () => text;
}

async function identity(socket: string): Promise<string> {
  const [info = ''] = await askRuntime(socket, ['show info'], AbortSignal.timeout(5000));
  return parseInfo(socket, info).process;
}

async function untilAnswers(socket: string, before: string | null): Promise<void> {
  const endsAt = performance.now() + 30_000;
  for (;;) {
    const outcome = await identity(socket).catch((error: unknown) => error);
    if (typeof outcome === 'string' && outcome !== before) return;
    if (performance.now() > endsAt) throw new Error(`no new process at ${socket}`, { cause: outcome });
    await sleep(20);
  }
}

/** Each HAProxy leads a process group of its own, so that its workers end with it. */
async function endGroup(child: ChildProcess): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null;
  const exit = ended ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  if (child.pid !== undefined) await exit;
}
