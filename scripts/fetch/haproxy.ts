import { join } from 'node:path';
import { type DebianProgram, fetchProgram, findProgram, NotFetched } from './debian.ts';

const haproxy: DebianProgram = {
  package: 'haproxy',
  program: 'usr/sbin/haproxy',
  probe: ['-v'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'haproxy'),
};

/**
 * Path of a HAProxy that starts: on PATH, else in `.cache/haproxy` of the checkout, else fetched there. Rejects with
 * NotFetched (no apt, no network) so that a caller can report what it did not run.
 */
export function fetchHaproxy(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(haproxy, say, signal);
}

/** As fetchHaproxy, but only what is there already; null: none. */
export function findHaproxy(): Promise<string | null> {
  return findProgram(haproxy);
}

if (import.meta.main) {
  try {
    console.log(await fetchHaproxy());
  } catch (error) {
    if (!(error instanceof NotFetched)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
