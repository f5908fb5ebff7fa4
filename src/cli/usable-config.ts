import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Config } from '../core/fleet/config.ts';
import { liesBeside } from './back/beside.ts';
import type { Place } from './command-at.ts';
import { CliError, type Context } from './context.ts';
import { journalPath } from './journal/path.ts';
import { loadConfig, readConfig } from './load-config.ts';

/**
 * For verbs that need the state directory and no more: the configuration, or null where it cannot be used, which is said in
 * one line on standard error. Throws CliError where nothing was started beside it either.
 */
export async function usableConfig(context: Context, place: Place): Promise<Config | null> {
  const journal = journalPath(context, place);
  const isStarted =
    existsSync(journal) || existsSync(join(dirname(journal), 'control.sock')) || (await liesBeside(dirname(journal)));
  if (!isStarted) return (await loadConfig(context, place.config)).config;
  let why: string;
  try {
    const { file, parsed } = await readConfig(context, place.config);
    if (parsed.ok) return parsed.config;
    const [first] = parsed.problems;
    const count = parsed.problems.length === 1 ? 'a problem' : `${parsed.problems.length} problems`;
    why = `${file} has ${count} (line ${first?.line}: ${first?.message}; \`drover check\` tells all)`;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    why = error.message;
  }
  context.stderr.write(`drover: ${why}: going on by the state directory alone\n`);
  return null;
}
