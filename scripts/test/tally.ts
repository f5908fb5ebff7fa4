import { relative } from 'node:path';

/** Counts of tests. A check (formatter, compiler) or a script counts as one. */
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** What did not run on this machine (a file, or one test of a file), or a file that failed outside of its tests. */
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
  /** The first error outside of every test, of a hook or of loading it; empty: none, or none that is known. */
  readonly message: string;
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
 * A file that fails outside of its tests has no failed test to count, and an error outside of every file belongs to none:
 * both are failures all the same. No report at all (the runner died) is one failure.
 */
export function tallyOfVitest(report: VitestReport | null, exitCode: number): Tally {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 };
  const failed = report.numFailedTests + report.testResults.filter(isBroken).length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Files that failed although none of their tests did. */
export function filesBroken(report: VitestReport | null, root: string): NotRun[] {
  const unknown = 'its process ended before its tests did';
  return (report?.testResults ?? []).filter(isBroken).map(({ name, message }) => ({
    name: relative(root, name),
    why: message.split('\n').at(0) || unknown,
  }));
}

/** Files of which every test was skipped; a file that skips some of its tests has run, and one that failed is no such file. */
export function filesNotRun(report: VitestReport | null, root: string): NotRun[] {
  const why = 'it skipped every test';
  const files = report?.testResults ?? [];
  return files.filter(isSkippedWhole).map(({ name }) => ({ name: relative(root, name), why }));
}

/** Full names of the tests that were skipped in other files. Where a file broke, that is the reason, and it has been counted. */
export function testsSkipped(report: VitestReport | null, root: string): string[] {
  const files = report?.testResults ?? [];
  return files
    .filter((file) => !isSkippedWhole(file) && !isBroken(file))
    .flatMap(({ name, assertionResults }) =>
      assertionResults.filter(isSkipped).map(({ fullName }) => `${relative(root, name)}: ${fullName}`),
    );
}

/** A hook of it threw, it does not load, or its process died. */
function isBroken({ status, assertionResults }: VitestFile): boolean {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

function isSkippedWhole({ status, assertionResults }: VitestFile): boolean {
  return status !== 'failed' && assertionResults.length > 0 && assertionResults.every(isSkipped);
}

function isSkipped({ status }: { readonly status: string }): boolean {
  return status === 'skipped' || status === 'pending' || status === 'todo';
}

/** The line that continuous integration reads. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** In CI everything must run: each file that did not is a failure, and so is each test that was skipped in another. */
export function inCi(tally: Tally, notRun: readonly NotRun[], skipped: readonly string[]): Tally {
  return { ...tally, failed: tally.failed + notRun.length + skipped.length };
}

/** 0 only when something ran and nothing failed. */
export function exitCodeOf({ passed, failed }: Tally): 0 | 1 {
  return failed === 0 && passed > 0 ? 0 : 1;
}
