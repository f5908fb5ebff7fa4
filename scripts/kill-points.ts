// npm run kill-points [-- --width N --only WORDS]: kills the controller before and after everything that a rollout writes.
import { describePoint, killAtEvery, listPoints } from '../test/integration/kill-points/every.ts';
import { closeAll, haproxyScenarios, localScenarios } from '../test/integration/kill-points/scenario.ts';
import { given } from './given.ts';
import { endOnSignals } from './interruption.ts';

const usage = `npm run kill-points [-- OPTIONS]: kills the controller before and after everything that a rollout writes, and compares its end with that
of one that nobody killed. About twenty minutes. Exit status 1: one ended otherwise.

  --width N      so many rollouts at a time (default 8)
  --only WORDS   only the points in whose name these words are, as in --only "confirmed"`;
const { values } = given(
  usage,
  { width: { type: 'string', default: '8' }, only: { type: 'string', default: '' } },
  false,
);
if (!/^[1-9][0-9]{0,2}$/.test(values.width)) {
  console.error(`kill-points: --width: expected a whole number from 1, found ${values.width}`);
  process.exit(1);
}
endOnSignals(closeAll);
const startedAt = performance.now();
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const listed = [...(await listPoints(haproxyScenarios)), ...(await listPoints(localScenarios))].map((one) => ({
  ...one,
  points: one.points.filter((point) => `${one.scenario.name}: ${describePoint(point)}`.includes(values.only)),
}));
for (const { scenario, reference, points } of listed) {
  console.log(`a rollout that is ${scenario.name} (${seconds(reference.tookMs)}): ${points.length} points`);
  for (const point of points) console.log(`  ${describePoint(point)}`);
}
const total = listed.reduce((sum, { points }) => sum + points.length, 0);
let done = 0;
const results = await killAtEvery(
  listed,
  Number(values.width),
  ({ scenario, point, wrong, missed, isReached, tookMs }) => {
    done += 1;
    const outcome = wrong.length > 0 ? 'ANOTHER END' : isReached ? 'the same end' : 'not come by again';
    console.log(`${done}/${total} ${outcome} ${seconds(tookMs)}  ${scenario.name}: ${describePoint(point)}`);
    if (missed > 0) console.log(`    passed by in ${missed} earlier runs`);
    for (const line of wrong) console.log(`    ${line}`);
  },
);

console.log('\npoints  same end  longest  scenario');
for (const { scenario, points } of listed) {
  const own = results.filter((result) => result.scenario === scenario);
  const same = own.filter(({ wrong, isReached }) => wrong.length === 0 && isReached).length;
  const longest = seconds(Math.max(0, ...own.map(({ tookMs }) => tookMs)));
  console.log(
    `${String(points.length).padStart(6)}  ${String(same).padStart(8)}  ${longest.padStart(7)}  ${scenario.name}`,
  );
}
if (total === 0) console.log(`no point has "${values.only}" in its name`);
const failed = results.filter(({ wrong }) => wrong.length > 0).length;
console.log(`${results.length} points, ${failed} with another end, ${seconds(performance.now() - startedAt)}`);
process.exitCode = failed === 0 && results.length > 0 ? 0 : 1;
