import { join } from 'node:path';
import { stageWords } from '../../core/rollout/status.ts';
import type { Context, Journal } from '../context.ts';
import { controllerAt } from '../controller/reach.ts';
import { rolloutsOf, unfinished } from '../journal/history.ts';

/** A rollout that has not ended: `apply` begins no other before it has. */
export type Unfinished = {
  readonly operation: string;
  readonly service: string;
  /** Where it stands, in words. */
  readonly stage: string;
  readonly held: string | null;
  /** The plan that it belongs to. */
  readonly planHash: string;
  /** Pid of the controller that runs it; null: none is alive. */
  readonly controllerPid: number | null;
};

/** The one that `apply` would go on with. null: everything has ended, or nothing was begun. */
export async function unfinishedRollout(
  context: Context,
  journal: Journal | null,
  stateDirectory: string,
): Promise<Unfinished | null> {
  const [open] = unfinished(await rolloutsOf(context.world, journal, null));
  if (open === undefined) return null;
  const controller = await controllerAt(context, join(stateDirectory, 'control.sock'));
  return {
    operation: open.operation,
    service: open.plan.service,
    stage: stageWords(open, open.stage),
    held: open.held?.why ?? null,
    planHash: open.planHash,
    controllerPid: controller?.pid ?? null,
  };
}
