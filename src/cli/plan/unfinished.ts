import { join } from 'node:path';
import type { Config } from '../../core/fleet/config.ts';
import { changesSince } from '../../core/plan/changes.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { stageWords } from '../../core/rollout/status.ts';
import type { Context, Journal } from '../context.ts';
import { controllerOrSilence, isSilence, silenceWords } from '../controller/silence.ts';
import { rolloutsOf, unfinished } from '../journal/history.ts';
import { plannedNow } from '../open-service.ts';

/** A rollout that has not ended: `apply` begins no other before it has. */
export type Unfinished = {
  readonly operation: string;
  readonly service: string;
  /** Where it stands, in words. */
  readonly stage: string;
  readonly held: string | null;
  /** The plan that it belongs to. */
  readonly planHash: string;
  /** What the configuration asks for now that it was not begun with: it goes on as it was begun. */
  readonly changed: readonly string[];
  /** Pid of the controller that runs it; null: none is alive, or it is not known. */
  readonly controllerPid: number | null;
  /** Why nothing proceeds though there is a controller: it hangs. With what can be done. null: it answers, or there is none. */
  readonly silence: { readonly what: string; readonly remedy: string } | null;
};

/** The one that `apply` would go on with. null: everything has ended, or nothing was begun. */
export async function unfinishedRollout(
  context: Context,
  config: Config,
  journal: Journal | null,
  stateDirectory: string,
  command: (verb: string) => string,
): Promise<Unfinished | null> {
  const [open] = unfinished(await rolloutsOf(context.world, journal, null));
  if (open === undefined) return null;
  const controller = await controllerOrSilence(context, join(stateDirectory, 'control.sock'), journal);
  return {
    operation: open.operation,
    service: open.plan.service,
    stage: stageWords(open, open.stage),
    held: open.held?.why ?? null,
    planHash: open.planHash,
    changed: await changedSince(context, config, open, stateDirectory),
    controllerPid: controller?.pid ?? null,
    silence: isSilence(controller) ? silenceWords(controller, context.clock.now(), command) : null,
  };
}

async function changedSince(
  context: Context,
  config: Config,
  open: RolloutState,
  stateDirectory: string,
): Promise<readonly string[]> {
  const { service } = open.plan;
  if (config.services[service] === undefined) return [goneWords(open.operation, service)];
  return changesSince(open.plan, await plannedNow(context, config, service, stateDirectory));
}

/** Nothing goes on with a rollout whose service the configuration does not have. */
export function goneWords(operation: string, service: string): string {
  return `services.${service} is not there any more: put it back under that name until ${operation} has ended`;
}
