import { mkdir, writeFile } from 'node:fs/promises';
import { accountOfCopy } from '../../src/sim/kafka/account.ts';
import type { Mutation } from '../../src/sim/kafka/mutation.ts';
import { mutations } from '../../src/sim/kafka/mutations.ts';
import { simulateCopy } from '../../src/sim/kafka/run.ts';
import {
  drawScenario,
  type FaultName,
  faultNames,
  type KafkaScenario,
  type Narrowing,
} from '../../src/sim/kafka/scenario.ts';
import { shrinkCopy, summarizeCopy } from '../../src/sim/kafka/swarm.ts';
import { parsedBy, Wrong, worldOptions } from './asked.ts';

/** `npm run sim -- --kafka`: copies of Kafka data, of one seed or of many. */
export async function simulateCopies(args: readonly string[]): Promise<0 | 1> {
  const asked = parsedBy(args, worldOptions);
  const first = count('--seed', asked.seed ?? '1');
  if (asked.seeds === undefined) return await one(first, asked);
  for (const name of ['mutation', 'without', 'heal-at', 'shrink', 'keep', 'why'] as const)
    if (asked[name] !== undefined) throw new Wrong(`--${name} is about one world: give --seed N without --seeds`);
  return await many(first, count('--seeds', asked.seeds));
}

type Values = ReturnType<typeof parsedBy<typeof worldOptions>>;

async function one(seed: number, asked: Values): Promise<0 | 1> {
  console.log(`seed ${seed}`);
  const mutation = asked.mutation === undefined ? null : chosen(asked.mutation);
  const lines = asked.verbose === true ? Number.POSITIVE_INFINITY : 40;
  if (asked.shrink === true) {
    const found = await shrinkCopy(seed, mutation);
    if (found === null) throw new Wrong(`seed ${seed} breaks no rule: there is nothing to shrink`);
    console.log(accountOfCopy(found.outcome, lines, { ...found.narrowing, mutation }));
    if (asked.keep !== undefined) await keep(asked.keep, asked.why, found.outcome.scenario);
    return 1;
  }
  const narrowing: Narrowing = {
    without: known(asked.without?.split(',') ?? []),
    ...(asked['heal-at'] === undefined ? {} : { healAtMs: count('--heal-at', asked['heal-at']) }),
  };
  const outcome = await simulateCopy(drawScenario(seed, narrowing), mutation);
  console.log(accountOfCopy(outcome, lines, { ...narrowing, mutation }));
  if (asked.keep !== undefined) await keep(asked.keep, asked.why, outcome.scenario);
  return outcome.violation === null ? 0 : 1;
}

/** Keeps the whole scenario: the seed alone would mean another world when worlds are drawn in another way. */
async function keep(name: string, why: string | undefined, scenario: KafkaScenario): Promise<void> {
  if (why === undefined) throw new Wrong('--keep needs --why TEXT: what went wrong once');
  const file = `test/seeds/kafka/${name}.json`;
  await mkdir('test/seeds/kafka', { recursive: true });
  await writeFile(file, `${JSON.stringify({ why, scenario }, null, 2)}\n`);
  console.log(`kept as ${file}`);
}

async function many(first: number, seeds: number): Promise<0 | 1> {
  console.log(`seeds ${first} to ${first + seeds - 1}`);
  const startedMs = performance.now();
  let [broken, records, simulatedMs] = [0, 0, 0];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const summary = await summarizeCopy(seed);
    records += summary.records;
    simulatedMs += summary.simulatedMs;
    if (summary.violation === null) continue;
    broken += 1;
    const found = await shrinkCopy(seed, null);
    if (found !== null) console.log(accountOfCopy(found.outcome, 40, found.narrowing));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const hours = simulatedMs / 3_600_000;
  console.log(
    `${seeds} worlds, ${broken} broke a rule; ${records} records, ${hours.toFixed(1)} simulated hours in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(1)} worlds per second`,
  );
  return broken === 0 ? 0 : 1;
}

function chosen(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation !== undefined) return mutation;
  throw new Wrong(`there is no mutation "${name}"; there are: ${mutations.map((one) => one.name).join(', ')}`);
}

function known(names: readonly string[]): FaultName[] {
  return names.map((name) => {
    const fault = faultNames.find((one) => one === name);
    if (fault === undefined) throw new Wrong(`there is no fault "${name}"; there are: ${faultNames.join(', ')}`);
    return fault;
  });
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new Wrong(`${option} takes a whole number, not "${text}"`);
}
