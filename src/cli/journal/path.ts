import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Context } from '../context.ts';
import { configFileName } from '../load-config.ts';

export type JournalPlace = { readonly journal?: string | undefined; readonly config?: string | undefined };

/**
 * `--journal`, else `.drover/journal.db` beside the configuration. The configuration is not read: a mistake in it, or its
 * absence, must not keep anybody from the journal.
 */
export function journalPath({ directory }: Pick<Context, 'directory'>, { journal, config }: JournalPlace): string {
  if (journal !== undefined) return resolve(directory, journal);
  const beside = config === undefined ? configDirectory(directory) : dirname(resolve(directory, config));
  return join(beside, '.drover', 'journal.db');
}

/** The nearest directory with a configuration, from `directory` upwards; `directory` where there is none. */
function configDirectory(directory: string): string {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (existsSync(join(at, configFileName))) return at;
    if (dirname(at) === at) return directory;
  }
}
