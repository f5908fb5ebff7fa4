// npm run faults [-- WORD…]: plants every fault (or those whose name has one of the words) behind a real HAProxy, and prints what users saw,
// what Drover counted and what it decided. Exit status 1: something was not as docs/reference/faults.md says.
import type { Fault } from '../test/integration/fault-matrix/fault.ts';
import { faults } from '../test/integration/fault-matrix/matrix.ts';
import { playFault } from '../test/integration/fault-matrix/scene.ts';
import { figuresTable, type Played, wordsTable, wrongWith } from '../test/integration/fault-matrix/table.ts';
import { given } from './given.ts';
import { endOnSignals } from './interruption.ts';

/** They wait for most of their time. */
const atOnce = 4;

const usage = `npm run faults [-- WORD…]: plants every fault (or those whose name has one of the words) behind a real HAProxy, and prints what users
saw, what Drover counted and what it decided. Exit status 1: something was not as docs/reference/faults.md says.

  npm run faults -- reload   those of a reload`;
const { words } = given(usage, {}, true);
const chosen = faults.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(
    `faults: none has ${words.join(' or ')} in its name; there are:\n${faults.map(({ name }) => name).join('\n')}`,
  );
  process.exit(1);
}
const open = new Set<() => Promise<void>>();
const unlessInterrupted = endOnSignals(() => Promise.all([...open].map((close) => close())));
const played = new Map<Fault, Played>();
const wrong: string[] = [];
const waiting = [...chosen];
await Promise.all(Array.from({ length: atOnce }, playWaiting));
await unlessInterrupted();

const inOrder = chosen.flatMap((fault) => played.get(fault) ?? []);
console.log(`\n${wordsTable(chosen)}\n\n${figuresTable(inOrder)}\n`);
for (const line of wrong) console.log(line);
console.log(
  `${chosen.length} faults, ${wrong.length === 0 ? 'all as they have to be' : `${wrong.length} statements not true`}`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

async function playWaiting(): Promise<void> {
  for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
    await unlessInterrupted();
    const { name } = fault;
    try {
      const outcome = await playFault(fault, open);
      played.set(fault, { fault, outcome });
      const found = wrongWith({ fault, outcome });
      wrong.push(...found.map((sentence) => `${name}: ${sentence}`));
      console.log(`${found.length === 0 ? 'as it has to be' : 'NOT as it has to be'}: ${name}`);
    } catch (error) {
      await unlessInterrupted();
      wrong.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
