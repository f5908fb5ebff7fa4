// npm run sim [-- --seed N --seeds N --json FILE --verbose --mutation NAME --shrink --without FAULT,… --heal-at MS --keep NAME --why TEXT --export FILE]
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Entry } from '../src/core/journal/entry.ts';
import { compareOperations, exportLine } from '../src/core/journal/export.ts';
import { account, clock } from '../src/sim/account.ts';
import type { Violation } from '../src/sim/checks/violation.ts';
import type { Mutation } from '../src/sim/engine.ts';
import { type FaultName, faultNames, type OperatorAct, operatorActs } from '../src/sim/faults.ts';
import { mutations } from '../src/sim/mutations.ts';
import { type Outcome, simulate } from '../src/sim/run.ts';
import { drawScenario, type Narrowing, type Scenario } from '../src/sim/scenario.ts';
import { shrink } from '../src/sim/shrink.ts';
import { addSummary, assertionsOver, newTally, type Summary, seedsForCoverage, type Tally } from '../src/sim/swarm.ts';

/** What was asked for cannot be done, and why. */
class Wrong extends Error {}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string' },
    json: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    mutation: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    without: { type: 'string' },
    'heal-at': { type: 'string' },
    keep: { type: 'string' },
    why: { type: 'string' },
    export: { type: 'string' },
    workers: { type: 'string' },
  },
});
let first = 1;
try {
  first = count('--seed', values.seed);
  process.exitCode = values.seeds === undefined ? await one() : await many(count('--seeds', values.seeds));
} catch (error) {
  if (!(error instanceof Wrong)) throw error;
  console.error(`sim: ${error.message}`);
  process.exitCode = 1;
}

async function one(): Promise<0 | 1> {
  console.log(`seed ${first}`);
  const mutation = values.mutation === undefined ? null : chosenMutation(values.mutation);
  const { narrowing, outcome } = values.shrink ? await shrunk(first, mutation) : await narrowed(mutation);
  console.log(account(outcome, values.verbose ? Number.POSITIVE_INFINITY : 40, narrowing));
  if (values.keep !== undefined) await keep(values.keep, outcome.scenario, outcome.violation);
  if (values.export !== undefined) await exportTo(values.export, outcome.run.durable.chains);
  await report(outcome.violation === null ? 1 : 0, outcome.violation === null ? 0 : 1);
  return outcome.violation === null ? 0 : 1;
}

type Found = { readonly narrowing: Narrowing; readonly outcome: Outcome };

async function narrowed(mutation: Mutation | null): Promise<Found> {
  const healAt = values['heal-at'] === undefined ? {} : { healAtMs: count('--heal-at', values['heal-at']) };
  const narrowing = { without: faultsLeftOut(), ...healAt };
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

async function many(wanted: number): Promise<0 | 1> {
  console.log(`seeds ${first} to ${first + wanted - 1}`);
  const startedAt = performance.now();
  const tally = newTally();
  const broken: Summary[] = [];
  await simulateAll(wanted, (summary) => {
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
  if (values.verbose) printCoverage(tally);
  const unmet = printAssertions(tally, wanted);
  const seconds = (performance.now() - startedAt) / 1000;
  const simulated = tally.summaries.reduce((sum, one) => sum + one.simulatedMs, 0) / 1000;
  const passed = wanted - broken.length;
  console.log(
    `sim: ${passed} of ${wanted} seeds passed, ${unmet} assertions over all of them failed; ${(simulated / 3600).toFixed(0)} hours in ${seconds.toFixed(0)} s: ${Math.round(simulated / seconds)} simulated seconds per second`,
  );
  await report(passed, broken.length + unmet);
  return broken.length + unmet === 0 ? 0 : 1;
}

/** Hands out small lists, so that no worker is left with the long worlds. */
async function simulateAll(wanted: number, take: (summary: Summary) => void): Promise<void> {
  let next = first;
  const end = first + wanted;
  const workers =
    values.workers === undefined ? Math.min(availableParallelism(), 8) : count('--workers', values.workers);
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
async function keep(name: string, scenario: Scenario, violation: Violation | null): Promise<void> {
  const why = values.why ?? (violation === null ? undefined : `${violation.check}: ${violation.text}`);
  if (why === undefined)
    throw new Wrong('--keep of a run in which nothing is wrong needs --why TEXT: what went wrong once');
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

async function report(passed: number, failed: number): Promise<void> {
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ passed, failed })}\n`);
}

function chosenMutation(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation !== undefined) return mutation;
  throw new Wrong(
    `--mutation ${name}: there is none of that name; there are ${mutations.map((one) => one.name).join('; ')}`,
  );
}

function faultsLeftOut(): (FaultName | OperatorAct)[] {
  const known: readonly string[] = [...faultNames, ...operatorActs];
  const names = values.without === undefined ? [] : values.without.split(',');
  for (const name of names) {
    if (!known.includes(name))
      throw new Wrong(`--without ${name}: there is no such fault; there are ${known.join(', ')}`);
  }
  return names as (FaultName | OperatorAct)[];
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Wrong(`${option} takes a whole number, not "${text}"`);
}
