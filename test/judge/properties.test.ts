import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Window } from '../../src/core/judge/counting.ts';
import {
  enterStep,
  type JudgeState,
  judgeWindows,
  type Rules,
  startJudge,
  verdict,
} from '../../src/core/judge/judge.ts';
import { pass } from './traffic.ts';

const rules: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };

const count = fc.oneof(fc.nat(3), fc.nat(500), fc.constantFrom(0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER));
const side = fc.record({ attempts: count, failures: count });
const poll = fc.record({
  ms: fc.integer({ min: 1, max: 90_000 }),
  backends: fc.array(fc.option(fc.tuple(side, side)), { minLength: 3, maxLength: 3 }),
});
const polls = fc.array(poll, { maxLength: 60 });
const someRules = fc.record({
  alpha: fc.constantFrom(0.001, 0.5, 1e-300),
  beta: fc.constantFrom(0.01, 1e-300),
  tolerate: fc.constantFrom(0.5, 1, 2, 99),
  bad: fc.constantFrom(100, 1000),
  dispersion: fc.constantFrom(1, 3, 1e6),
  objective: fc.constantFrom(null, 0.01, 1e-12),
});

type Polls = ReturnType<typeof polls.generate>['value_'];

function windowsOfPolls(list: Polls): Record<string, Window | null>[] {
  let now = 1_700_000_000_000;
  const since: (number | undefined)[] = [];
  return list.map(({ ms, backends }) => {
    const from = now;
    now += ms;
    return Object.fromEntries(
      backends.map((sides, index) => {
        if (sides === null) return [`b${index}`, null];
        const fromMs = since[index] ?? from;
        since[index] = now;
        const [origin, destination] = sides;
        const originHosts = [
          { server: 'o1', ...origin },
          { server: 'o2', attempts: destination.attempts, failures: origin.failures },
        ];
        return [`b${index}`, { fromMs, toMs: now, origin, destination, originHosts, destinationOpen: 0 }];
      }),
    );
  });
}

function judgeAll(state: JudgeState, windows: readonly Record<string, Window | null>[]): JudgeState {
  return windows.reduce((now, each, index) => judgeWindows(index === 20 ? enterStep(now, 1) : now, each, pass), state);
}

function numbersOf(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}

describe('properties', () => {
  const options = { numRuns: 300 };

  test('never a number that is none, whatever the counts', () => {
    fc.assert(
      fc.property(polls, someRules, (list, some) => {
        const state = judgeAll(startJudge(some, 1), windowsOfPolls(list));
        for (const number of numbersOf([state, verdict(state)])) expect(Number.isFinite(number)).toBe(true);
      }),
      options,
    );
  });

  test('judging goes on from the JSON of any state exactly as from the state', () => {
    fc.assert(
      fc.property(polls, someRules, fc.nat(60), (list, some, cut) => {
        const windows = windowsOfPolls(list);
        const half = judgeAll(startJudge(some, 1), windows.slice(0, cut));
        const copy: JudgeState = JSON.parse(JSON.stringify(half));
        expect(copy).toEqual(half);
        const rest = windows.slice(cut);
        expect(JSON.stringify(judgeAll(copy, rest))).toBe(JSON.stringify(judgeAll(half, rest)));
      }),
      options,
    );
  });

  test('the order in which backends are named makes no difference', () => {
    fc.assert(
      fc.property(polls, someRules, (list, some) => {
        const windows = windowsOfPolls(list);
        const reversed = windows.map((each) => Object.fromEntries(Object.entries(each).reverse()));
        expect(judgeAll(startJudge(some, 1), reversed)).toEqual(judgeAll(startJudge(some, 1), windows));
      }),
      options,
    );
  });

  test('roll back, once said, is said for ever with the same evidence', () => {
    fc.assert(
      fc.property(polls, someRules, (list, some) => {
        let state = startJudge(some, 1);
        for (const each of windowsOfPolls(list)) {
          const next = judgeWindows(state, each, pass);
          if (verdict(state).verdict === 'roll back') expect(verdict(next)).toEqual(verdict(state));
          state = next;
        }
      }),
      options,
    );
  });

  test('a verdict has the evidence for it', () => {
    fc.assert(
      fc.property(polls, someRules, (list, some) => {
        const { verdict: word, rollBack, promote } = verdict(judgeAll(startJudge(some, 1), windowsOfPolls(list)));
        if (word === 'roll back') expect(rollBack.logEvidence).toBeGreaterThanOrEqual(rollBack.threshold);
        else expect(rollBack.logEvidence).toBeLessThan(rollBack.threshold);
        if (word === 'promote') expect(promote.threshold).toBeGreaterThan(0);
      }),
      options,
    );
  });

  test('two backends are not pooled: opposite shares and rates are no difference between the groups', () => {
    // At each backend both groups fail alike. Together the destination would fail nine times as often.
    let state = startJudge({ ...rules, alpha: 0.5 }, 1);
    for (let second = 0; second < 600; second++) {
      const at = { fromMs: second * 1000, toMs: second * 1000 + 1000, destinationOpen: 0, originHosts: [] };
      const bad = { origin: { attempts: 100, failures: 10 }, destination: { attempts: 900, failures: 90 } };
      const good = { origin: { attempts: 900, failures: 0 }, destination: { attempts: 100, failures: 0 } };
      state = judgeWindows(state, { bad: { ...at, ...bad }, good: { ...at, ...good } }, pass);
    }
    expect(verdict(state).rollBack.logEvidence).toBeLessThan(0);
    expect(state.decided).toBeNull();
  });
});
