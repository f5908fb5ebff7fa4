// npm test: every check and every suite, and at the end one line that counts them. `npm test -- WORD…` narrows it.
import { readFileSync } from 'node:fs';
import { glob, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { given } from './given.ts';
import { endOnSignals } from './interruption.ts';
import { checkout, endEverything, kill, leftovers, run } from './test/child.ts';
import { filesThatReach } from './test/needs.ts';
import { requirements, type Step, select, steps } from './test/steps.ts';
import {
  closingLine,
  exitCodeOf,
  filesBroken,
  filesNotRun,
  inCi,
  type NotRun,
  sum,
  type Tally,
  tallyOfCheck,
  tallyOfVitest,
  testsSkipped,
  type VitestReport,
} from './test/tally.ts';

const ci = process.env['CI'] === 'true';
const reports = join(checkout, '.cache', 'test');

type Outcome = {
  readonly step: string;
  readonly tally: Tally;
  readonly broken: readonly NotRun[];
  readonly notRun: readonly NotRun[];
  readonly skipped: readonly string[];
};

const usage = `npm test [-- WORD…]: every check and every suite, and at the end one line that counts them. Says what it fetches.

  npm test -- unit        one step of ${steps.map(({ name }) => name).join(', ')}
  npm test -- judge       the test files whose path has it or, where none does, the tests whose name has it`;
const { words } = given(usage, {}, true);
const testFiles = await Array.fromAsync(glob('test/**/*.test.ts', { cwd: checkout }));
const selection = select(words, testFiles);
const fetching = new AbortController();
let fetched: Promise<readonly NotRun[]> = Promise.resolve([]);
const unlessInterrupted = endOnSignals(async () => {
  fetching.abort();
  await Promise.all([fetched, endEverything()]);
});
fetched = filesWithoutTheirRequirements();
const missing = await fetched;
const outcomes: Outcome[] = [];
const behind: Promise<Outcome>[] = [];
for (const step of selection.steps) {
  await unlessInterrupted();
  if (step.kind === 'script' && step !== selection.steps.at(-1)) behind.push(perform(step, true));
  else outcomes.push(await perform(step));
}
outcomes.push(...(await Promise.all(behind)));
await unlessInterrupted();
process.exitCode = conclude();

/** Says what it fetches, and leaves out, by name, the files that need what cannot be had. */
async function filesWithoutTheirRequirements(): Promise<NotRun[]> {
  if (!selection.steps.some((step) => step.name === 'integration')) return [];
  const integration = selection.files.filter((file) => file.startsWith('test/integration/'));
  const left: NotRun[] = [];
  for (const { name, file, obtain } of requirements) {
    const users = filesThatReach(file, integration, checkout);
    if (users.length === 0) continue;
    try {
      console.log(`${name}: ${await obtain((line) => console.log(`${name}: ${line}`), fetching.signal)}`);
    } catch (error) {
      if (fetching.signal.aborted) break;
      const why = `needs ${name}: ${error instanceof Error ? error.message : String(error)}`;
      console.log(`${name}: not to be had here, ${users.length} test files are left out`);
      left.push(...users.map((user) => ({ name: user, why })));
    }
  }
  return left;
}

async function perform(step: Step, behind = false): Promise<Outcome> {
  const startedAt = performance.now();
  console.log(`\n> ${step.name}${behind ? ', behind what follows; told when it has ended' : ''}`);
  const outcome = step.kind === 'vitest' ? await runVitest(step.name) : await runCommand(step, behind);
  await unlessInterrupted();
  const left = await leftovers(step.name);
  for (const { pid, command } of left) {
    console.log(`left running by ${step.name}: ${pid} ${command}`);
    kill(pid);
  }
  const tally = sum([outcome.tally, { passed: 0, failed: left.length, skipped: 0 }]);
  console.log(`> ${step.name}: ${closingLine(tally)}; ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return { ...outcome, tally };
}

async function runCommand({ name, command }: Exclude<Step, { kind: 'vitest' }>, behind: boolean): Promise<Outcome> {
  const [program, ...args] = command;
  const exitCode = behind ? await runBehind(name, program, args) : await run(program, args, { step: name });
  return { step: name, tally: tallyOfCheck(exitCode), broken: [], notRun: [], skipped: [] };
}

/** Its output is told whole, not between that of others. */
async function runBehind(step: string, program: string, args: readonly string[]): Promise<number> {
  const behind = join(reports, `${step}.log`);
  await mkdir(reports, { recursive: true });
  const exitCode = await run(program, args, { step, behind });
  console.log(`\n${await readFile(behind, 'utf8')}`);
  return exitCode;
}

async function runVitest(project: string): Promise<Outcome> {
  const file = join(reports, `${project}.json`);
  await mkdir(reports, { recursive: true });
  await rm(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const excluded = missing.flatMap(({ name }) => ['--exclude', name]);
  const args = ['run', '--project', project, ...reporters, ...excluded, ...selection.arguments];
  const exitCode = await run('vitest', args, { step: project });
  const report = readReport(file);
  // A filter by title skips everything else; that says nothing about this machine.
  const filtered = selection.arguments.includes('-t');
  return {
    step: project,
    tally: tallyOfVitest(report, exitCode),
    broken: filesBroken(report, checkout),
    notRun: filtered ? [] : filesNotRun(report, checkout),
    skipped: filtered ? [] : testsSkipped(report, checkout),
  };
}

/** null: the runner died before it could write one. */
function readReport(file: string): VitestReport | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function conclude(): 0 | 1 {
  const notRun = [...missing, ...outcomes.flatMap((outcome) => outcome.notRun)];
  const skipped = outcomes.flatMap((outcome) => outcome.skipped);
  const counted = sum(outcomes.map(({ tally }) => tally));
  const total = ci ? inCi(counted, notRun, skipped) : counted;
  console.log('');
  for (const test of skipped) console.log(`skipped: ${test}`);
  for (const { step, tally, broken } of outcomes) {
    if (tally.failed > 0) console.log(`failed: ${step}`);
    for (const { name, why } of broken) console.log(`failed: ${name} (outside of its tests: ${why})`);
  }
  for (const { name, why } of notRun) console.log(`not run: ${name} (${why})`);
  if (ci && notRun.length + skipped.length > 0)
    console.log('in continuous integration everything must run: what did not, or was skipped, counts as failed');
  if (outcomes.length === 0 || total.passed + total.failed === 0) console.log('nothing ran');
  console.log(closingLine(total));
  return exitCodeOf(total);
}
