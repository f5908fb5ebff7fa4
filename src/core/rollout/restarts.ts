import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';

/**
 * How often destination instances have ended by themselves and were started again, in one span (`spanOf`): with the present pair of
 * builds, and of that while there was only capacity to wait for, or since.
 */
export type Restarts = {
  readonly span: string;
  readonly total: number;
  readonly byInstance: Readonly<Record<string, Ran>>;
};

/** `untold`: restarts among the total since it last told its build. `build` null: it never has. */
type Ran = { readonly restarts: number; readonly build: string | null; readonly untold: number };

/** At the beginning of a controller. */
export function startRestarts(state: RolloutState): Restarts {
  return { span: spanOf(state), total: state.seen.restarts, byInstance: {} };
}

/** What ended while nobody was sent there is nothing to those who are sent to what has come up since. */
function spanOf({ pair, stage }: RolloutState): string {
  return stage.kind === 'preparing' ? `${pair} preparing` : `${pair}`;
}

/**
 * The restarts after one more reading. An instance that comes up with another build was deployed, and what ended before that was
 * made to; until it tells its build it counts, because one that falls over may never tell. A new span begins at nothing.
 */
export function restartsAfter(before: Restarts, state: RolloutState, observation: Observation): Restarts {
  const span = spanOf(state);
  const isNew = before.span !== span;
  let total = isNew ? 0 : before.total;
  const byInstance: Record<string, Ran> = {};
  for (const [id, ran] of Object.entries(before.byInstance)) byInstance[id] = isNew ? { ...ran, untold: 0 } : ran;
  const group = observation.destination.reading;
  for (const { id, restarts, build } of group.known ? group.value.instances : []) {
    const ran = byInstance[id] ?? { restarts, build: null, untold: 0 };
    const more = Math.max(0, restarts - ran.restarts);
    const isDeployed = build !== null && ran.build !== null && build !== ran.build;
    total += isDeployed ? -ran.untold : more;
    byInstance[id] = { restarts, build: build ?? ran.build, untold: build === null ? ran.untold + more : 0 };
  }
  return { span, total, byInstance };
}
