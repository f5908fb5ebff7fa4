import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { buildProgram } from '../../src/cli/program.ts';

const checkout = join(import.meta.dirname, '..', '..');
const program = buildProgram({} as Context);
const verbs = program.commands.flatMap((command) => [command, ...command.commands]);

/** A file, a script, or further verbs are what it is about. */
const withoutFacts: ReadonlySet<string> = new Set(['init', 'completion', 'kafka']);
const verbsWithFacts = verbs.filter((verb) => !withoutFacts.has(nameOf(verb)));

test('the verbs are there', () => {
  const names = program.commands.map((command) => command.name());
  expect(names).toEqual(
    expect.arrayContaining(['observe', 'init', 'check', 'doctor', 'plan', 'apply', 'watch', 'back']),
  );
});

describe.each(verbs.map((verb) => [nameOf(verb), verb] as const))('%s --help', (name, verb) => {
  const help = helpOf(verb);

  test('says what it does, when it ends with which status, and shows examples that are its own', () => {
    expect(verb.description()).not.toBe('');
    expect(help).toMatch(/^Exit status/m);
    const [, examples = ''] = help.split(/^Examples:$/m);
    expect(examples).toContain(`drover ${name}`);
    for (const option of verb.options) expect(option.description, option.flags).not.toBe('');
  });

  test('the examples know no option that the verb has not', () => {
    const [, examples = ''] = help.split(/^Examples:$/m);
    for (const line of examples.split('\n').filter((each) => each.includes('drover '))) {
      for (const [, verbName = '', words = ''] of line.matchAll(/drover (\w+(?: \w+)?)([^|&;>]*)/g)) {
        const known = optionsOf(verbName);
        for (const [flag] of words.matchAll(/--[a-z-]+/g)) expect(known, `${flag} in ${line.trim()}`).toContain(flag);
      }
    }
  });

  test('no line is wider than 120 columns', () => {
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(120);
  });
});

test.each(verbsWithFacts.map((verb) => [nameOf(verb), verb] as const))(
  'the facts of %s can be had as JSON, and the page that describes it is there',
  (_, verb) => {
    const json = verb.options.find((option) => option.long === '--json');
    const page = /docs\/reference\/[\w-]+\.md/.exec(json?.description ?? '')?.[0] ?? 'no page';
    expect(existsSync(join(checkout, page)), page).toBe(true);
  },
);

function nameOf(verb: Command): string {
  return verb.parent === null || verb.parent === program ? verb.name() : `${verb.parent.name()} ${verb.name()}`;
}

function helpOf(verb: Command): string {
  let text = '';
  verb.configureOutput({
    writeOut: (more) => {
      text += more;
    },
    getOutHelpWidth: () => 100,
  });
  verb.outputHelp();
  return text;
}

/** Of the verb that an example begins with: `journal verify`, or `why` where the second word is an argument. */
function optionsOf(words: string): string[] {
  const found =
    verbs.find((verb) => nameOf(verb) === words) ?? verbs.find((verb) => nameOf(verb) === words.split(' ')[0]);
  if (found === undefined) throw new Error(`there is no verb ${words}`);
  return [...found.options.flatMap((option) => option.long ?? []), '--help'];
}
