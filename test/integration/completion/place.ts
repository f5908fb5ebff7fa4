import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { checkout } from '../../../scripts/test/child.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { contextInMemory } from '../../made/context.ts';

export type Place = { readonly directory: string; readonly env: Record<string, string>; close(): void };

/** A directory to complete in, with `drover` on PATH, as an installed package has it. */
export function openPlace(shell: 'bash' | 'zsh' | 'fish'): Place {
  const directory = mkdtempSync(join(tmpdir(), `drover-completion-${shell}-`));
  const bin = mkdtempSync(join(tmpdir(), 'drover-completion-bin-'));
  symlinkSync(join(checkout, 'bin', 'drover.mjs'), join(bin, 'drover'));
  const { context, told } = contextInMemory({});
  buildProgram(context).parse(['completion', shell], { from: 'user' });
  writeFileSync(join(bin, 'drover-completions'), told.text);
  writeFileSync(join(directory, 'drover.yaml'), fleet(['query', 'web-2'], ['first', 'queries']));
  writeFileSync(join(directory, 'other.yaml'), fleet(['mail'], []));
  writeFileSync(join(directory, 'unfinished.yaml'), 'services:\n  query: {}\n  web: { origin: [\n');
  writeFileSync(join(directory, 'hostile.yaml'), fleet(hostileNames, []));
  writeFileSync(join(directory, 'windows.csv'), '');
  mkdirSync(join(directory, 'folder'));
  const path = [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  return {
    directory,
    env: { PATH: path, HOME: directory, TERM: 'vt100', LC_ALL: 'C.UTF-8', SCRIPT: join(bin, 'drover-completions') },
    close() {
      for (const each of [directory, bin]) rmSync(each, { recursive: true, force: true });
    },
  };
}

/** A shell would run them, or take them for several words, or for an option. */
const hostileNames = ['$(touch pwned)', '`touch pwned`', '; touch pwned', 'a b', '-rf', '*', '~', 'good'];

function fleet(services: readonly string[], waves: readonly string[]): string {
  return `services:\n${services.map((name) => `  ${JSON.stringify(name)}: {}\n`).join('')}waves:\n${waves
    .map((name) => `  - name: ${name}\n`)
    .join('')}`;
}

const verbs = buildProgram(contextInMemory({}).context).commands.map((command) => command.name());

/** What is typed, and what the key offers then: the same in each shell. */
export const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['drover ', verbs],
  ['drover pl', ['plan']],
  ['drover --v', ['--version']],
  ['drover plan ', ['query', 'web-2']],
  ['drover plan query w', ['web-2']],
  ['drover plan --js', ['--json']],
  ['drover plan --wave ', ['first', 'queries']],
  ['drover plan --wave=f', ['first']],
  ['drover plan --wave first q', ['query']],
  ['drover hold ', ['query', 'web-2']],
  ['drover hold --reason ', []],
  ['drover judge w', ['windows.csv']],
  ['drover judge --html w', ['windows.csv']],
  ['drover judge --objective ', []],
  ['drover demo --balancer ', ['auto', 'embedded', 'haproxy']],
  ['drover demo --keep ', ['folder/']],
  ['drover completion ', ['bash', 'fish', 'zsh']],
  ['drover journal ', ['export', 'verify']],
  ['drover journal export w', ['windows.csv']],
  ['drover journal export --j', ['--journal', '--json']],
  ['drover journal --journal windows.csv v', ['verify']],
  ['drover status --config o', ['other.yaml']],
  ['drover plan --config other.yaml ', ['mail']],
  ['drover plan --config=other.yaml ', ['mail']],
  ['drover plan --config ~/other.yaml ', ['mail']],
  ['drover plan --config nosuch.yaml ', []],
  ['drover plan --config folder ', []],
  ['drover plan --config windows.csv ', []],
  ['drover plan --config unfinished.yaml q', ['query']],
  ['drover plan --config hostile.yaml ', ['good']],
];

/** Without what shells add: the option that a value belongs to, and the end of a folder's name. */
export function plain(offered: readonly string[]): string[] {
  return [...new Set(offered.map((word) => word.replace(/^--[a-z]+=/, '').replace(/\/$/, '')))].sort();
}
