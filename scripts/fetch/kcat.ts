import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const kcat: DebianProgram = {
  package: 'kcat',
  program: 'usr/bin/kcat',
  probe: ['-V'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'kcat'),
};

/** Path of a kcat (librdkafka's producer and consumer) that starts, as fetchHaproxy has a HAProxy. Rejects with NotFetched. */
export function fetchKcat(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(kcat, say, signal);
}
