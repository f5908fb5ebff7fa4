import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Output } from '../context.ts';
import type { Guard } from './guard.ts';
import type { Stage } from './stage.ts';

/** The same way up from `src/cli/demo/` and from `dist/cli/demo/`. */
const program = fileURLToPath(new URL(`../../main${extname(import.meta.url)}`, import.meta.url));

export type RunningVerb = {
  readonly pid: number;
  /** How it ended; null: by a signal. */
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
};

/** A verb of this Drover as a process of its own, as a user would run it. On a terminal it draws there itself. */
export function startVerb(stage: Stage, guard: Guard, args: readonly string[], screen: Output): RunningVerb {
  const own = screen.terminal !== null;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: stage.directory,
    stdio: ['ignore', own ? 'inherit' : 'pipe', own ? 'inherit' : 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => screen.write(text));
  }
  if (child.pid !== undefined) guard.watch(child.pid);
  return { pid: child.pid ?? 0, ended: codeOf(child), kill: (signal) => void child.kill(signal) };
}

/** A verb to its end, and what it wrote to standard output. Its messages go to the screen. */
export async function runVerb(
  stage: Stage,
  args: readonly string[],
  screen: Output,
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: stage.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  child.stderr.setEncoding('utf8').on('data', (more: string) => screen.write(more));
  return { code: await codeOf(child), text };
}

async function codeOf(child: ChildProcess): Promise<number | null> {
  const [code]: (number | null)[] = await once(child, 'close');
  return code ?? null;
}
