import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesThatReach } from '../../scripts/test/needs.ts';
import { select, steps } from '../../scripts/test/steps.ts';
import {
  closingLine,
  exitCodeOf,
  filesBroken,
  filesNotRun,
  inCi,
  nothing,
  sum,
  tallyOfCheck,
  tallyOfVitest,
  testsSkipped,
} from '../../scripts/test/tally.ts';

describe('counting', () => {
  test('passed, failed and skipped tests are added up over suites', () => {
    const suites = [
      report({ 'a.test.ts': ['passed', 'failed'] }),
      report({ 'b.test.ts': ['passed', 'skipped', 'todo'] }),
    ];
    const tally = sum([...suites.map((suite) => tallyOfVitest(suite, 0)), tallyOfCheck(0), tallyOfCheck(2)]);
    expect(closingLine(tally)).toBe('3 passed, 2 failed, 2 skipped');
  });

  test('a file that does not load is a failure though none of its tests was counted', () => {
    expect(tallyOfVitest(report({ 'a.test.ts': ['passed'], 'b.test.ts': 'failed' }), 1)).toMatchObject({ failed: 1 });
  });

  test('an error outside of every test is a failure', () => {
    expect(tallyOfVitest(report({ 'a.test.ts': ['passed'] }), 1)).toMatchObject({ passed: 1, failed: 1 });
  });

  test('a runner that died before it reported is a failure', () => {
    expect(tallyOfVitest(null, 1)).toMatchObject({ passed: 0, failed: 1 });
    expect(tallyOfVitest(null, 0)).toMatchObject({ passed: 0, failed: 1 });
  });

  test('nothing failed is not enough: something must have passed', () => {
    expect(exitCodeOf(nothing)).toBe(1);
    expect(exitCodeOf({ passed: 0, failed: 0, skipped: 9 })).toBe(1);
    expect(exitCodeOf({ passed: 9, failed: 1, skipped: 0 })).toBe(1);
    expect(exitCodeOf({ passed: 1, failed: 0, skipped: 9 })).toBe(0);
  });
});

describe('what did not run', () => {
  const partly = report({ 'a.test.ts': ['passed', 'skipped'], 'b.test.ts': ['skipped', 'skipped'], 'c.test.ts': [] });

  test('a file without one executed test is named, one that skipped some is not', () => {
    expect(filesNotRun(partly, '/checkout')).toEqual([{ name: 'b.test.ts', why: 'it skipped every test' }]);
    expect(testsSkipped(partly, '/checkout')).toEqual(['a.test.ts: test 1']);
  });

  test('in continuous integration it is a failure: each such file, and each test that another one skipped', () => {
    const counted = tallyOfVitest(partly, 0);
    expect(closingLine(inCi(counted, filesNotRun(partly, '/checkout'), []))).toBe('1 passed, 1 failed, 3 skipped');
    const one = inCi(counted, [], testsSkipped(partly, '/checkout'));
    expect(closingLine(one)).toBe('1 passed, 1 failed, 3 skipped');
    expect(exitCodeOf(one)).toBe(1);
  });

  test('a file whose hook threw or whose process died has failed, once, and has not skipped its tests', () => {
    const broken = report(
      { 'hook.test.ts': ['skipped', 'passed'], 'killed.test.ts': ['pending', 'pending'] },
      { 'hook.test.ts': 'no port\nis free', 'killed.test.ts': '' },
    );
    expect(filesBroken(broken, '/checkout')).toEqual([
      { name: 'hook.test.ts', why: 'no port' },
      { name: 'killed.test.ts', why: 'its process ended before its tests did' },
    ]);
    const [notRun, skipped] = [filesNotRun(broken, '/checkout'), testsSkipped(broken, '/checkout')];
    expect({ notRun, skipped }).toEqual({ notRun: [], skipped: [] });
    expect(inCi(tallyOfVitest(broken, 1), notRun, skipped)).toMatchObject({ failed: 2 });
  });
});

test('a suite needs what it imports, through however many files', () => {
  const root = join(import.meta.dirname, '..', '..');
  const files = ['test/scripts/tally.test.ts', 'test/tidy.test.ts'];
  expect(filesThatReach('scripts/fetch/debian.ts', files, root)).toEqual(['test/scripts/tally.test.ts']);
  expect(filesThatReach('test/tidy/tokens.ts', files, root)).toEqual(['test/tidy.test.ts']);
});

describe('choosing', () => {
  const files = ['test/judge/windows.test.ts', 'test/integration/haproxy.test.ts'];

  test('no words: every step', () => {
    expect(select([], files)).toEqual({ steps, arguments: [], files });
  });

  test('the name of a step: that step and no other', () => {
    expect(select(['tsc'], files).steps.map(({ name }) => name)).toEqual(['tsc']);
    expect(select(['unit', 'knip'], files).steps.map(({ name }) => name)).toEqual(['knip', 'unit']);
  });

  test('part of a path: those files, in whatever project they are, and no checks', () => {
    const selection = select(['judge'], files);
    expect(selection.steps.map(({ name }) => name)).toEqual(['unit', 'integration']);
    expect(selection.arguments).toEqual(['--passWithNoTests', 'judge']);
  });

  test('part of no path: the tests with that name, taken literally', () => {
    expect(select(['rolls back (at once)'], files).arguments).toEqual([
      '--passWithNoTests',
      '-t',
      'rolls back \\(at once\\)',
    ]);
  });

  test('paths narrow what is asked for, and with it what can be missing; names of tests do not', () => {
    expect(select(['judge', 'rolls back'], files).files).toEqual(['test/judge/windows.test.ts']);
    expect(select(['haproxy', 'windows'], files).files).toEqual(files);
    expect(select(['rolls back'], files).files).toEqual(files);
    expect(select(['integration'], files).files).toEqual(files);
  });

  test('a step and a path: that step, narrowed', () => {
    const selection = select(['integration', 'haproxy'], files);
    expect(selection.steps.map(({ name }) => name)).toEqual(['integration']);
    expect(selection.arguments).toEqual(['--passWithNoTests', 'haproxy']);
  });
});

type Statuses = readonly ('passed' | 'failed' | 'skipped' | 'pending' | 'todo')[];

/** A report of files with these tests; `failed` in place of tests: it did not load. `broken`: errors outside of their tests. */
function report(
  files: Readonly<Record<string, Statuses | 'failed'>>,
  broken: Readonly<Record<string, string>> = {},
): Parameters<typeof filesNotRun>[0] & object {
  const all = Object.values(files).flatMap((statuses) => (statuses === 'failed' ? [] : statuses));
  const count = (...counted: Statuses) => all.filter((one) => counted.includes(one)).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('skipped', 'pending'),
    numTodoTests: count('todo'),
    testResults: Object.entries(files).map(([name, statuses]) => ({
      name: `/checkout/${name}`,
      status: statuses === 'failed' || statuses.includes('failed') || name in broken ? 'failed' : 'passed',
      message: broken[name] ?? '',
      assertionResults:
        statuses === 'failed' ? [] : statuses.map((status, index) => ({ fullName: `test ${index}`, status })),
    })),
  };
}
