import type { RolloutStatus } from '../../core/rollout/status.ts';
import type { Context } from '../context.ts';

/** What a controller answers to `status`. */
export type ControllerAnswer = {
  readonly pid: number;
  /** null: it is between two rollouts, or before the first. */
  readonly operation: string | null;
  /** null: it has not looked yet. */
  readonly status: RolloutStatus | null;
  /** Why nothing can be written to the journal at the moment; null: it can. */
  readonly trouble: string | null;
  /** What of the destination carries traffic, or cannot be read. */
  readonly standing: readonly string[];
};

/** null: no controller answers there. Throws PortError when one does not answer in time. */
export async function controllerAt(context: Context, path: string): Promise<ControllerAnswer | null> {
  const answer = await context.world.askControl(path, { kind: 'status' }, AbortSignal.timeout(5000));
  return answer === undefined || answer === null ? null : (answer as ControllerAnswer);
}
