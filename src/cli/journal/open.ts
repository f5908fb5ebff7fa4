import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../core/fleet/config.ts';
import { PortError } from '../../engine/ports.ts';
import { besideJournal, straysOf, strayWords } from '../back/beside.ts';
import { commandAt } from '../command-at.ts';
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

/** The same for what needs no configuration: beside one, where there is one. */
export async function openJournalAt(context: Context, place: JournalPlace): Promise<OpenJournal> {
  return await openAt(context, journalPath(context, place));
}

/** The same for what can only be said to a rollout that there is: no journal is made for it. Throws PortError and CliError. */
export async function openExisting(context: Context, options: JournalPlace): Promise<OpenJournal> {
  const place = journalPath(context, options);
  expectDirectory(dirname(place));
  if (existsSync(place)) return await openAt(context, place);
  throw (
    (await lostJournal(context, options)) ??
    new CliError(
      `nothing was started here yet: there is no journal at ${place}`,
      'name another one with --journal PATH, or its configuration with --config FILE; `drover apply` begins one',
    )
  );
}

/** For a verb that only reads, and has nothing to say where there is none. Throws PortError and CliError. */
export async function readJournal(context: Context, options: JournalPlace): Promise<Journal> {
  return await context.world.openJournal(journalPath(context, options), { readOnly: true }).catch(async (error) => {
    if (!(error instanceof PortError && error.code === 'not-found')) throw error;
    throw (await lostJournal(context, options)) ?? error;
  });
}

/** Where there is no journal, and something was started all the same: what is left of it beside, and what can be done. null: nothing. */
async function lostJournal(context: Context, options: JournalPlace): Promise<CliError | null> {
  const place = journalPath(context, options);
  const stateDirectory = dirname(place);
  const strays = straysOf(await besideJournal(context, stateDirectory), []);
  if (strays.length === 0) return null;
  const words = strays.map((stray) => strayWords(stray, stateDirectory, commandAt(options)));
  return new CliError(
    [`there is no journal at ${place}`, ...words.map(({ what }) => what)].join('\n  '),
    words.map(({ remedy }) => remedy).join('\n  '),
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
