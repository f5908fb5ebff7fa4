import { readdirSync, readFileSync } from 'node:fs';

export type Marked = { readonly pid: number; readonly commandLine: string; readonly leads: boolean };

/**
 * Every living process with `MARK=<mark>` in its environment. Reads /proc with no code of the provider, so that what the
 * provider does not see is seen here.
 */
export function findMarked(mark: string): Marked[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const environment = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
        const commandLine = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').join(' ').trim();
        const session = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[3];
        if (!environment.includes(`MARK=${mark}`)) return [];
        return [{ pid: Number(entry), commandLine, leads: session === entry }];
      } catch {
        // It ended meanwhile, or belongs to somebody else.
        return [];
      }
    });
}
