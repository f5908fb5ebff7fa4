import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Evidence,
  judgeRecorded,
  type RecordedRow,
  type Rules,
  startRecorded,
  verdict,
} from '../../src/core/judge/judge.ts';

/** The definitions as they are written, every process kept by itself: slow, and with nothing in common with the judge. */
function literalVerdicts(rows: readonly RecordedRow[], rules: Rules) {
  const { alpha, beta, tolerate: R0, bad, dispersion: phi, objective } = rules;
  const ways = objective === null ? 1 : 2;
  const compared: number[][] = [];
  const guarded: number[][] = [];
  let [processes, comparison, failures, attempts] = [0, 0, 0, 0];
  return rows.map((row) => {
    const [n_o, n_d, x_o, x_d] = [
      row.originAttempts,
      row.destinationAttempts,
      row.originFailures,
      row.destinationFailures,
    ];
    for (; 60 * processes <= row.fromSeconds; processes++) {
      compared.push([2, 3, 5, 10, 30, 100].map(() => 0));
      guarded.push([2, 3, 5, 10, 30].map(() => 0));
    }
    failures += x_d;
    attempts += n_d;
    const [p, k] = [n_d / (n_o + n_d), x_o + x_d];
    for (const process of n_o > 0 && n_d > 0 ? compared : []) {
      for (const [i, R] of [2, 3, 5, 10, 30, 100].entries()) {
        const gain = x_d * Math.log(R / R0) + k * (Math.log(1 + (R0 - 1) * p) - Math.log(1 + (R - 1) * p));
        process[i] = (process[i] ?? 0) + gain / phi;
      }
    }
    for (const process of guarded) {
      for (const [i, r] of [2, 3, 5, 10, 30].entries()) {
        process[i] = (process[i] ?? 0) + (x_d * Math.log(r) - (r - 1) * (objective ?? 0) * n_d) / phi;
      }
    }
    if (n_o > 0 && n_d > 0) comparison += (-x_d * Math.log(bad) + k * Math.log(1 + (bad - 1) * p)) / phi;
    const better = [0.1, 0.25, 0.5].map((r) => (failures * Math.log(r) + (1 - r) * (objective ?? 0) * attempts) / phi);
    const alternatives = [2, 3, 5, 10, 30, 100].flatMap((R, i) => (R > R0 ? [i] : []));
    const rollBack = [mean(compared, alternatives), ...(ways === 2 ? [mean(guarded, [0, 1, 2, 3, 4])] : [])];
    const promote = [
      comparison,
      ...(ways === 2 ? [Math.log(better.reduce((sum, v) => sum + Math.exp(v), 0) / 3)] : []),
    ];
    const [atBack, atPromote] = [Math.log(ways / alpha), Math.log(ways / beta)];
    const promoted = Math.max(...promote) >= atPromote && Math.max(...rollBack) <= 0;
    const word = Math.max(...rollBack) >= atBack ? 'roll back' : promoted ? 'promote' : 'not enough evidence';
    return { word, rollBack, promote, atBack, atPromote };
  });
}

/** ln of the mean over these alternatives of Σ_j exp(sum of process j) / (j(j+1)). */
function mean(processes: readonly (readonly number[])[], alternatives: readonly number[]): number {
  let total = 0;
  for (const i of alternatives) {
    processes.forEach((sums, j) => {
      total += Math.exp(sums[i] ?? Number.NaN) / ((j + 1) * (j + 2));
    });
  }
  return Math.log(total / alternatives.length);
}

const side = fc
  .tuple(fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 5000)), fc.nat(6))
  .map(([n, x]) => [n, Math.min(n, x)]);
const row = fc.record({
  seconds: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.constantFrom(60, 600)),
  o: side,
  d: side,
});
const someRules = fc.record({
  alpha: fc.constantFrom(0.001, 0.05),
  beta: fc.constantFrom(0.01, 0.1),
  tolerate: fc.constantFrom(1, 1.5, 2, 5, 29),
  bad: fc.constantFrom(30, 100),
  dispersion: fc.constantFrom(1, 2.5),
  objective: fc.constantFrom(null, 0.005, 0.03),
});

function rowsOf(list: readonly { seconds: number; o: readonly number[]; d: readonly number[] }[]): RecordedRow[] {
  let now = 0;
  return list.map(({ seconds, o: [originAttempts = 0, originFailures = 0], d }) => {
    const fromSeconds = now;
    now += seconds;
    const [destinationAttempts = 0, destinationFailures = 0] = d;
    const counts = { originAttempts, originFailures, destinationAttempts, destinationFailures };
    return { fromSeconds, toSeconds: now, ...counts };
  });
}

function expectSame(told: Evidence, values: readonly number[], threshold: number): void {
  expect(told.threshold).toBeCloseTo(threshold, 9);
  expect(told.logEvidence).toBeCloseTo(Math.max(...values), 7);
  const [comparison = 0, absolute = Number.NEGATIVE_INFINITY] = values;
  if (Math.abs(comparison - absolute) > 1e-6) expect(told.by).toBe(absolute > comparison ? 'absolute' : 'comparison');
}

describe('recorded windows, against the definitions as they are written', () => {
  test('evidence, thresholds, by and verdict of every window, up to the first decisive one', () => {
    const decisive = new Set<string>();
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80 }), someRules, (list, rules) => {
        const rows = rowsOf(list);
        let state = startRecorded(rules);
        for (const [index, expected] of literalVerdicts(rows, rules).entries()) {
          state = judgeRecorded(state, rows[index] ?? expect.unreachable());
          const told = verdict(state);
          expectSame(told.rollBack, expected.rollBack, expected.atBack);
          expectSame(told.promote, expected.promote, expected.atPromote);
          expect(told.verdict).toBe(expected.word);
          decisive.add(expected.word);
          if (expected.word !== 'not enough evidence') break;
        }
      }),
      { numRuns: 400 },
    );
    expect([...decisive].sort()).toEqual(['not enough evidence', 'promote', 'roll back']);
  });
});
