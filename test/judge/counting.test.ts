import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Counting, countBackend, lateRequests, type Window } from '../../src/core/judge/counting.ts';
import { type BackendReading, type ServerCounters, zeroCounters } from '../../src/core/observed/backend.ts';
import { known } from '../../src/core/observed/reading.ts';
import { madeReading, madeServer } from '../made/readings.ts';

type Counters = Partial<ServerCounters>;

const cumulative = [
  'attempts',
  'rsp1xx',
  'rsp2xx',
  'rsp3xx',
  'rsp4xx',
  'rsp5xx',
  'srvAbrt',
  'econ',
  'eresp',
  'wretr',
  'wredis',
] as const;

function reading(servers: Readonly<Record<string, Counters>>, process = 'one'): BackendReading {
  const made = Object.entries(servers).map(([name, counters]) => madeServer(name, { counters }));
  return madeReading(made, { process });
}

function sideOf(server: string): 'origin' | 'destination' | null {
  if (server.startsWith('o')) return 'origin';
  return server.startsWith('d') ? 'destination' : null;
}

/** Readings one second apart, as their windows. */
function windowsOf(...readings: readonly BackendReading[]): (Window | null)[] {
  let counting: Counting | null = null;
  return readings.map((one, index) => {
    const counted = countBackend(counting, one, index * 1000, sideOf);
    counting = counted.counting;
    return counted.window;
  });
}

/** [attempts, failures] of one destination server between readings one second apart; the first reading makes no window. */
function counts(...readings: readonly Counters[]): (readonly [number, number] | null)[] {
  const windows = windowsOf(...readings.map((counters) => reading({ d1: counters })));
  return windows.slice(1).map((window) => window && [window.destination.attempts, window.destination.failures]);
}

describe('failures that HAProxy hides', () => {
  test.each([
    ['healthy answers of every kind', { attempts: 100, rsp2xx: 70, rsp3xx: 20, rsp4xx: 10 }, 100, 0],
    ['10 % answer 500', { attempts: 1150, rsp2xx: 1035, rsp5xx: 115 }, 1150, 115],
    ['refused and redispatched: users saw 211 of the 5060', { attempts: 5060, econ: 211, wredis: 4849 }, 5060, 5060],
    ['refused without retries', { attempts: 5590, econ: 5590 }, 5590, 5590],
    ['closed without an answer, 89 % of it in no error counter', { attempts: 1800, eresp: 207 }, 1800, 1800],
    ['closed without an answer, hidden by retry-on', { attempts: 2778, wretr: 2763 }, 2778, 2778],
    ['500 hidden by retry-on: one of 3054 is told', { attempts: 3054, rsp5xx: 1, wretr: 3053 }, 3054, 3054],
    ['an answer broken off by the server after its 200', { attempts: 10, rsp2xx: 10, srvAbrt: 3 }, 10, 3],
    ['requests that hang: nothing yet', { attempts: 20, scur: 20 }, 20, 0],
    ['early hints are no answers', { attempts: 20, rsp1xx: 20, rsp5xx: 20 }, 20, 20],
    ['more errors told than attempts explain', { attempts: 5, rsp2xx: 5, econ: 2 }, 5, 2],
  ] as const)('%s', (_what, counters, attempts, failures) => {
    expect(counts({}, counters)).toEqual([[attempts, failures]]);
  });
});

describe('streams that end later than their window', () => {
  test('healthy long streams are no failures, neither while they run nor when they end', () => {
    const running = { attempts: 20, rsp2xx: 20, scur: 20 };
    expect(counts({}, running, running, { attempts: 20, rsp2xx: 20 })).toEqual([
      [20, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test('failures beside running streams are found at the latest when the streams have ended, and once', () => {
    const beside = { attempts: 30, rsp2xx: 20, scur: 20 };
    expect(counts({}, beside, { attempts: 30, rsp2xx: 20, scur: 5 }, { attempts: 30, rsp2xx: 20 })).toEqual([
      [30, 0],
      [0, 5],
      [0, 5],
    ]);
  });

  test('errors that are told count at once, streams or not, and are not counted again when the streams end', () => {
    const beside = { attempts: 30, rsp2xx: 20, rsp5xx: 10, scur: 20 };
    expect(counts({}, beside, { ...beside, scur: 0 })).toEqual([
      [30, 10],
      [0, 0],
    ]);
  });

  test('failures that were counted stay counted while answered streams beside them are open', () => {
    expect(counts({}, { attempts: 10 }, { attempts: 30, rsp2xx: 20, scur: 20 }, { attempts: 31, rsp2xx: 20 })).toEqual([
      [10, 10],
      [20, 0],
      [1, 1],
    ]);
  });

  test('whatever the order of events, all windows together hold max(0, G, H) at its largest', () => {
    const poll = fc.array(fc.tuple(fc.constantFrom(...cumulative, 'scur' as const), fc.nat(9)), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(poll, { minLength: 1, maxLength: 20 }), (polls) => {
        const now: { -readonly [Name in keyof ServerCounters]: number } = { ...zeroCounters };
        const readings = polls.map((changes) => {
          // A gauge: what is said of it is its value, and not an increase.
          for (const [name, by] of changes) now[name] = name === 'scur' ? by : now[name] + by;
          return { ...now };
        });
        const first = readings[0] ?? zeroCounters;
        let most = 0;
        for (const at of readings.slice(1)) {
          const since = (name: keyof ServerCounters) => at[name] - first[name];
          const G =
            since('attempts') - since('rsp2xx') - since('rsp3xx') - since('rsp4xx') + since('srvAbrt') - at.scur;
          most = Math.max(most, G, since('rsp5xx') + since('econ') + since('eresp'));
        }
        const windows = counts(...readings).map((window) => window ?? [0, 0]);
        for (const [, failures] of windows) expect(failures).toBeGreaterThanOrEqual(0);
        expect(windows.reduce((sum, [, failures]) => sum + failures, 0)).toBe(most);
      }),
    );
  });

  test('a stream already answered at the first reading does not end as a failure', () => {
    expect(counts({ attempts: 5, rsp2xx: 5, scur: 5 }, { attempts: 5, rsp2xx: 5 })).toEqual([[0, 0]]);
  });

  test('failures may be seen in a later window than their attempts', () => {
    expect(counts({}, { attempts: 10, scur: 10 }, { attempts: 10, rsp5xx: 10 })).toEqual([
      [10, 0],
      [0, 10],
    ]);
  });
});

describe('counters that start anew', () => {
  test('what happened before the first reading is not counted', () => {
    const before = { attempts: 1000, rsp2xx: 900, rsp5xx: 50, econ: 10 };
    expect(counts(before, { ...before, attempts: 1001, rsp5xx: 51 })).toEqual([[1, 1]]);
  });

  test('a new process is a first reading, whatever its counters say', () => {
    const first = countBackend(null, reading({ d1: { attempts: 10, rsp2xx: 10 } }, '1 100'), 0, sideOf);
    const second = countBackend(first.counting, reading({ d1: { attempts: 50, rsp2xx: 20 } }, '2 200'), 1000, sideOf);
    expect(second.window).toBeNull();
    expect(second.restarted).toContain('2 200');
    const third = countBackend(second.counting, reading({ d1: { attempts: 60, rsp2xx: 29 } }, '2 200'), 2000, sideOf);
    expect(third).toMatchObject({ window: { destination: { attempts: 10, failures: 1 } }, restarted: null });
  });

  test.each(cumulative)('a %s that falls makes the reading a first one for every server', (name) => {
    const before = { o1: { attempts: 9 }, d1: { [name]: 7 } };
    const after = { o1: { attempts: 10 }, d1: { [name]: 6 } };
    const counting = countBackend(null, reading(before), 0, sideOf).counting;
    const cleared = countBackend(counting, reading(after), 1000, sideOf);
    expect(cleared.window).toBeNull();
    expect(cleared.restarted).toContain(`d1 fell (${name})`);
    expect(countBackend(cleared.counting, reading(after), 2000, sideOf).window).toMatchObject({
      origin: { attempts: 0, failures: 0 },
      destination: { attempts: 0, failures: 0 },
    });
  });

  describe('a reading of earlier that comes late', () => {
    const at = (attempts: number, rsp5xx: number) =>
      reading({
        o1: { attempts: attempts / 2, rsp2xx: attempts / 2 },
        d1: { attempts, rsp2xx: attempts - rsp5xx, rsp5xx },
      });
    const sumOf = (...readings: readonly (readonly [number, number, number])[]) => {
      let counting = null as Parameters<typeof countBackend>[0];
      let sum = { attempts: 0, failures: 0 };
      for (const [atMs, given, failed] of readings) {
        const counted = countBackend(counting, at(given, failed), atMs, sideOf);
        const { attempts = 0, failures = 0 } = counted.window?.destination ?? {};
        sum = { attempts: sum.attempts + attempts, failures: sum.failures + failures };
        counting = counted.counting;
      }
      return sum;
    };

    test('adds nothing, and nothing that was counted is counted again', () => {
      expect(sumOf([0, 1000, 0], [1000, 1100, 4], [2000, 1000, 0], [3000, 1050, 2], [4000, 1300, 5])).toEqual({
        attempts: 300,
        failures: 5,
      });
    });

    test('is a first one where that lasts, and at once where next to nothing is left', () => {
      expect(sumOf([0, 1000, 0], [1000, 1100, 0], [31_001, 1050, 0], [32_000, 1060, 1])).toEqual({
        attempts: 110,
        failures: 1,
      });
      expect(sumOf([0, 1000, 9], [1000, 1100, 9], [2000, 40, 1], [3000, 60, 2])).toEqual({
        attempts: 120,
        failures: 1,
      });
    });
  });

  test('streams that end are no reset', () => {
    expect(counts({}, { attempts: 9, scur: 9 }, { attempts: 9, rsp2xx: 9, scur: 0 })).toEqual([
      [9, 0],
      [0, 0],
    ]);
  });

  test('a clock that goes back makes a first reading rather than a window of negative length', () => {
    const counting = countBackend(null, reading({ d1: {} }), 5000, sideOf).counting;
    const back = countBackend(counting, reading({ d1: { attempts: 4 } }), 1000, sideOf);
    expect(back).toMatchObject({ window: null, restarted: 'the clock went back' });
    expect(countBackend(back.counting, reading({ d1: { attempts: 5 } }), 2000, sideOf).window).toMatchObject({
      fromMs: 1000,
      toMs: 2000,
      destination: { attempts: 1 },
    });
  });

  test('the same reading twice changes nothing', () => {
    const counting = countBackend(null, reading({ d1: {}, x: {} }), 5000, sideOf).counting;
    const again = countBackend(counting, reading({ d1: {}, x: {} }), 5000, sideOf);
    expect(again).toEqual({ counting, window: null, restarted: null, others: ['x'] });
  });
});

describe('windows', () => {
  test('a reading that is missing makes a longer window', () => {
    let counting = countBackend(null, reading({ d1: {} }), 0, sideOf).counting;
    counting = countBackend(counting, reading({ d1: { attempts: 1 } }), 1000, sideOf).counting;
    expect(countBackend(counting, reading({ d1: { attempts: 9 } }), 61_000, sideOf).window).toMatchObject({
      fromMs: 1000,
      toMs: 61_000,
      destination: { attempts: 8 },
    });
  });

  test('groups are summed, origin hosts are told one by one, servers of neither group are named', () => {
    const [, window] = windowsOf(
      reading({ o1: {}, o2: {}, d1: {}, spare: {} }),
      reading({
        o1: { attempts: 5, rsp2xx: 4 },
        o2: { attempts: 6, rsp2xx: 6 },
        d1: { attempts: 2 },
        spare: { attempts: 99 },
      }),
    );
    expect(window).toEqual({
      fromMs: 0,
      toMs: 1000,
      origin: { attempts: 11, failures: 1 },
      destination: { attempts: 2, failures: 2 },
      destinationOpen: 0,
      originHosts: [
        { server: 'o1', attempts: 5, failures: 1 },
        { server: 'o2', attempts: 6, failures: 0 },
      ],
    });
    expect(countBackend(null, reading({ o1: {}, spare: {} }), 0, sideOf).others).toEqual(['spare']);
  });

  test('what the destination had not ended when the window began is told', () => {
    const [, first, second] = windowsOf(
      reading({ o1: { scur: 7 }, d1: { attempts: 5, scur: 5 } }),
      reading({ o1: { scur: 7 }, d1: { attempts: 9, rsp2xx: 6, scur: 3 } }),
      reading({ o1: {}, d1: { attempts: 9, rsp2xx: 6, rsp5xx: 3 } }),
    );
    expect([first?.destinationOpen, second?.destinationOpen]).toEqual([5, 3]);
  });

  test('a server that comes is counted from its first reading on, one that goes is forgotten', () => {
    const windows = windowsOf(
      reading({ d1: { attempts: 1 } }),
      reading({ d1: { attempts: 2 }, d2: { attempts: 50 } }),
      reading({ d2: { attempts: 53 } }),
      reading({ d1: { attempts: 1000 }, d2: { attempts: 54 } }),
    );
    expect(windows.map((window) => window?.destination.attempts)).toEqual([undefined, 1, 3, 1]);
  });

  test('a server may be named like anything', () => {
    const name = '__proto__';
    const named = (counters: Counters) => reading(Object.fromEntries([[name, counters]]));
    const first = countBackend(null, named({}), 0, () => 'destination').counting;
    const second = countBackend(first, named({ attempts: 3 }), 1000, () => 'destination');
    expect(second.window?.destination).toEqual({ attempts: 3, failures: 3 });
  });

  test('counting goes on from its JSON', () => {
    const first = countBackend(null, reading({ o1: {}, d1: {} }), 0, sideOf).counting;
    const next = reading({ o1: { attempts: 3 }, d1: { attempts: 2, rsp2xx: 1 } });
    const copy: Counting = JSON.parse(JSON.stringify(first));
    expect(countBackend(copy, next, 1000, sideOf)).toEqual(countBackend(first, next, 1000, sideOf));
  });
});

describe('requests that hang', () => {
  /** Readings a second apart up to second 10, each with the counters for that second. */
  function late(at: (second: number) => Readonly<Record<string, Counters>>, seconds = 10) {
    let counting = countBackend(null, reading(at(0)), 0, sideOf).counting;
    for (let second = 1; second <= seconds; second++) {
      counting = countBackend(counting, reading(at(second)), second * 1000, sideOf).counting;
    }
    return lateRequests(counting);
  }

  test('unknown until readings are 10 s apart', () => {
    expect(late(() => ({ d1: { scur: 100 } }), 9)).toMatchObject({ known: false });
  });

  test('more streams open than were dispatched in 10 s: the difference is late', () => {
    const seen = late((second) => ({ o1: { attempts: 100 * second }, d1: { attempts: 10 * second, scur: 115 } }));
    expect(seen).toEqual(
      known({ origin: { late: 0, attempts: 1000 }, destination: { late: 15, attempts: 100 }, tripped: true }),
    );
  });

  test('nine are not enough, whatever the ratio', () => {
    const seen = late((second) => ({ o1: { attempts: 1000 * second }, d1: { attempts: second, scur: 19 } }));
    expect(seen).toMatchObject({ value: { destination: { late: 9 }, tripped: false } });
  });

  test('long requests on both sides are the service, not a fault', () => {
    const both = late((second) => ({
      o1: { attempts: 100 * second, scur: 1500 },
      d1: { attempts: 10 * second, scur: 150 },
    }));
    expect(both).toMatchObject({ value: { origin: { late: 500 }, destination: { late: 50 }, tripped: false } });
  });

  test('exactly ten times as many per attempt is not more than ten times', () => {
    // late_d / n_d = 20 / 100, and 10 · (late_o + 1) / n_o = 10 · 20 / 1000.
    const at = (open: number) => (second: number) => ({
      o1: { attempts: 100 * second, scur: 1019 },
      d1: { attempts: 10 * second, scur: open },
    });
    expect(late(at(120))).toMatchObject({ value: { tripped: false } });
    expect(late(at(121))).toMatchObject({ value: { tripped: true } });
  });

  test('a destination that takes nothing any more while its streams stay open hangs', () => {
    expect(late((second) => ({ o1: { attempts: 10 * second }, d1: { attempts: 10, scur: 10 } }))).toMatchObject({
      value: { destination: { late: 10, attempts: 0 }, tripped: true },
    });
  });

  test('with no traffic at the origin there is nothing to hold it against', () => {
    expect(late((second) => ({ d1: { attempts: second, scur: 500 } }))).toMatchObject({ value: { tripped: false } });
  });

  test('polls closer together keep the memory small and look back far enough', () => {
    let counting = countBackend(null, reading({ d1: {} }), 0, sideOf).counting;
    for (let ms = 50; ms <= 60_000; ms += 50) {
      counting = countBackend(counting, reading({ d1: { attempts: ms / 50, scur: 300 } }), ms, sideOf).counting;
    }
    expect(JSON.stringify(counting).length).toBeLessThan(1500);
    // At least 10 s back, at most half a second more: 200 to 210 attempts of 20 per second.
    const seen = lateRequests(counting);
    const attempts = seen.known ? seen.value.destination.attempts : 0;
    expect(attempts).toBeGreaterThanOrEqual(200);
    expect(attempts).toBeLessThanOrEqual(210);
  });
});
