import { lstatSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { controllerAt } from '../controller/reach.ts';
import { commandToEnd } from './ending.ts';
import { livingPath } from './guard.ts';
import { temporaryPrefix } from './stage.ts';

/** What demos that nobody sees to any more have left on this machine, and how it is ended: lines for the screen. */
export async function leftByEarlier(context: Context): Promise<string[]> {
  const lines: string[] = [];
  for (const directory of directories()) {
    // Of somebody else, or going away at this moment.
    const found = await leftIn(context, directory).catch(() => []);
    lines.push(...found);
  }
  return lines;
}

function directories(): string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(temporaryPrefix))
    .map((name) => join(tmpdir(), name))
    .filter((path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat?.isDirectory() === true && stat.uid === process.getuid?.();
    });
}

async function leftIn(context: Context, directory: string): Promise<string[]> {
  const living = await context.world.askControl(livingPath(directory), { kind: 'status' }, AbortSignal.timeout(2000));
  if (living !== undefined) return [];
  const stateDirectory = join(directory, '.drover');
  const running = await context.world.startedHere(stateDirectory);
  const controller = await controllerAt(context, join(stateDirectory, 'control.sock')).catch(() => null);
  if (running.length === 0 && controller === null) {
    return [`An earlier demo was killed and has left its files. They go with: rm -r ${directory}`];
  }
  const first = controller === null ? '' : `kill -9 ${controller.pid}; `;
  const what = `${running.length} processes${controller === null ? '' : ' and a controller'}`;
  return [
    `An earlier demo was killed and has left ${what} running. They end with:`,
    `  ${first}${commandToEnd(directory)}; rm -r ${directory}`,
  ];
}
