import { PortError } from '../../engine/ports.ts';
import { commandAt, type Place } from '../command-at.ts';
import { CliError, type Context } from '../context.ts';
import { rolloutsOf } from '../journal/history.ts';
import { journalPath } from '../journal/path.ts';
import { asFoundByHand, awayByHand, chained } from './by-hand.ts';
import type { ExportedState } from './exported-state.ts';

/** A rollout whose traffic this is. `isMarked`: its controller is told by the back marker. */
export type Told = { readonly exported: ExportedState; readonly isMarked: boolean };

/** What the journal does not know, and who will write it down; where nobody ever will, what a person has to type. */
export async function afterwards(
  context: Context,
  place: Place,
  rollouts: readonly Told[],
  stateDirectory: string,
): Promise<readonly string[]> {
  if (rollouts.length === 0)
    return [
      'No rollout of this directory is told: a controller elsewhere may raise the share again, and the servers stay in maint until somebody wakes them',
    ];
  const journal = journalPath(context, place);
  const lost = await whyLost(context, journal, rollouts);
  const known = rollouts.filter(({ exported }) => !lost.has(exported.operation));
  const lines: string[] = known.length === 0 ? [] : [untoldWords(known, commandAt(place)('back'))];
  for (const { exported } of rollouts) {
    const why = lost.get(exported.operation);
    if (why === undefined) continue;
    lines.push(
      `No journal will know it of ${exported.operation}: ${why.what}. These commands put everything as it was found; after them another rollout can begin:`,
      ...chained([
        ...asFoundByHand(context, stateDirectory, exported),
        ...(why.isDamaged ? [awayByHand(journal)] : []),
      ]).map((line) => `  ${line}`),
    );
  }
  return lines;
}

function untoldWords(rollouts: readonly Told[], back: string): string {
  const names = rollouts.map(({ exported }) => `\`${back} ${exported.operation}\``).join(', ');
  // Nobody comes back to a completed one.
  const also = rollouts.some(({ exported }) => exported.completed) ? '' : ', as does a controller that comes back';
  return `The journal does not know it yet: once nothing keeps the way back from it, ${names} puts states and sizes as they were found and writes it down (not while the controller of another rollout runs)${also}`;
}

type Lost = { readonly what: string; readonly isDamaged: boolean };

/** Of which rollouts the journal has nothing that a later command could go by, and why. One that cannot be read now is not lost. */
async function whyLost(
  context: Context,
  journalFile: string,
  rollouts: readonly Told[],
): Promise<ReadonlyMap<string, Lost>> {
  const all = (lost: Lost) => new Map(rollouts.map(({ exported }) => [exported.operation, lost]));
  const none = { what: `there is none at ${journalFile}`, isDamaged: false };
  const damaged = { what: 'it is damaged', isDamaged: true };
  try {
    const journal = await context.world.openJournal(journalFile, { readOnly: true });
    try {
      const past = await rolloutsOf(context.world, journal, null);
      const known = past.map(({ state }) => state.operation);
      const gone = rollouts.filter(({ exported }) => !known.includes(exported.operation));
      return new Map(
        gone.map(({ exported }) => [exported.operation, { what: 'it does not have it', isDamaged: false }]),
      );
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (error instanceof CliError) return all(damaged);
    if (!(error instanceof PortError)) throw error;
    return error.code === 'not-found' ? all(none) : error.code === 'corrupt' ? all(damaged) : new Map();
  }
}
