import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../../core/fleet/config.ts';
import { PortError } from '../../engine/ports.ts';
import { CliError, type Context, type Journal } from '../context.ts';

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
  config: Config,
  path: string | undefined,
): Promise<{ readonly journal: Journal | null; readonly stateDirectory: string }> {
  const place = placeOf(context, config, path);
  const journal = await context.world.openJournal(place, { readOnly: true }).catch((error: unknown) => {
    if (error instanceof PortError && error.code === 'not-found') return null;
    throw error;
  });
  return { journal, stateDirectory: dirname(place) };
}

/** The journal that a verb writes to, made where there is none yet. Throws PortError. */
export async function openJournalOf(context: Context, config: Config, path: string | undefined): Promise<OpenJournal> {
  const place = placeOf(context, config, path);
  const stateDirectory = dirname(place);
  const journal = await context.world.openJournal(place, { readOnly: false });
  return { journal, stateDirectory, controlSocket: join(stateDirectory, 'control.sock') };
}

/** The same for what can only be said to a rollout that there is: no journal is made for it. Throws PortError and CliError. */
export async function openExisting(context: Context, config: Config, path: string | undefined): Promise<OpenJournal> {
  const place = placeOf(context, config, path);
  if (existsSync(place)) return openJournalOf(context, config, path);
  throw new CliError(
    `nothing was started here yet: there is no journal at ${place}`,
    'name another one with --journal PATH, or its configuration with --config FILE; `drover apply` begins one',
  );
}

function placeOf(context: Context, config: Config, path: string | undefined): string {
  return path === undefined ? join(config.directory, '.drover', 'journal.db') : resolve(context.directory, path);
}
