import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from './lab/cluster.ts';
import type { Listener } from './lab/listeners.ts';

const main = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');

export type Told = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly text: string;
  readonly errors: string;
};
export type RunningCommand = {
  readonly child: ChildProcess;
  readonly ended: Promise<Told>;
  /** Of standard output, so far. */
  text(): string;
};

/** The directory of somebody who works with `drover kafka`: everything that it writes is in it. */
export type Desk = {
  readonly directory: string;
  drover(...words: readonly string[]): RunningCommand;
  copy(topics: string, ...more: readonly string[]): RunningCommand;
  verify(topics: string): Promise<Told>;
  /** Of the journal, what is in the chain of this operation. */
  journal(operation: string): Promise<readonly { readonly kind: string }[]>;
  /** Processes of this desk that move data. */
  movers(): number[];
  close(): Promise<void>;
};

/** `listener`: of both clusters, by which they are reached. */
export function openDesk(source: Cluster, target: Cluster, listener: Listener = 'direct'): Desk {
  const directory = mkdtempSync(join(tmpdir(), 'drover-desk-'));
  const running = new Set<RunningCommand>();
  const drover = (...words: readonly string[]): RunningCommand => {
    const child = spawn(process.execPath, [main, ...words], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    let [text, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      errors += more;
    });
    const ended = new Promise<Told>((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal, text, errors })),
    );
    const command = { child, ended, text: () => text };
    running.add(command);
    void ended.then(() => running.delete(command));
    return command;
  };
  const sides = ['--source', source.bootstrap(listener), '--target', target.bootstrap(listener)];
  return {
    directory,
    drover,
    copy: (topics, ...more) => drover('kafka', 'copy', ...sides, '--topics', topics, ...more),
    verify: (topics) => drover('kafka', 'verify', ...sides, '--topics', topics).ended,
    async journal(operation) {
      const { text } = await drover('journal', operation, '--json').ended;
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).body);
    },
    movers: () => moversIn(directory),
    async close() {
      for (const { child, ended } of [...running]) {
        child.kill('SIGKILL');
        await ended;
      }
      for (let waits = 0; moversIn(directory).length > 0 && waits < 200; waits += 1)
        await new Promise((resolve) => setTimeout(resolve, 50));
      rmSync(directory, { recursive: true });
    },
  };
}

/** By where they work: a mover has the directory of its controller. */
function moversIn(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return words.includes('kafka/child/process.') && readlinkSync(`/proc/${pid}/cwd`) === directory;
      } catch {
        return false;
      }
    });
}
