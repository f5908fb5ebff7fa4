import { hashOf } from '../../core/journal/chain.ts';
import { type Entry, emptyHead, type Sha256 } from '../../core/journal/entry.ts';
import type { PlannedService } from '../../core/plan/hash.ts';
import type { Started } from '../../core/rollout/events.ts';
import { fold, hasEnded, type RolloutState } from '../../core/rollout/state.ts';
import { partsOf, type TakenBack } from '../../core/rollout/taken-back.ts';
import type { JournalStore } from '../../engine/ports.ts';
import { CliError, type World } from '../context.ts';

/** One rollout of the journal, folded. */
export type PastRollout = { readonly state: RolloutState; readonly entries: readonly Entry[] };

/** The rollouts of a journal, oldest first; of one service where it is named. `journal` null: there is none yet. */
export async function rolloutsOf(
  { sha256 }: Pick<World, 'sha256'>,
  journal: JournalStore | null,
  service: string | null,
): Promise<PastRollout[]> {
  if (journal === null) return [];
  const rollouts: PastRollout[] = [];
  for (const { operation } of await journal.heads()) {
    const entries = await journal.read(operation, 0);
    if (entries[0]?.body.kind !== 'started') continue;
    const state = foldAll(entries, sha256);
    if (state !== null && (service === null || state.plan.service === service)) rollouts.push({ state, entries });
  }
  return rollouts.sort((one, other) => one.state.startedAtMs - other.state.startedAtMs);
}

/** null: there are no entries. Throws CliError where one of them is not what was written: nothing is made of it. */
export function foldAll(entries: readonly Entry[], sha256: Sha256): RolloutState | null {
  let state: RolloutState | null = null;
  try {
    for (const [index, entry] of entries.entries()) {
      const before = entries[index - 1]?.hash ?? emptyHead(entry.operation).hash;
      if (entry.previous !== before || entry.hash !== hashOf(entry, sha256))
        throw new Error(`${entry.operation}: entry ${entry.seq} is not what was written`);
      state = fold(state, entry);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const remedy =
      '`drover journal verify` names what is wrong with it; `drover back` takes the traffic back without it';
    throw new CliError(`the journal makes no sense: ${why}`, remedy, error);
  }
  return state;
}

export function unfinished(rollouts: readonly PastRollout[]): readonly RolloutState[] {
  return rollouts.map(({ state }) => state).filter((state) => !hasEnded(state));
}

/** The name of the one that comes after so many of its service. */
export function nextOperation(service: string, past: number): string {
  return `rollout-${service}-${past + 1}`;
}

/** `none`, `completed`, `rolled back` or where the unfinished one stands: part of the plan's hash. */
export function lastStepOf(rollouts: readonly PastRollout[]): string {
  const last = rollouts.at(-1)?.state;
  if (last === undefined) return 'none';
  return 'step' in last.stage ? `${last.stage.kind} ${last.stage.step}` : last.stage.kind;
}

/**
 * A service's rollouts as they stood before the plan `under` (the beginning of its hash), and the builds that the one begun
 * under it was started on; null: none was, or it was taken back, which ends what the plan said.
 */
export function splitAt(
  rollouts: readonly PastRollout[],
  under: string | null,
): { readonly before: readonly PastRollout[]; readonly begun: PlannedService['builds'] | null } {
  const last = rollouts.at(-1);
  const started = last?.entries[0]?.body as Started | undefined;
  if (under === null || started?.planHash.startsWith(under) !== true || last?.state.back !== null)
    return { before: rollouts, begun: null };
  const { origin, destination } = started.builds;
  return {
    before: rollouts.slice(0, -1),
    begun: { origin: toldOf(origin), destination: toldOf(destination) },
  };
}

/** A destination without instances has no build at the start. */
function toldOf(build: string): string | null {
  return build === 'unknown' ? null : build;
}

/** Attempts that earlier rollouts made at each step and pair of builds: β is spent over all of them. */
export function earlierAttempts(rollouts: readonly PastRollout[]): Readonly<Record<string, number>> {
  return rollouts.at(-1)?.state.attempts ?? {};
}

/** Builds that need a reason to be tried again: they were taken back, by whomever, and have not completed since. */
export function takenBackBefore(rollouts: readonly PastRollout[]): TakenBack {
  const takenBack = new Map<string, string>();
  for (const { state } of rollouts) {
    for (const build of state.back?.builds ?? []) takenBack.set(build, state.operation);
    if (state.back === null && state.stage.kind === 'completed')
      for (const build of partsOf(state.builds.destination)) takenBack.delete(build);
  }
  return Object.fromEntries(takenBack);
}
