import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../core/fleet/config.ts';
import { PortError } from '../../engine/ports.ts';
import { CliError, type Context, type Journal } from '../context.ts';
import { type JournalPlace, journalPath } from './path.ts';

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

/** For a verb that writes nothing: null where there is no journal yet, and none is made. Throws PortError. */
export async function lookIntoJournal(
  context: Context,
  { journal: path, config }: JournalPlace,
): Promise<{ readonly journal: Journal | null; readonly stateDirectory: string }> {
  const place = journalPath(context, { journal: path, config });
  expectDirectory(dirname(place));
  const journal = await context.world.openJournal(place, { readOnly: true }).catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'not-found') return null;
    throw error;
  });
  return { journal, stateDirectory: dirname(place) };
}

/** The journal that a verb writes to, made where there is none yet. Throws PortError. */
export async function openJournalOf(context: Context, config: Config, path: string | undefined): Promise<OpenJournal> {
  return await openAt(
    context,
    path === undefined ? join(config.directory, '.drover', 'journal.db') : resolve(context.directory, path),
  );
}

/** The same for what can only be said to a rollout that there is: no journal is made for it. Throws PortError and CliError. */
export async function openExisting(context: Context, options: JournalPlace): Promise<OpenJournal> {
  const place = journalPath(context, options);
  expectDirectory(dirname(place));
  if (existsSync(place)) return await openAt(context, place);
  throw new CliError(
    `nothing was started here yet: there is no journal at ${place}`,
    'name another one with --journal PATH, or its configuration with --config FILE; `drover apply` begins one',
  );
}

async function openAt(context: Context, place: string): Promise<OpenJournal> {
  const stateDirectory = dirname(place);
  const journal = await context.world.openJournal(place, { readOnly: false });
  return { journal, stateDirectory, controlSocket: join(stateDirectory, 'control.sock') };
}

/** Throws CliError where something else is in the place of a state directory. */
export function expectDirectory(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return;
  throw new CliError(
    `${path} is not a directory, and state has no other place`,
    'move it away, or give --journal PATH',
  );
}
