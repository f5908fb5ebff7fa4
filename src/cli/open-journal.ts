import { dirname, join, resolve } from 'node:path';
import type { Config } from '../core/fleet/config.ts';
import type { Context, Journal } from './context.ts';

export const journalOption = [
  '--journal <PATH>',
  'the journal (default: .drover/journal.db beside the configuration)',
] as const;

export type OpenJournal = {
  readonly journal: Journal;
  /** Where the journal, the markers and the control socket are. */
  readonly stateDirectory: string;
  readonly controlSocket: string;
};

/** The journal that a verb writes to, made where there is none yet. Throws PortError. */
export async function openJournalOf(context: Context, config: Config, path: string | undefined): Promise<OpenJournal> {
  const place = path === undefined ? join(config.directory, '.drover', 'journal.db') : resolve(context.directory, path);
  const stateDirectory = dirname(place);
  const journal = await context.world.openJournal(place, { readOnly: false });
  return { journal, stateDirectory, controlSocket: join(stateDirectory, 'control.sock') };
}
