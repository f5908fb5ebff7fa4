// npm run sim [-- --help]
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Entry } from '../src/core/journal/entry.ts';
import { compareOperations, exportLine } from '../src/core/journal/export.ts';
import { account, clock } from '../src/sim/account.ts';
import type { Violation } from '../src/sim/checks/violation.ts';
import { worldsCounted } from '../src/sim/crashes.ts';
import type { Mutation } from '../src/sim/engine.ts';
import { type FaultName, faultNames, type OperatorAct, operatorActs } from '../src/sim/faults.ts';
import { mutations } from '../src/sim/mutations.ts';
import { type Outcome, simulate } from '../src/sim/run.ts';
import { drawScenario, type Narrowing, type Scenario } from '../src/sim/scenario.ts';
import { shrink } from '../src/sim/shrink.ts';
import { addSummary, assertionsOver, newTally, type Summary, seedsForCoverage, type Tally } from '../src/sim/swarm.ts';
import { type Asked, askedBy, Wrong } from './sim/asked.ts';
import { simulateMovers, simulateOperations } from './sim/of-copies.ts';

const usage = `npm run sim [-- OPTIONS]: the real rules and the real loop in worlds that are drawn from a seed (docs/internals/simulator.md)

  --seed N            one world, or the first of many (default 1)
  --seeds N           so many, from the first on; from 5,000 on what has to hold over all of them is asserted
  --kafka, --copies   the movers of Kafka data, or copies of it with their operators, instead of rollouts
  --verbose           the whole story; of many, what was reached how often
  --shrink            the smallest world of a seed that breaks the same rule
  --without FAULT,…   without these faults          --heal-at MS   nothing goes wrong from then on
  --mutation NAME     a product that is known to be bad
  --keep NAME --why TEXT   keep the world in test/seeds
  --export FILE       its journal                   --json FILE    the result
  --workers N         processes at a time           --pairs        count where controllers may die

Examples:
  npm run sim -- --seeds 5000
  npm run sim -- --seed 763 --shrink
  npm run sim -- --seed 190 --mutation "marker ignored" --shrink`;

try {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  const kind = args.find((arg) => arg === '--kafka' || arg === '--copies');
  const rest = args.filter((arg) => arg !== kind);
  if (kind === undefined) process.exitCode = await rollouts(askedBy(args));
  else process.exitCode = await (kind === '--kafka' ? simulateMovers(rest) : simulateOperations(rest));
} catch (error) {
  if (!(error instanceof Wrong)) throw error;
  console.error(`sim: ${error.message}`);
  process.exitCode = 1;
}

async function rollouts(asked: Asked): Promise<0 | 1> {
  return asked.seeds === null ? await one(asked) : await many(asked, asked.seeds);
}

async function one(asked: Asked): Promise<0 | 1> {
  const mutation = asked.mutation === null ? null : chosenMutation(asked.mutation);
  console.log(`seed ${asked.first}`);
  const { narrowing, outcome } = asked.shrink ? await shrunk(asked.first, mutation) : await narrowed(asked, mutation);
  console.log(account(outcome, asked.verbose ? Number.POSITIVE_INFINITY : 40, { ...narrowing, mutation }));
  if (asked.keep !== null) await keep(asked.keep, asked.why, outcome.scenario, outcome.violation);
  if (asked.exportTo !== null) await exportTo(asked.exportTo, outcome.run.durable.chains);
  await report(asked, outcome.violation === null ? 1 : 0, outcome.violation === null ? 0 : 1);
  return outcome.violation === null ? 0 : 1;
}

type Found = { readonly narrowing: Narrowing; readonly outcome: Outcome };

async function narrowed({ first, without, healAtMs }: Asked, mutation: Mutation | null): Promise<Found> {
  const narrowing = { without: known(without), ...(healAtMs === null ? {} : { healAtMs }) };
  return { narrowing, outcome: await simulate(drawScenario(first, narrowing), mutation) };
}

/** The smallest world that shows the same, and a line that says how it was found. */
async function shrunk(seed: number, mutation: Mutation | null = null): Promise<Found> {
  const found = await shrink(seed, mutation);
  if (found === null) throw new Wrong(`seed ${seed} breaks no rule: there is nothing to shrink`);
  const { narrowing, outcome, runs } = found;
  const faults = Object.keys(outcome.scenario.faults).length;
  console.log(
    `shrunk in ${runs} runs to ${faults} of ${faults + narrowing.without.length} faults, healed after ${clock(outcome.scenario.healAtMs)}`,
  );
  return found;
}

async function many(asked: Asked, wanted: number): Promise<0 | 1> {
  const { first } = asked;
  if (asked.pairs && wanted < seedsForCoverage)
    throw new Wrong(`--pairs takes at least ${seedsForCoverage} worlds: fewer do not tell how rare a pair is`);
  console.log(`seeds ${first} to ${first + wanted - 1}`);
  const startedAt = performance.now();
  const tally = newTally();
  const broken: Summary[] = [];
  await simulateAll(asked, wanted, (summary) => {
    addSummary(tally, summary);
    if (summary.violation !== null) broken.push(summary);
  });
  broken.sort((one, other) => one.seed - other.seed);
  for (const { seed } of broken.slice(0, 3)) {
    console.log('');
    const { narrowing, outcome } = await shrunk(seed);
    console.log(`${account(outcome, 40, narrowing)}\n`);
  }
  for (const { seed, violation } of broken.slice(3))
    console.log(`seed ${seed} breaks "${violation?.check}": ${violation?.text}`);
  if (asked.verbose) printCoverage(tally);
  if (asked.pairs) await writePairs(tally);
  const unmet = printAssertions(tally, wanted);
  const seconds = (performance.now() - startedAt) / 1000;
  const simulated = tally.summaries.reduce((sum, one) => sum + one.simulatedMs, 0) / 1000;
  const passed = wanted - broken.length;
  console.log(
    `sim: ${passed} of ${wanted} seeds passed, ${unmet} assertions over all of them failed; ${(simulated / 3600).toFixed(0)} hours in ${seconds.toFixed(0)} s: ${Math.round(simulated / seconds)} simulated seconds per second`,
  );
  await report(asked, passed, broken.length + unmet);
  return broken.length + unmet === 0 ? 0 : 1;
}

/** Hands out small lists, so that no worker is left with the long worlds. */
async function simulateAll(
  { first, workers: asked }: Asked,
  wanted: number,
  take: (summary: Summary) => void,
): Promise<void> {
  let next = first;
  const end = first + wanted;
  const workers = asked ?? Math.min(availableParallelism(), 8);
  const serve = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./sim/worker.ts', import.meta.url));
      const feed = (): void => {
        if (next >= end) {
          void worker.terminate().then(() => resolve(), reject);
          return;
        }
        const list = Array.from({ length: Math.min(20, end - next) }, (_, index) => next + index);
        next += list.length;
        worker.postMessage(list);
      };
      worker.on('message', (summaries: Summary[]) => {
        for (const summary of summaries) take(summary);
        feed();
      });
      worker.on('error', reject);
      feed();
    });
  await Promise.all(Array.from({ length: workers }, serve));
}

function printAssertions(tally: Tally, wanted: number): number {
  const asserted = wanted >= seedsForCoverage;
  let unmet = 0;
  for (const { name, holds, found } of assertionsOver(tally)) {
    if (asserted && !holds) unmet++;
    console.log(`  ${holds ? 'yes' : asserted ? 'NO ' : 'not yet'}  ${name}: ${found}`);
  }
  if (!asserted) console.log(`  (asserted from ${seedsForCoverage} seeds on)`);
  return unmet;
}

function printCoverage({ coverage, summaries }: Tally): void {
  const ends: Record<string, number> = {};
  for (const { end, cause } of summaries) {
    const key = `${end ?? 'no end'}${cause === null ? '' : `, ${cause}`}`;
    ends[key] = (ends[key] ?? 0) + 1;
  }
  for (const [title, table] of Object.entries({ ends, ...coverage })) {
    console.log(`\n${title}`);
    const rows = Object.entries(table).sort(([, one], [, other]) => other - one);
    for (const [name, times] of rows) console.log(`  ${String(times).padStart(7)}  ${name}`);
  }
  console.log('');
}

/** Keeps the whole scenario: the seed alone would mean another world when worlds are drawn in another way. */
async function keep(name: string, said: string | null, scenario: Scenario, violation: Violation | null): Promise<void> {
  const why = said ?? (violation === null ? null : `${violation.check}: ${violation.text}`);
  if (why === null) throw new Wrong('--keep of a run in which nothing is wrong needs --why TEXT: what went wrong once');
  const file = `test/seeds/${name}.json`;
  await mkdir('test/seeds', { recursive: true });
  await writeFile(file, `${JSON.stringify({ why, scenario }, null, 2)}\n`);
  console.log(`kept as ${file}`);
}

/** As `drover journal export` writes it. */
async function exportTo(file: string, chains: ReadonlyMap<string, readonly Entry[]>): Promise<void> {
  const inOrder = [...chains].sort(([one], [other]) => compareOperations(one, other));
  const lines = inOrder.flatMap(([, entries]) => entries.map((entry) => `${exportLine(entry)}\n`));
  await writeFile(file, lines.join(''));
  console.log(`${lines.length} entries exported to ${file}`);
}

/** What `src/sim/crashes.ts` plans deaths by. */
async function writePairs({ coverage, summaries }: Tally): Promise<void> {
  const rows = Object.entries(coverage.pairs)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, worlds]) => `  '${key}': ${Math.ceil((worlds * worldsCounted) / summaries.length)},\n`);
  await writeFile('src/sim/pairs.ts', pairsFile(rows));
  console.log(`${rows.length} pairs counted into src/sim/pairs.ts`);
}

/** A function, because this module is still at its first line when a run ends. */
function pairsFile(rows: readonly string[]): string {
  return `/**
 * How many of ${worldsCounted} worlds come through a pair of state and crash point before they are healed. Counted, not chosen:
 *
 *     npm run sim -- --seeds ${seedsForCoverage} --pairs
 */
export const worldsByPair: Readonly<Record<string, number>> = {
${rows.join('')}};
`;
}

async function report({ json }: Asked, passed: number, failed: number): Promise<void> {
  if (json !== null) await writeFile(json, `${JSON.stringify({ passed, failed })}\n`);
}

function chosenMutation(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation !== undefined) return mutation;
  throw new Wrong(
    `--mutation ${name}: there is none of that name; there are ${mutations.map((one) => one.name).join('; ')}`,
  );
}

function known(without: readonly string[]): (FaultName | OperatorAct)[] {
  const names: readonly string[] = [...faultNames, ...operatorActs];
  for (const name of without) {
    if (!names.includes(name))
      throw new Wrong(`--without ${name}: there is no such fault; there are ${names.join(', ')}`);
  }
  return without as (FaultName | OperatorAct)[];
}
