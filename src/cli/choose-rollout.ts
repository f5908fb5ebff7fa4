import type { RolloutState } from '../core/rollout/state.ts';
import { CliError, type Context } from './context.ts';
import { rolloutsOf, unfinished } from './journal/history.ts';
import type { OpenJournal } from './journal/open.ts';

/** The rollout named (or the last one of the service named), or the only unfinished one; with `ended` also the last one that was
 * completed, and where there is none, the last one that was rolled back or has given up its reserve. */
export async function chooseRollout(
  context: Pick<Context, 'world'>,
  opened: OpenJournal,
  name: string | undefined,
  ended = false,
): Promise<RolloutState> {
  const past = await rolloutsOf(context.world, opened.journal, null);
  const states = past.map(({ state }) => state);
  if (name !== undefined) return namedRollout(states, name);
  const open = unfinished(past);
  if (open.length > 0 || !ended) return onlyRollout(open, 'rollout that is not finished');
  const completed = states.filter((state) => state.stage.kind === 'completed' && !state.retired);
  // A reload may have given the destination traffic again, and nobody watches it. Why a retired one is not taken back is told.
  const last = completed.length > 0 ? completed : states;
  return onlyRollout(last.slice(-1), 'rollout to take back');
}

export function namedRollout(states: readonly RolloutState[], name: string): RolloutState {
  const found = states.findLast((state) => state.operation === name || state.plan.service === name);
  if (found !== undefined) return found;
  throw new CliError(
    `there is no rollout "${name}"`,
    `the journal has: ${states.map((state) => state.operation).join(', ') || 'none'}`,
  );
}

export function onlyRollout(states: readonly RolloutState[], what: string): RolloutState {
  const [state, other] = states;
  if (state === undefined) throw new CliError(`there is no ${what}`, '`drover journal` shows what there was');
  if (other === undefined) return state;
  throw new CliError(`there is more than one ${what}`, `name one: ${states.map((one) => one.operation).join(', ')}`);
}
