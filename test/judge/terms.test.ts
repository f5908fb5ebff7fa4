import { describe, expect, test } from 'vitest';
import type { Window } from '../../src/core/judge/counting.ts';
import {
  beginStep,
  beginStretch,
  guardedAttempts,
  type Memory,
  rememberWindow,
  type Term,
} from '../../src/core/judge/terms.ts';
import { poisson, randomFrom } from './random.ts';

type Row = { readonly o?: number; readonly d?: number; readonly xo?: number; readonly xd?: number };

const lag = 30_000;

function window(fromSecond: number, toSecond: number, { o = 0, d = 0, xo = 0, xd = 0 }: Row): Window {
  return {
    fromMs: fromSecond * 1000,
    toMs: toSecond * 1000,
    origin: { attempts: o, failures: xo },
    destination: { attempts: d, failures: xd },
    destinationOpen: 0,
    originHosts: [],
  };
}

/** One second for each row, from `fromSecond` on. */
function remember(rows: readonly Row[], memory: Memory | null = null, fromSecond = 0, lagMs = lag) {
  const terms: Term[] = [];
  for (const [index, row] of rows.entries()) {
    const second = fromSecond + index;
    const remembered = rememberWindow(memory, window(second, second + 1, row), lagMs, 1);
    memory = remembered.memory;
    terms.push(...remembered.terms);
  }
  if (memory === null) throw new Error('no rows');
  return { memory, terms };
}

function repeat(count: number, row: Row): Row[] {
  return new Array<Row>(count).fill(row);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function last(terms: readonly Term[]): Term {
  const term = terms.at(-1);
  if (term === undefined) throw new Error('no terms');
  return term;
}

describe('the share that a failure can have come from', () => {
  test('after a step down it is the larger one for a whole lag, and the smaller one counts at once', () => {
    const { terms } = remember([...repeat(40, { o: 500, d: 500 }), ...repeat(32, { o: 900, d: 100 })]);
    const shares = terms.map((term) => term.share);
    expect(shares[39]).toEqual({ largest: 0.5, smallest: 0.5 });
    expect(shares[40]).toEqual({ largest: 0.5, smallest: 0.1 });
    // The window from second 69 to 70 can hold failures of attempts made from second 39 on.
    expect(shares[69]).toEqual({ largest: 0.5, smallest: 0.1 });
    expect(shares[70]).toEqual({ largest: 0.1, smallest: 0.1 });
  });

  test('a balancer that throws dice: the seconds scatter, the share does not', () => {
    const random = randomFrom(2);
    const dice = () => ({ o: poisson(random, 909), d: poisson(random, 91) });
    const rows = Array.from({ length: 300 }, dice);
    const seconds = rows.map(({ o, d }) => d / (o + d));
    const { terms } = remember(rows);
    const bySecond = terms.flatMap((_, index) =>
      index < 30 ? [] : [Math.max(...seconds.slice(index - 30, index + 1))],
    );
    const largest = terms.flatMap(({ share }) => (share === null ? [] : [share.largest]));
    expect(mean(bySecond)).toBeGreaterThan(0.108);
    expect(mean(largest)).toBeLessThan(0.098);
    expect(Math.min(...largest)).toBeGreaterThan(0.087);
  });

  test('nor does evening out hide a jump, up or down', () => {
    const random = randomFrom(3);
    const dice = (share: number) => ({ o: poisson(random, 1000 * (1 - share)), d: poisson(random, 1000 * share) });
    const shares = [...new Array(45).fill(0.05), ...new Array(5).fill(0.2), ...new Array(45).fill(0.05)];
    const { terms } = remember(shares.map(dice));
    for (const { fromMs, share } of terms) {
      if (fromMs < 45_000 || fromMs >= 79_000) continue;
      expect(share?.largest).toBeGreaterThan(0.15);
      expect(share?.smallest).toBeLessThan(0.06);
    }
    expect(terms.at(-1)?.share?.largest).toBeLessThan(0.075);
  });

  test('the share of the span itself is never outside, however slowly it drifts', () => {
    const { terms } = remember(Array.from({ length: 90 }, (_, second) => ({ o: 5000, d: 500 + 10 * second })));
    for (const { fromMs, share } of terms.slice(30)) {
      const d = 500 + fromMs / 100;
      expect(share?.largest).toBe(d / (5000 + d));
    }
  });

  test('nothing is compared before the lag is known', () => {
    const { terms } = remember(repeat(35, { o: 900, d: 100 }));
    expect(terms.map((term) => term.share !== null)).toEqual([
      ...new Array(30).fill(false),
      ...new Array(5).fill(true),
    ]);
  });

  test('a gap (counters cleared, a controller that died) makes the past unknown again', () => {
    const before = remember(repeat(60, { o: 900, d: 100 }));
    const after = remember(repeat(35, { o: 900, d: 100 }), before.memory, 62);
    expect(after.terms.filter((term) => term.share !== null)).toHaveLength(5);
  });

  test('other builds make it unknown too', () => {
    const before = remember(repeat(60, { o: 900, d: 100 }));
    const after = remember(repeat(35, { o: 900, d: 100 }), beginStretch(before.memory), 60);
    expect(after.terms.filter((term) => term.share !== null)).toHaveLength(5);
  });

  test.each([
    ['destination', { o: 900 }],
    ['origin', { d: 900 }],
  ] as const)('no attempts at the %s within the lag: nothing to compare', (_side, row) => {
    const { terms } = remember([...repeat(40, row), { ...row, xo: 3, xd: 3 }]);
    expect(last(terms)).toMatchObject({ share: null, originFailures: 3, destinationFailures: 3 });
  });

  test('no attempts at the destination now, but within the lag: its late failures are compared with its share then', () => {
    const { terms } = remember([...repeat(40, { o: 500, d: 500 }), ...repeat(10, { o: 1000, xd: 5 })]);
    expect(last(terms)).toMatchObject({ share: { largest: 0.5, smallest: 0 } });
  });

  test('a span without any attempts says nothing of the share', () => {
    const { terms } = remember([...repeat(40, { o: 500, d: 500 }), ...repeat(10, {})]);
    expect(last(terms)).toMatchObject({ toMs: 50_000, share: { largest: 0.5, smallest: 0.5 } });
  });

  test('a reading that is missing makes one long term', () => {
    const { memory } = remember(repeat(40, { o: 500, d: 500 }));
    const { terms } = rememberWindow(memory, window(40, 100, { o: 9000, d: 1000, xd: 7 }), lag, 1);
    expect(terms).toEqual([
      expect.objectContaining({ fromMs: 40_000, toMs: 100_000, share: { largest: 0.5, smallest: 0.1 } }),
    ]);
  });
});

describe('spans of little traffic', () => {
  test('polls are put together until both sides have 50 attempts', () => {
    const { terms } = remember(repeat(20, { o: 90, d: 10, xo: 1 }));
    expect(terms.map(({ toMs, originFailures }) => [toMs, originFailures])).toEqual([
      [5000, 5],
      [10_000, 5],
      [15_000, 5],
      [20_000, 5],
    ]);
  });

  test('but for no longer than 10 s', () => {
    const { terms } = remember(repeat(45, { o: 9, d: 1 }));
    expect(terms.map((term) => term.toMs)).toEqual([10_000, 20_000, 30_000, 40_000]);
    expect(last(terms).share).toEqual({ largest: 0.1, smallest: 0.1 });
  });

  test('no traffic at all: one span for 10 s, not one for each poll', () => {
    expect(remember(repeat(10, {})).terms.map(({ fromMs, toMs }) => [fromMs, toMs])).toEqual([[0, 10_000]]);
  });

  test('a side that gets nothing at all is not waited for', () => {
    expect(remember(repeat(5, { o: 100 })).terms).toHaveLength(5);
  });

  test('a window that is enough by itself is not mixed with those before it', () => {
    const { terms } = remember([...repeat(40, { o: 990, d: 10 }), ...repeat(2, { o: 990, d: 10 }), { o: 500, d: 500 }]);
    expect(terms.slice(-2)).toMatchObject([
      { fromMs: 40_000, toMs: 42_000 },
      { fromMs: 42_000, toMs: 43_000, share: { largest: 0.5 } },
    ]);
  });

  test('what is put together never depends on failures', () => {
    const traffic = repeat(100, { o: 33, d: 7 });
    const failing = traffic.map((row, index) => ({ ...row, xo: index % 3, xd: index % 5 }));
    const times = (rows: readonly Row[]) =>
      remember(rows).terms.map(({ fromMs, toMs, share }) => [fromMs, toMs, share]);
    expect(times(failing)).toEqual(times(traffic));
  });

  test('every failure is in exactly one term or still in the open span', () => {
    const { terms, memory } = remember(repeat(97, { o: 33, d: 7, xo: 1, xd: 2 }));
    const total = terms.reduce((sum, term) => sum + term.destinationFailures, memory.open?.destinationFailures ?? 0);
    expect(total).toBe(194);
  });

  test('φ is the one that was known before the span began', () => {
    const first = rememberWindow(null, window(0, 1, { o: 9, d: 1 }), lag, 7);
    const second = rememberWindow(first.memory, window(1, 2, { o: 900, d: 40 }), lag, 1);
    const third = rememberWindow(second.memory, window(2, 3, { o: 900, d: 40 }), lag, 1);
    expect(third.terms[0]?.dispersion).toBe(7);
  });

  test('a long lag does not make a large memory', () => {
    const { memory } = remember(repeat(900, { o: 5000, d: 500 }), null, 0, 300_000);
    expect(memory.closed.length).toBeLessThanOrEqual(41);
  });
});

describe('evidence to promote', () => {
  test('attempts count when they have had time to fail, and once', () => {
    const { terms } = remember(repeat(50, { o: 900, d: 100 }));
    const settled = terms.map((term) => term.settledAttempts);
    expect(settled.slice(0, 30)).toEqual(new Array(30).fill(0));
    expect(settled.slice(30)).toEqual(new Array(20).fill(100));
  });

  test('spans that began before the step are none, and neither are their attempts', () => {
    const before = remember([...repeat(40, { o: 900, d: 100 }), ...repeat(2, { o: 90, d: 10 })]);
    const after = remember(repeat(40, { o: 900, d: 100 }), beginStep(before.memory), 42);
    const [spanning, first] = after.terms;
    expect(spanning).toMatchObject({ fromMs: 40_000, inStep: false });
    expect(first).toMatchObject({ fromMs: 42_000, inStep: true });
    const settled = after.terms.filter((term) => term.inStep).reduce((sum, term) => sum + term.settledAttempts, 0);
    // Of the 40 seconds of the step those up to second 52 are a lag old at second 82.
    expect(settled).toBe(1000);
  });

  test('a clock that goes back does not keep the step from being judged until it has caught up', () => {
    const before = remember(repeat(40, { o: 900, d: 100 }), null, 5000);
    const after = remember(repeat(32, { o: 900, d: 100 }), beginStep(before.memory), 1000);
    expect(after.terms.map((term) => term.inStep)).toEqual(new Array(32).fill(true));
    expect(last(after.terms)).toMatchObject({ settledAttempts: 100, share: { largest: 0.1 } });
  });
});

describe('attempts that the absolute guard counts', () => {
  test('those of the window in steady traffic', () => {
    const { memory } = remember(repeat(60, { o: 900, d: 100 }));
    expect(guardedAttempts(memory, window(60, 61, { o: 900, d: 100 }), lag)).toBe(100);
  });

  test('as many as before for a lag after a step down, in proportion to the length', () => {
    const { memory } = remember([...repeat(60, { o: 900, d: 100 }), ...repeat(29, { o: 990, d: 0 })]);
    expect(guardedAttempts(memory, window(89, 91, { o: 990 }), lag)).toBeCloseTo(200, 9);
    const later = remember([{ o: 990 }, { o: 990 }], memory, 89).memory;
    expect(guardedAttempts(later, window(91, 92, { o: 990 }), lag)).toBe(0);
  });

  test('the open span is looked at too', () => {
    const { memory } = remember([...repeat(30, { o: 900 }), { o: 900, d: 30 }]);
    expect(memory.open).not.toBeNull();
    expect(guardedAttempts(memory, window(31, 32, { o: 900 }), lag)).toBe(30);
  });

  test('after a gap, the window alone', () => {
    const { memory } = remember(repeat(60, { o: 900, d: 100 }));
    expect(guardedAttempts(memory, window(62, 63, { d: 3 }), lag)).toBe(3);
    expect(guardedAttempts(memory, window(99, 100, { d: 3 }), lag)).toBe(3);
    expect(guardedAttempts(null, window(99, 100, { d: 3 }), lag)).toBe(3);
  });
});
