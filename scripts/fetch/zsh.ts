import { join } from 'node:path';
import { type DebianProgram, fetchProgram } from './debian.ts';

const zsh: DebianProgram = {
  package: 'zsh',
  program: 'bin/zsh',
  data: ['zsh-common'],
  probe: ['--version'],
  cache: join(import.meta.dirname, '..', '..', '.cache', 'zsh'),
};

/** Path of a zsh that starts, as fetchHaproxy; a fetched one has its functions and modules in `unpacked` beside it. */
export function fetchZsh(
  say: (line: string) => void = console.error,
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  return fetchProgram(zsh, say, signal);
}
