import { Command } from 'commander';
import { expect, test } from 'vitest';
import { bashScript } from '../../src/cli/completion/bash.ts';
import { fishScript } from '../../src/cli/completion/fish.ts';
import { commandTree } from '../../src/cli/completion/tree.ts';
import { zshScript } from '../../src/cli/completion/zsh.ts';
import type { Context } from '../../src/cli/context.ts';
import { buildProgram } from '../../src/cli/program.ts';

const tree = commandTree(buildProgram({} as Context));
const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

test.each(Object.entries(scripts))('every verb and every option is in the script for %s', (_, script) => {
  const text = script(tree);
  expect(tree.verbs.map(({ name }) => name)).toEqual(expect.arrayContaining(['plan', 'journal export', 'completion']));
  for (const { name, options } of tree.verbs) {
    for (const word of name.split(' ')) expect(text).toContain(word);
    for (const { flag } of options) {
      expect(text).toMatch(new RegExp(`(?:--|-l )${flag.slice(2)}\\b`));
    }
  }
});

/** Between quotes a shell of this kind takes everything for text. */
const quotes = { bash: /'[^']*'|\\'/g, zsh: /'[^']*'|\\'/g, fish: /'(?:[^'\\]|\\.)*'/g };

test.each(['bash', 'zsh', 'fish'] as const)(
  'whatever a description says, it stays within its quotes in %s',
  (shell) => {
    const program = new Command('drover');
    program
      .command('show')
      .description('it\'s `id` $(id) "x" [y] a:b \\ ;')
      .option('--of <FILE>', 'what\'s `id` $(id) "x" [y] a:b \\ ;');
    const text = scripts[shell](commandTree(program));
    expect(text).toContain('show');
    expect(text.replace(quotes[shell], '')).not.toMatch(/\$\(id\)|`id`/);
  },
);

test('a word for a value that nobody has thought of is a mistake, told by its name', () => {
  const program = new Command('drover');
  program.command('show').argument('<THING>', 'something');
  expect(() => commandTree(program)).toThrow('what completes THING?');
});
