// npm run fuzz [-- --minutes N --seed N --times N]: the properties of every decoder, with one seed after the other.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { given } from './given.ts';
import { endOnSignals } from './interruption.ts';
import { checkout, endEverything, run } from './test/child.ts';

const usage = `npm run fuzz [-- OPTIONS]: the properties of every decoder, with one seed after the other. Exit status 1: a seed failed.

  --minutes N   for so long (default 10)
  --seed N      the first seed (default 1)
  --times N     so many times the runs that the tests make of each property (default 5)`;
const { values } = given(
  usage,
  {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    times: { type: 'string', default: '5' },
  },
  false,
);
const minutes = number('--minutes', values.minutes);
const times = number('--times', values.times);
const first = number('--seed', values.seed);
const unlessInterrupted = endOnSignals(endEverything);
const counts = join(checkout, '.cache', 'fuzz-runs');
const endsAt = performance.now() + minutes * 60_000;
await mkdir(join(checkout, '.cache'), { recursive: true });
await rm(counts, { force: true });

let seed = first;
let failed = 0;
do {
  process.env['DROVER_SEED'] = String(seed);
  process.env['DROVER_RUNS'] = String(times);
  process.env['DROVER_RUNS_COUNTED'] = counts;
  console.log(`seed ${seed}`);
  const args = ['run', '--project', 'unit', '--reporter=dot', '--testTimeout=600000', 'test/fuzz', 'test/config/fuzz'];
  if ((await run('vitest', args)) !== 0) {
    failed += 1;
    console.log(`repeat it with: DROVER_SEED=${seed} DROVER_RUNS=${times} npm run unit -- fuzz`);
  }
  await unlessInterrupted();
  seed += 1;
} while (performance.now() < endsAt);

const counted = (await readFile(counts, 'utf8')).split('\n').reduce((sum, line) => sum + Number(line), 0);
console.log(`seeds ${first} to ${seed - 1}: ${counted} runs of properties, ${failed} seeds failed`);
process.exitCode = failed === 0 ? 0 : 1;

function number(name: string, text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  console.error(`fuzz: ${name}: expected a whole number from 1, found ${text}`);
  process.exit(1);
}
