import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const unbound: DebianProgram = {
  package: 'unbound',
  program: 'usr/sbin/unbound',
  probe: ['-V'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'unbound'),
};

/** Path of an Unbound that starts, as fetchHaproxy has one of HAProxy. Rejects with NotFetched. */
export function fetchUnbound(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(unbound, say, signal);
}
