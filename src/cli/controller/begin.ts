import type { Config } from '../../core/fleet/config.ts';
import type { Builds, Started } from '../../core/rollout/events.ts';
import { asFoundOf, buildsOf, checkStart } from '../../core/rollout/start.ts';
import { blamedIn, withReasonFor } from '../../core/rollout/taken-back.ts';
import { startOperation } from '../../engine/anchors.ts';
import { CliError, type Context } from '../context.ts';
import {
  earlierAttempts,
  nextOperation,
  type PastRollout,
  rolloutsOf,
  takenBackBefore,
  unfinished,
} from '../journal/history.ts';
import type { OpenJournal } from '../journal/open.ts';
import { causeName } from '../journal/sentences.ts';
import { openService } from '../open-service.ts';
import type { PlanDocument } from '../plan/document.ts';
import { staleMarker } from '../plan/stale-marker.ts';
import { nothingBegun, type Signals } from './signals.ts';

export type Beginning = {
  readonly context: Context;
  readonly config: Config;
  readonly opened: OpenJournal;
  readonly signals: Signals;
  /** `reason`: why a build that was taken back is tried again. */
  readonly options: { readonly reason?: string };
};

/**
 * The first entry of a new rollout, after everything that has to hold was looked at once more; answers with its name. Throws
 * CliError, and then nothing was begun.
 */
export async function beginRollout(
  { context, config, opened, signals, options }: Beginning,
  document: PlanDocument,
  service: string,
): Promise<string> {
  const reason = options.reason ?? null;
  const rollout = openService(context, config, service, opened.journal, opened.stateDirectory, 'watch');
  try {
    const observation = await rollout.observe();
    if (signals.interrupted.aborted) throw nothingBegun(signals);
    const { refusals } = checkStart(rollout.plan, observation);
    if (refusals.length > 0) throw refusedStart(service, refusals);
    const past = await rolloutsOf(context.world, opened.journal, service);
    // Its name is taken by whoever is first. A controller that listens elsewhere may have been, since this one looked what there is to do.
    const [open] = unfinished(past);
    if (open !== undefined) throw begunByOthers(open.operation);
    const seen = buildsOf(observation);
    const builds: Builds = { origin: seen.origin ?? 'unknown', destination: seen.destination ?? 'unknown' };
    const planned = document.services.find((one) => one.service === service)?.builds;
    if (planned === undefined || planned.origin !== seen.origin || planned.destination !== seen.destination) {
      const were = `${planned?.origin ?? 'unknown'} → ${planned?.destination ?? 'unknown'}`;
      throw new CliError(
        `${service}: the builds are ${builds.origin} → ${builds.destination} now, and were ${were} when the plan was made`,
        'read it again with `drover plan`',
      );
    }
    const takenBack = takenBackBefore(past);
    const blamed = blamedIn(takenBack, builds.destination);
    if (blamed.length > 0 && reason === null) {
      const those = blamed.map(
        ({ build, operation }) => `build ${build} was taken back before (${operation}: ${causeOf(past, operation)})`,
      );
      throw new CliError(
        `${service}: ${those.join(' and ')}`,
        'move another build, or say why this one is tried again with --reason',
      );
    }
    const started: Started = {
      kind: 'started',
      plan: rollout.plan,
      planHash: document.hash,
      asFound: asFoundOf(rollout.plan, observation),
      builds,
      earlierAttempts: earlierAttempts(past),
      takenBack: reason === null ? takenBack : withReasonFor(takenBack, builds.destination),
      reason,
    };
    const operation = nextOperation(service, past.length);
    const stale = await staleMarker(context, opened.stateDirectory, operation);
    if (stale !== null) throw new CliError(stale.what, stale.remedy);
    const outcome = await startOperation(rollout.ports, operation, started, context.user);
    if (outcome === 'exists') throw begunByOthers(operation);
    return operation;
  } finally {
    await rollout.close();
  }
}

function causeOf(past: readonly PastRollout[], operation: string): string {
  const back = past.find(({ state }) => state.operation === operation)?.state.back;
  return back == null ? 'nobody knows why' : causeName(back.cause, null);
}

function begunByOthers(operation: string): CliError {
  return new CliError(`${operation} was begun by somebody else just now`, 'see `drover status`');
}

export function refusedStart(service: string, refusals: readonly string[]): CliError {
  return new CliError(`${service} cannot be moved:\n${refusals.map((line) => `  ${line}`).join('\n')}`);
}
