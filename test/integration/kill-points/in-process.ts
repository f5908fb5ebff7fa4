import { PassThrough } from 'node:stream';
import type { Context, Output } from '../../../src/cli/context.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { systemClock } from '../../../src/io/clock/system.ts';
import { realWorld } from '../../../src/world.ts';

/** A verb in the real world without a process of its own, which would cost more than what it does. */
export async function inProcess(
  directory: string,
  ...args: string[]
): Promise<{ readonly code: number; readonly stdout: string }> {
  let code = 0;
  let stdout = '';
  const output = (write: (text: string) => void): Output => ({ write, terminal: null });
  const context: Context = {
    stdout: output((text) => {
      stdout += text;
    }),
    stderr: output(() => undefined),
    stdin: new PassThrough(),
    env: {},
    directory,
    user: 'test',
    clock: systemClock,
    setExitCode: (next) => {
      code = next;
    },
    world: realWorld,
  };
  await buildProgram(context).parseAsync(['node', 'drover', ...args]);
  return { code, stdout };
}
