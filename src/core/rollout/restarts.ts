import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';

/** How often destination instances have ended by themselves and were started again, with the present pair of builds. */
export type Restarts = { readonly total: number; readonly byInstance: Readonly<Record<string, Ran>> };

/** `untold`: restarts among the total since it last told its build. `build` null: it never has. */
type Ran = { readonly restarts: number; readonly build: string | null; readonly untold: number };

/**
 * The restarts after one more reading. An instance that comes up with another build was deployed, and what ended before that was
 * made to; until it tells its build it counts, because one that falls over may never tell. New builds begin at nothing.
 */
export function restartsAfter(
  before: { readonly restarts: Restarts; readonly judged: { readonly pair: number } },
  state: RolloutState,
  observation: Observation,
): Restarts {
  const isNew = before.judged.pair !== state.pair;
  let total = isNew ? 0 : before.restarts.total;
  const byInstance: Record<string, Ran> = {};
  for (const [id, ran] of Object.entries(before.restarts.byInstance))
    byInstance[id] = isNew ? { ...ran, untold: 0 } : ran;
  const group = observation.destination.reading;
  for (const { id, restarts, build } of group.known ? group.value.instances : []) {
    const ran = byInstance[id] ?? { restarts, build: null, untold: 0 };
    const more = Math.max(0, restarts - ran.restarts);
    const isDeployed = build !== null && ran.build !== null && build !== ran.build;
    total += isDeployed ? -ran.untold : more;
    byInstance[id] = { restarts, build: build ?? ran.build, untold: build === null ? ran.untold + more : 0 };
  }
  return { total, byInstance };
}
