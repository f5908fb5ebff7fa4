import type { BackendReading } from '../observed/backend.ts';
import type { LoadWindow } from './load.ts';
import type { BackendPlan, RolloutPolicy } from './plan.ts';
import { carriesNow, serversOf } from './servers.ts';
import { isConfirmed, type RolloutState } from './state.ts';
import { shareOfWeights, weightsForDrill } from './weights.ts';

/** Requests come when they like: with half as many again the drill mostly has what it asks for before its time is over. */
const expectedOverWanted = 1.5;

/** The largest share that the drill's server may get: what brings its requests within its time, whoever else waits. */
export function drillShareMost({ drill }: Pick<RolloutPolicy, 'drill'>, loadRps: number): number {
  const expected = (loadRps * drill.ms) / 1000;
  return expected === 0 ? 1 : (drill.requests * expectedOverWanted) / expected;
}

/** The share that the drill's weights make at one backend as it is now; null: its origin carries nothing. */
export function drillShareAt(plan: BackendPlan, reading: BackendReading, shareMost: number): number | null {
  const origin = serversOf(plan, reading, 'origin')
    .filter(carriesNow)
    .map(({ name, weight }) => ({ name, base: weight, carries: true }));
  if (origin.length === 0) return null;
  const weights = weightsForDrill(origin, drilled, shareMost);
  return shareOfWeights(
    origin.map(({ name }) => weights[name] ?? 0),
    [weights[drilled] ?? 0],
  );
}

/** No server has this name. */
const drilled = '';

/** What the drill's server was given while every backend was confirmed, by backend: nothing of before and after. */
export type DrillRate = Readonly<Record<string, { readonly attempts: number; readonly ms: number }>>;

export function drillRate(
  before: DrillRate,
  state: RolloutState,
  windows: Readonly<Record<string, LoadWindow>>,
): DrillRate {
  if (state.stage.kind === 'drill-back') return before;
  if (state.stage.kind !== 'drill-shifting' || !isConfirmed(state)) return {};
  const rate = { ...before };
  for (const [id, { fromMs, toMs, destination }] of Object.entries(windows)) {
    const { attempts, ms } = rate[id] ?? { attempts: 0, ms: 0 };
    rate[id] = { attempts: attempts + destination.attempts, ms: ms + toMs - fromMs };
  }
  return rate;
}

/** Requests per second that the drill's server was given; null: nobody saw it for long enough to tell. */
export function drillRps(rate: DrillRate): number | null {
  const rates = Object.values(rate).filter(({ ms }) => ms > 0);
  return rates.length === 0 ? null : rates.reduce((sum, { attempts, ms }) => sum + (attempts * 1000) / ms, 0);
}
