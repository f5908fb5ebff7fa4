import { dirname } from 'node:path';
import { PortError } from '../../engine/ports.ts';
import { type Beside, besideJournal } from '../back/beside.ts';
import { CliError, type Context, type Journal } from '../context.ts';
import { type PastRollout, rolloutsOf } from '../journal/history.ts';
import { lookIntoJournal } from '../journal/open.ts';
import { type JournalPlace, journalPath } from '../journal/path.ts';

/** A state directory as it can be read. */
export type ReadState = {
  /** null: there is none, or it cannot be opened. */
  readonly journal: Journal | null;
  readonly stateDirectory: string;
  readonly past: readonly PastRollout[];
  readonly beside: Beside;
  /** Why nobody can tell what the journal has; null: it was read, or there is none. */
  readonly unreadable: PortError | CliError | null;
};

/** Throws CliError where something else is in the place of a state directory. A journal that cannot be read hides nothing else. */
export async function readState(context: Context, place: JournalPlace): Promise<ReadState> {
  const stateDirectory = dirname(journalPath(context, place));
  const beside = await besideJournal(context, stateDirectory);
  const nothing = { journal: null, stateDirectory, past: [], beside };
  const opened = await lookIntoJournal(context, place).catch(portError);
  if (opened instanceof PortError) return { ...nothing, unreadable: opened };
  const { journal } = opened;
  try {
    return { ...nothing, journal, past: await rolloutsOf(context.world, journal, null), unreadable: null };
  } catch (error) {
    // Also where entries are not what was written: nothing is made of them.
    if (!(error instanceof CliError || error instanceof PortError)) throw error;
    return { ...nothing, journal, unreadable: error };
  }
}

function portError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  throw error;
}
