import type { RolloutState } from '../core/rollout/state.ts';
import type { CrashPoint } from './calls.ts';

/** Where an operation stands, for the coverage table: its stage, or that it is held. */
export function labelOf(state: RolloutState | null): StateLabel {
  if (state === null) return 'not started';
  return state.held === null ? state.stage.kind : 'held';
}
export type StateLabel = 'not started' | 'held' | RolloutState['stage']['kind'];

export const stateLabels = [
  'preparing',
  'drill-shifting',
  'drill-back',
  'drill-restoring',
  'growing',
  'shifting',
  'judging',
  'finishing',
  'held',
  'cutting',
  'restoring',
  'rolled-back',
  'completed',
] as const satisfies readonly StateLabel[];

/** What one or many runs have been through. */
export type Coverage = {
  readonly faults: Record<string, number>;
  /** Runs that came through a state. */
  readonly states: Record<string, number>;
  /** Worlds in which a controller came through a pair `state × crash point` while it could have died there. */
  readonly pairs: Record<string, number>;
  /** Deaths of a controller by pair. */
  readonly crashes: Record<string, number>;
};

export function newCoverage(): Coverage {
  return { faults: {}, states: {}, pairs: {}, crashes: {} };
}

export function count(table: Record<string, number>, key: string, by = 1): void {
  table[key] = (table[key] ?? 0) + by;
}

export function addCoverage(to: Coverage, from: Coverage): void {
  for (const part of ['faults', 'states', 'pairs', 'crashes'] as const) {
    for (const [key, times] of Object.entries(from[part])) count(to[part], key, times);
  }
}

export function crashKey(state: StateLabel, point: CrashPoint): string {
  return `${state} × ${point}`;
}
