import { relative } from 'node:path';

/** Counts of tests. A check (formatter, compiler) or a script counts as one. */
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** A suite that did not run on this machine. */
export type NotRun = { readonly name: string; readonly why: string };

/** What vitest's JSON reporter writes, as far as it is read here. */
export type VitestReport = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly VitestFile[];
};
type VitestFile = {
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
};

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (all, one) => ({
      passed: all.passed + one.passed,
      failed: all.failed + one.failed,
      skipped: all.skipped + one.skipped,
    }),
    nothing,
  );
}

export function tallyOfCheck(exitCode: number): Tally {
  return exitCode === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/**
 * A file that does not load has no tests to count, and an error outside of every test belongs to none: both are failures all
 * the same. No report at all (the runner died) is one failure.
 */
export function tallyOfVitest(report: VitestReport | null, exitCode: number): Tally {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 };
  const notLoaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const failed = report.numFailedTests + notLoaded;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Files of which no test ran. A file that skips some of its tests has run. */
export function filesNotRun(report: VitestReport | null, root: string): NotRun[] {
  const why = 'it skipped every test';
  const files = report?.testResults ?? [];
  return files
    .filter(({ assertionResults }) => assertionResults.length > 0 && assertionResults.every(isSkipped))
    .map(({ name }) => ({ name: relative(root, name), why }));
}

/** Full names of skipped tests in files of which others ran. */
export function testsSkipped(report: VitestReport | null, root: string): string[] {
  const files = report?.testResults ?? [];
  return files
    .filter(({ assertionResults }) => !assertionResults.every(isSkipped))
    .flatMap(({ name, assertionResults }) =>
      assertionResults.filter(isSkipped).map(({ fullName }) => `${relative(root, name)}: ${fullName}`),
    );
}

function isSkipped({ status }: { readonly status: string }): boolean {
  return status === 'skipped' || status === 'pending' || status === 'todo';
}

/** The line that continuous integration reads. In CI a suite that did not run is a failure. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

export function inCi(tally: Tally, notRun: readonly NotRun[]): Tally {
  return { ...tally, failed: tally.failed + notRun.length };
}

/** 0 only when something ran and nothing failed. */
export function exitCodeOf({ passed, failed }: Tally): 0 | 1 {
  return failed === 0 && passed > 0 ? 0 : 1;
}
