import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const fish: DebianProgram = {
  package: 'fish',
  program: 'usr/bin/fish',
  data: ['fish-common'],
  probe: ['--version'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'fish'),
};

/** Path of a fish that starts, as fetchHaproxy; a fetched one has its functions in `unpacked` beside it. */
export function fetchFish(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(fish, say, signal);
}
