import type { MoveState } from '../../core/move/operation/state.ts';

/** Where in its loop a controller of a copy can die. Writes have two: before anything took effect, and after, before the answer. */
export const copyPoints = [
  'sleep',
  'lease.acquire',
  'journal.append/before',
  'journal.append/after',
  'target.read',
  'target.write/before',
  'target.write/after',
] as const;
export type CopyPoint = (typeof copyPoints)[number];

export const labels = [
  'preparing',
  'held',
  'copying',
  'rebuilding',
  'restoring',
  'copied',
  'aborted',
  'removing',
  'removed',
] as const satisfies readonly Label[];

export type Label = MoveState['stage']['kind'] | 'held';

/** Where a copy stands, for the table of what was reached. */
export function labelOf(state: MoveState): Label {
  return state.held === null ? state.stage.kind : 'held';
}
