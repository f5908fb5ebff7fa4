import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const ab: DebianProgram = {
  package: 'apache2-utils',
  program: 'usr/bin/ab',
  probe: ['-V'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'ab'),
};

/** Path of an ab (the load generator of Apache) that starts, as fetchHaproxy has one of HAProxy. Rejects with NotFetched. */
export function fetchAb(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(ab, say, signal);
}
