import { hashOf } from '../../../core/journal/chain.ts';
import { type Entry, emptyHead } from '../../../core/journal/entry.ts';
import { foldMove, hasMoveEnded, isMove, type MoveState, setAsideBy } from '../../../core/move/operation/state.ts';
import type { SetAside } from '../../../core/move/topic-levers.ts';
import type { JournalStore } from '../../../engine/ports.ts';
import { CliError, type World } from '../../context.ts';

/** One copy of the journal, folded. */
export type PastCopy = { readonly state: MoveState; readonly entries: readonly Entry[] };

/** The copies of a journal, oldest first. `journal` null: there is none yet. Throws CliError where one is not what was written. */
export async function copiesOf(
  { sha256 }: Pick<World, 'sha256'>,
  journal: JournalStore | null,
): Promise<readonly PastCopy[]> {
  const copies: PastCopy[] = [];
  for (const { operation } of (await journal?.heads()) ?? []) {
    if (!isCopyName(operation)) continue;
    const entries = (await journal?.read(operation, 0)) ?? [];
    if (!isMove(entries[0])) continue;
    copies.push({ state: folded(entries, sha256), entries });
  }
  return copies.sort((one, other) => one.state.startedAtMs - other.state.startedAtMs);
}

/** Throws CliError where there is none of this name. */
export async function copyNamed(
  world: Pick<World, 'sha256'>,
  journal: JournalStore | null,
  name: string,
): Promise<PastCopy> {
  const found = (await copiesOf(world, journal)).find(({ state }) => state.operation === name);
  if (found === undefined)
    throw new CliError(`there is no copy ${name}`, '`drover kafka status` shows those that there are');
  return found;
}

export function isCopyName(name: string): boolean {
  return /^copy-\d+$/.test(name);
}

/** The name of the one that comes after these. */
export function nextCopy(copies: readonly PastCopy[]): string {
  const numbers = copies.map(({ state }) => Number(state.operation.slice('copy-'.length)));
  return `copy-${Math.max(0, ...numbers) + 1}`;
}

export function openCopies(copies: readonly PastCopy[]): readonly MoveState[] {
  return copies.map(({ state }) => state).filter((state) => !hasMoveEnded(state));
}

/** What the unfinished ones have set aside on a cluster. */
export function setAsideOn(open: readonly MoveState[], clusterId: string): readonly SetAside[] {
  return open.filter(({ plan }) => plan.target.clusterId === clusterId).flatMap(setAsideBy);
}

function folded(entries: readonly Entry[], sha256: World['sha256']): MoveState {
  let state: MoveState | null = null;
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1]?.hash ?? emptyHead(entry.operation).hash;
    if (entry.previous !== before || entry.hash !== hashOf(entry, sha256))
      throw new CliError(
        `the journal makes no sense: ${entry.operation}: entry ${entry.seq} is not what was written`,
        '`drover journal verify` names what is wrong with it',
      );
    state = foldMove(state, entry);
  }
  if (state === null) throw new CliError('the journal makes no sense: a copy has no entries');
  return state;
}
