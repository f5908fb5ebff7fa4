import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../test/integration/kafka/lab/cluster.ts';
import { type Program, type Running, start } from '../../test/integration/kafka/lab/running.ts';
import type { Task } from './task.ts';

/** A process that copies, ready to be told to. It ends with the cluster whatever happens. */
export type Copying = {
  readonly pid: number;
  go(): void;
  /** Seconds from `go`, once all is copied. Rejects with what it says where it ends before. */
  readonly done: Promise<number>;
  /** Ends it: what it was told to follow is not followed any more. */
  close(): Promise<void>;
};

const timeLimitMs = 600_000;

export async function startCopying(
  kind: 'mover' | 'relay',
  cluster: Cluster,
  task: Omit<Task, 'folder'>,
  given: string | null = null,
): Promise<Copying> {
  const whole: Task = { ...task, folder: given ?? (await newFolder(cluster)) };
  const program: Program = {
    name: kind,
    path: process.execPath,
    args: [join(import.meta.dirname, `${kind}.ts`), JSON.stringify(whole)],
    environment: cluster.environment,
  };
  const running = start(program, { timeLimitMs });
  await printed(running, /^ready$/m);
  return {
    pid: running.pid,
    go: () => void running.stdin.write('go\n'),
    get done() {
      return printed(running, /^done (.+)$/m).then(([, seconds]) => Number(seconds));
    },
    close: async () => {
      running.stdin.end();
      await running.ended;
    },
  };
}

export async function newFolder(cluster: Cluster): Promise<string> {
  const folder = join(cluster.folder, 'copies');
  await mkdir(folder, { recursive: true });
  return await mkdtemp(join(folder, 'copy-'));
}

/** Waits until it has printed such a line. */
async function printed(running: Running, line: RegExp): Promise<RegExpExecArray> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  running.ended.then(over, over);
  for (;;) {
    const found = line.exec(running.printed().stdout);
    if (found !== null) return found;
    // Rejects with what it said.
    if (isOver) throw new Error(`it ended without a line ${line}: ${(await running.ended).stderr}`);
    await sleep(5);
  }
}
