import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Context, Output } from '../context.ts';
import { controllerAt } from '../controller/reach.ts';
import type { Ending } from '../terminal/interruption.ts';
import type { Guard } from './guard.ts';
import type { Stage } from './stage.ts';

/** What a person types to end what runs there. */
export function commandToEnd(directory: string): string {
  return `drover stop --yes --config ${join(directory, 'drover.yaml')}`;
}

/** Answers to Ctrl-C, once, again, and once more. */
export function endingOf(stage: Stage, guard: Guard, screen: Output): Ending {
  return {
    begin: () => screen.write('\ndrover: ending what was started; that takes some seconds\n'),
    insist: () => screen.write('drover: still ending what was started; Ctrl-C once more within 5 s leaves it\n'),
    leave: () => {
      screen.write(
        `drover: left. A process in the background (pid ${guard.pid}) goes on ending it. What runs then all the same ends with\n  ${commandToEnd(stage.directory)}\n`,
      );
      process.exit(1);
    },
  };
}

/** Between two looks, and how often nothing has to be there: a controller that is just beginning answers nobody yet. */
const lookMs = 500;
const looksMin = 3;

/**
 * Ends what a demo that is gone has started, its controller, and everything that this has started. Returns the pids that are left.
 * A process that the demo named is known by its pid and by where it runs.
 */
export async function endAbandoned(context: Context, directory: string, named: readonly number[]) {
  const stateDirectory = join(directory, '.drover');
  const never = new AbortController().signal;
  let left: readonly number[] = [];
  for (let quiet = 0; quiet < looksMin; quiet++) {
    for (const pid of named) if (runsIn(pid, directory)) kill(pid);
    const controller = await controllerAt(context, join(stateDirectory, 'control.sock')).catch(() => null);
    if (controller !== null && runsIn(controller.pid, directory)) kill(controller.pid);
    const running = await context.world.startedHere(stateDirectory);
    if (running.length > 0) {
      left = await context.world.endStarted(stateDirectory, null);
      if (left.length > 0) return left;
      quiet = -1;
    }
    await context.clock.sleep(lookMs, never);
  }
  return left;
}

function runsIn(pid: number, directory: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === directory;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has just ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
