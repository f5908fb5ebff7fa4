import type { RolloutStatus } from '../../core/rollout/status.ts';
import { CliError, type Context } from '../context.ts';
import { controllerAt } from './reach.ts';

const pollMs = 200;
/** A pass waits for whatever does not answer; several may be needed. */
const waitMsMax = 20_000;
/** Looks in a row at a journal that takes nothing, before that is believed. */
export const unwrittenPolls = 5;

/**
 * Waits until a living controller shows that what it accepted counts: it shows only what its journal has. Throws CliError
 * where the journal takes nothing, where the controller ends before, or goes back.
 */
export async function untilJournalled(
  context: Context,
  socket: string,
  operation: string,
  isDone: (status: RolloutStatus) => boolean,
): Promise<void> {
  const endsAt = context.clock.monotonic() + waitMsMax;
  for (let unwritten = 0; ; ) {
    const answer = await controllerAt(context, socket);
    if (answer?.operation !== operation)
      throw new CliError(`the controller of ${operation} has ended before it did that`, '`drover status` tells');
    const { status, trouble } = answer;
    if (status?.back != null) throw new CliError(`${operation} is on the way back`, '`drover status` tells');
    if (status !== null && isDone(status)) return;
    unwritten = trouble === null ? 0 : unwritten + 1;
    if (trouble !== null && unwritten >= unwrittenPolls) throw notJournalled(operation, trouble);
    if (context.clock.monotonic() > endsAt) {
      const message = `the controller of ${operation} has not done that within ${waitMsMax / 1000} s`;
      throw new CliError(message, 'it may do so yet: `drover status` tells');
    }
    await context.clock.sleep(pollMs, new AbortController().signal);
  }
}

export function notJournalled(operation: string, trouble: string): CliError {
  return new CliError(
    `${operation}: the journal does not take it: ${trouble}`,
    'nothing is raised as long as that lasts, but a controller that comes after this one would not know of it: put it right, and run the same command again',
  );
}
