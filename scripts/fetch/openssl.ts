import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const openssl: DebianProgram = {
  package: 'openssl',
  program: 'usr/bin/openssl',
  probe: ['version'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'openssl'),
};

/** Path of an openssl that starts, as fetchHaproxy has a HAProxy. Rejects with NotFetched. */
export function fetchOpenssl(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(openssl, say, signal);
}
