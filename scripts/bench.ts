// npm run bench [-- NAME [WORD…] [--option [NUMBER]]…]: without a name, the list of benches; with one, runs it and prints its figures.
import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Asked, type Bench, isBench } from '../bench/frame/bench.ts';
import { closeAll } from '../bench/frame/closing.ts';
import { describeGoals } from '../bench/frame/goals.ts';
import { describeCommit, describeLoad, describeMachine } from '../bench/frame/machine.ts';
import { duration } from '../bench/frame/table.ts';
import { endOnSignals } from './interruption.ts';

/** What was asked for cannot be done, and why. */
class Wrong extends Error {}

const directory = join(import.meta.dirname, '..', 'bench');
const [name, ...args] = process.argv.slice(2);
try {
  process.exitCode = name === undefined || name === '--help' ? await list() : await run(name, args);
} catch (error) {
  if (!(error instanceof Wrong)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

async function list(): Promise<0> {
  for (const one of await names()) {
    const { about, options, cases } = await load(one);
    console.log(`${one}\n    ${about}`);
    for (const [flag, { about: what, otherwise, isFlag }] of Object.entries(options))
      console.log(`    --${flag}${isFlag ? '' : ` ${otherwise}`}: ${what}`);
    if (cases.length > 0) console.log(`    WORD…: only ${cases.join(', ')}`);
  }
  console.log('\nnpm run bench -- NAME [WORD…] [--option [NUMBER]]…');
  return 0;
}

/** 2: a goal was missed. */
async function run(one: string, given: readonly string[]): Promise<0 | 2> {
  const known = await names();
  if (!known.includes(one)) throw new Wrong(`there is no bench ${one}; there are ${known.join(', ')}`);
  const bench = await load(one);
  const { numbers, words } = parse(bench, given);
  const asked = askedOf(bench, one, numbers, words);
  const line = [one, ...words, ...Object.entries(numbers).flatMap(([flag, value]) => asTyped(bench, flag, value))];
  console.log(`npm run bench -- ${line.join(' ')}`);
  console.log(`machine: ${describeMachine()}`);
  console.log(`commit:  ${describeCommit()}`);
  console.log(`load:    ${describeLoad()} before\n`);
  const startedAt = performance.now();
  const unlessInterrupted = endOnSignals(closeAll);
  const goals = await bench.run(asked, (text) => console.log(text)).finally(unlessInterrupted);
  const seconds = (performance.now() - startedAt) / 1000;
  if (goals.length > 0) console.log(`\n${describeGoals(goals)}`);
  console.log(`\nload:    ${describeLoad()} after; took ${duration(seconds)}`);
  return goals.every(({ met }) => met) ? 0 : 2;
}

function asTyped({ options }: Bench, flag: string, value: number): string[] {
  if (options[flag]?.isFlag) return value === 0 ? [] : [`--${flag}`];
  return [`--${flag} ${value}`];
}

async function names(): Promise<string[]> {
  const files = await Array.fromAsync(glob('*.ts', { cwd: directory }));
  return files.map((file) => basename(file, '.ts')).sort();
}

async function load(one: string): Promise<Bench> {
  const file = join(directory, `${one}.ts`);
  const { bench }: { readonly bench?: unknown } = await import(file);
  if (!isBench(bench)) throw new Error(`${file} exports no bench: see bench/frame/bench.ts`);
  return bench;
}

type Given = { readonly numbers: Readonly<Record<string, number>>; readonly words: readonly string[] };

function parse(bench: Bench, given: readonly string[]): Given {
  const options = Object.fromEntries(
    Object.entries(bench.options).map(([flag, { isFlag }]) => [flag, { type: isFlag ? 'boolean' : 'string' } as const]),
  );
  const { values, positionals } = orWrong(() => parseArgs({ args: [...given], options, allowPositionals: true }));
  const numbers = Object.entries(bench.options).map(([flag, { otherwise }]) => [
    flag,
    number(flag, values[flag], otherwise),
  ]);
  return { numbers: Object.fromEntries(numbers), words: positionals };
}

function askedOf(bench: Bench, one: string, numbers: Given['numbers'], words: readonly string[]): Asked {
  for (const word of words) {
    if (bench.cases.some((name) => name.includes(word))) continue;
    const there = bench.cases.length === 0 ? 'it takes no words' : `there are ${bench.cases.join(', ')}`;
    throw new Wrong(`${one} has no case ${word}; ${there}`);
  }
  // The whole name of a case means this one, and not those that have it in theirs.
  const chosen = (name: string, word: string) => (bench.cases.includes(word) ? name === word : name.includes(word));
  const cases = bench.cases.filter((name) => words.length === 0 || words.some((word) => chosen(name, word)));
  const option = (flag: string): number => {
    const value = numbers[flag];
    if (value === undefined) throw new Error(`${one} reads --${flag} and does not declare it`);
    return value;
  };
  return { number: option, cases };
}

function orWrong<T>(parsing: () => T): T {
  try {
    return parsing();
  } catch (error) {
    throw new Wrong(error instanceof Error ? error.message : String(error));
  }
}

function number(flag: string, text: unknown, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (text === true) return 1;
  const value = Number(text);
  if (text === '' || !Number.isFinite(value) || value < 0) throw new Wrong(`--${flag} takes a number, not "${text}"`);
  return value;
}
