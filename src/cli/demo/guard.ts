import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Context } from '../context.ts';
import { endAbandoned } from './ending.ts';
import type { Stage } from './stage.ts';

/**
 * A process that ends what a demo has started when the demo itself cannot, because it was killed. It holds the other end of a
 * pipe: the pipe ends with the demo, however that ends. A fleet of Drover's outlives its controller on purpose; the demo's does not.
 */
export type Guard = {
  readonly pid: number;
  /** A verb of this demo, or its load generator, runs. */
  watch(pid: number): void;
  /** Everything was ended; resolves when the guard is gone too. */
  dismiss(): Promise<void>;
  /** From now on it is the guard's. */
  takeOver(): void;
};

/** The same way up from `src/cli/demo/` and from `dist/cli/demo/`. */
const program = fileURLToPath(new URL(`../../main${extname(import.meta.url)}`, import.meta.url));
const done = 'done';

export function startGuard(stage: Stage): Guard {
  const keep = stage.temporary ? [] : ['--keep', stage.directory];
  const child = spawn(process.execPath, [program, 'demo', '--guard', stage.directory, ...keep], {
    // In a session of its own, so that Ctrl-C reaches the demo alone. It is nowhere in the way of a folder that is to be removed.
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the demo goes on: it ends everything by itself.
  const ended = once(child, 'exit').catch(() => undefined);
  child.stdin.on('error', () => undefined);
  return {
    pid: child.pid ?? 0,
    watch: (pid) => void child.stdin.write(`${pid}\n`),
    async dismiss() {
      child.stdin.end(`${done}\n`);
      await ended;
    },
    takeOver() {
      child.stdin.destroy();
      child.unref();
    },
  };
}

/** Where a demo that lives, or its guard after it, answers: whoever finds its directory knows that somebody sees to it. */
export function livingPath(directory: string): string {
  return join(directory, 'demo.sock');
}

/** The guard's own life. */
export async function guard(context: Context, directory: string, isTemporary: boolean): Promise<void> {
  const named: number[] = [];
  for await (const line of createInterface({ input: context.stdin })) {
    if (line === done) return;
    named.push(Number(line));
  }
  const living = await context.world.listenControl(livingPath(directory), async () => ({ pid: process.pid }));
  try {
    const left = await endAbandoned(context, directory, named);
    if (left.length === 0 && isTemporary) await rm(directory, { recursive: true, force: true });
    else if (left.length > 0) context.setExitCode(1);
  } finally {
    if (living !== 'busy') await living.close();
  }
}
