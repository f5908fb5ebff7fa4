import { mkdir, writeFile } from 'node:fs/promises';
import { accountOfOperation } from '../../src/sim/copies/account.ts';
import type { Mutation as OperationMutation } from '../../src/sim/copies/mutation.ts';
import { mutations as operationMutations } from '../../src/sim/copies/mutations.ts';
import { type CopyOutcome, simulateOperation } from '../../src/sim/copies/run.ts';
import {
  type CopyScenario,
  drawScenario as drawOperation,
  type Strike,
  strikeNames,
} from '../../src/sim/copies/scenario.ts';
import { shrinkOperation } from '../../src/sim/copies/swarm.ts';
import { accountOfCopy } from '../../src/sim/kafka/account.ts';
import type { Mutation } from '../../src/sim/kafka/mutation.ts';
import { mutations } from '../../src/sim/kafka/mutations.ts';
import type { KafkaOutcome } from '../../src/sim/kafka/outcome.ts';
import { simulateCopy } from '../../src/sim/kafka/run.ts';
import { drawScenario, type FaultName, faultNames, type KafkaScenario } from '../../src/sim/kafka/scenario.ts';
import { shrinkCopy } from '../../src/sim/kafka/swarm.ts';
import { parsedBy, Wrong, worldOptions } from './asked.ts';

/** One kind of world, as the command has it. */
type Simulator<Fault extends string, Mutation extends { readonly name: string }, Scenario, Outcome extends Ended> = {
  /** Kept worlds. */
  readonly folder: string;
  readonly faults: readonly Fault[];
  readonly mutations: readonly Mutation[];
  draw(seed: number, narrowing: Narrowing<Fault>): Scenario;
  simulate(scenario: Scenario, mutation: Mutation | null): Promise<Outcome & { readonly scenario: Scenario }>;
  shrink(
    seed: number,
    mutation: Mutation | null,
  ): Promise<{ narrowing: Narrowing<Fault>; outcome: Outcome & { readonly scenario: Scenario } } | null>;
  account(
    outcome: Outcome & { readonly scenario: Scenario },
    lines: number,
    repeated: Repeated<Fault, Mutation>,
  ): string;
  /** What there was of it, over all worlds. */
  amount(outcome: Outcome): number;
  readonly unit: string;
};

type Ended = { readonly violation: unknown; readonly simulatedMs: number };
type Narrowing<Fault> = { readonly without?: readonly Fault[]; readonly healAtMs?: number };
type Repeated<Fault, Mutation> = Narrowing<Fault> & { readonly mutation?: Mutation | null };

/** `npm run sim -- --kafka`: the process that moves the data. */
export function simulateMovers(args: readonly string[]): Promise<0 | 1> {
  return simulateWith<FaultName, Mutation, KafkaScenario, KafkaOutcome>(args, {
    folder: 'test/seeds/kafka',
    ...{ faults: faultNames, mutations, draw: drawScenario, simulate: simulateCopy, shrink: shrinkCopy },
    account: accountOfCopy,
    ...{ amount: ({ records }) => records, unit: 'records' },
  });
}

/** `npm run sim -- --copies`: the loop of its controllers. */
export function simulateOperations(args: readonly string[]): Promise<0 | 1> {
  return simulateWith<Strike, OperationMutation, CopyScenario, CopyOutcome>(args, {
    folder: 'test/seeds/copies',
    ...{ faults: strikeNames, mutations: operationMutations, draw: drawOperation, simulate: simulateOperation },
    ...{ shrink: shrinkOperation, account: accountOfOperation },
    ...{ amount: ({ entries }) => entries, unit: 'entries' },
  });
}

async function simulateWith<F extends string, M extends { readonly name: string }, S, O extends Ended>(
  args: readonly string[],
  simulator: Simulator<F, M, S, O>,
): Promise<0 | 1> {
  const asked = parsedBy(args, worldOptions);
  const first = count('--seed', asked.seed ?? '1');
  if (asked.seeds === undefined) return await one(simulator, first, asked);
  for (const name of ['mutation', 'without', 'heal-at', 'shrink', 'keep', 'why'] as const)
    if (asked[name] !== undefined) throw new Wrong(`--${name} is about one world: give --seed N without --seeds`);
  return await many(simulator, first, count('--seeds', asked.seeds));
}

type Values = ReturnType<typeof parsedBy<typeof worldOptions>>;

async function one<F extends string, M extends { readonly name: string }, S, O extends Ended>(
  simulator: Simulator<F, M, S, O>,
  seed: number,
  asked: Values,
): Promise<0 | 1> {
  console.log(`seed ${seed}`);
  const mutation = asked.mutation === undefined ? null : chosen('mutation', asked.mutation, simulator.mutations);
  const lines = asked.verbose === true ? Number.POSITIVE_INFINITY : 40;
  if (asked.shrink === true) {
    const found = await simulator.shrink(seed, mutation);
    if (found === null) throw new Wrong(`seed ${seed} breaks no rule: there is nothing to shrink`);
    console.log(simulator.account(found.outcome, lines, { ...found.narrowing, mutation }));
    if (asked.keep !== undefined) await keep(simulator.folder, asked.keep, asked.why, found.outcome.scenario);
    return 1;
  }
  const faults = simulator.faults.map((name) => ({ name }));
  const narrowing: Narrowing<F> = {
    without: (asked.without?.split(',') ?? []).map((name) => chosen('fault', name, faults).name),
    ...(asked['heal-at'] === undefined ? {} : { healAtMs: count('--heal-at', asked['heal-at']) }),
  };
  const outcome = await simulator.simulate(simulator.draw(seed, narrowing), mutation);
  console.log(simulator.account(outcome, lines, { ...narrowing, mutation }));
  if (asked.keep !== undefined) await keep(simulator.folder, asked.keep, asked.why, outcome.scenario);
  return outcome.violation === null ? 0 : 1;
}

/** Keeps the whole scenario: the seed alone would mean another world when worlds are drawn in another way. */
async function keep(folder: string, name: string, why: string | undefined, scenario: unknown): Promise<void> {
  if (why === undefined) throw new Wrong('--keep needs --why TEXT: what went wrong once');
  const file = `${folder}/${name}.json`;
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${JSON.stringify({ why, scenario }, null, 2)}\n`);
  console.log(`kept as ${file}`);
}

async function many<F extends string, M extends { readonly name: string }, S, O extends Ended>(
  simulator: Simulator<F, M, S, O>,
  first: number,
  seeds: number,
): Promise<0 | 1> {
  console.log(`seeds ${first} to ${first + seeds - 1}`);
  const startedMs = performance.now();
  let [broken, amount, simulatedMs] = [0, 0, 0];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const outcome = await simulator.simulate(simulator.draw(seed, {}), null);
    amount += simulator.amount(outcome);
    simulatedMs += outcome.simulatedMs;
    if (outcome.violation === null) continue;
    broken += 1;
    const found = await simulator.shrink(seed, null);
    if (found !== null) console.log(simulator.account(found.outcome, 40, found.narrowing));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const hours = simulatedMs / 3_600_000;
  console.log(
    `${seeds} worlds, ${broken} broke a rule; ${amount} ${simulator.unit}, ${hours.toFixed(1)} simulated hours in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(1)} worlds per second`,
  );
  return broken === 0 ? 0 : 1;
}

function chosen<One extends { readonly name: string }>(what: string, name: string, among: readonly One[]): One {
  const found = among.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new Wrong(`there is no ${what} "${name}"; there are: ${among.map((one) => one.name).join(', ')}`);
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Wrong(`${option} takes a whole number, not "${text}"`);
}
