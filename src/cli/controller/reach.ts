import type { Context } from '../context.ts';
import { type ControllerAnswer, parseControllerAnswer } from './messages.ts';

/** null: no controller answers there. Throws PortError when one does not answer in time, CliError when not in our words. */
export async function controllerAt(context: Context, path: string, msMax = 5000): Promise<ControllerAnswer | null> {
  const answer = await context.world.askControl(path, { kind: 'status' }, AbortSignal.timeout(msMax));
  return answer === undefined ? null : parseControllerAnswer(answer);
}
