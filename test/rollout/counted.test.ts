import { describe, expect, test } from 'vitest';
import type { PastRollout } from '../../src/cli/journal/history.ts';
import { reportLines } from '../../src/cli/why/report.ts';
import { known } from '../../src/core/observed/reading.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import { foldedOnto, madeObservation, sinceMs, stateAt, waitingTarget } from '../made/rollout.ts';

const judging = stateAt({ kind: 'judging', step: 1 });
const second = 1000;

/** Counters as they stand so many seconds after the beginning, 10 attempts per second and group; `failed` at the destination. */
function look(before: Watch, state: RolloutState, seconds: number, failed = 0, process = 'edge/1'): Watch {
  const attempts = 10 * seconds;
  const servers = [
    madeServer('old-1', { counters: { attempts, rsp2xx: attempts } }),
    madeServer('new-1', { counters: { attempts, rsp2xx: attempts - failed, rsp5xx: failed } }),
  ];
  const atMs = sinceMs + seconds * second;
  const backends = { edge: { atMs, reading: known(madeReading(servers, { process })) } };
  return watch(before, state, madeObservation({ nowMs: atMs, backends }));
}

const at = (seconds: number) => sinceMs + seconds * second;
const attempts = (watched: Watch) => watched.counted.destination.attempts;

describe('what users felt', () => {
  test('goes on from the last entry of the controller before, and what was counted by nobody is told', () => {
    const first = look(look(startWatch(judging), judging, 10), judging, 40);
    const state = foldedOnto(judging, [checkpointOf(judging, first, 0)]);
    const died = look(first, state, 60, 50);
    expect(attempts(died)).toBe(500);
    const next = look(look(startWatch(state), state, 70, 50), state, 75, 50);
    expect(attempts(next)).toBe(300 + 50);
    expect(next.counted.gaps).toContainEqual({ fromMs: at(40), toMs: at(70) });
  });

  test('lacks nothing of a rollout that one controller counts from before its first change', () => {
    const preparing = stateAt({ kind: 'preparing' }, waitingTarget);
    const watched = look(look(look(startWatch(preparing), preparing, 1), preparing, 2), judging, 60);
    expect(watched.counted).toMatchObject({ gaps: [], untilMs: { edge: at(60) }, destination: { attempts: 590 } });
  });

  test('lacks what a balancer counted between its last reading and its end', () => {
    const preparing = stateAt({ kind: 'preparing' }, waitingTarget);
    let watched = look(look(startWatch(preparing), preparing, 1), judging, 5);
    watched = look(look(watched, judging, 8, 0, 'edge/2'), judging, 9, 0, 'edge/2');
    expect(watched.counted.gaps).toEqual([{ fromMs: at(5), toMs: at(8) }]);
    expect(attempts(watched)).toBe(40 + 10);
  });

  test('keeps its gaps few where counters begin anew all day, and gives up what lies between them rather than forget one', () => {
    let watched = look(startWatch(judging), judging, 1);
    for (let round = 1; round <= 40; round++) {
      watched = look(watched, judging, 3 * round, 0, `edge/${round + 1}`);
      watched = look(watched, judging, 3 * round + 2, 0, `edge/${round + 1}`);
    }
    const gaps = watched.counted.gaps ?? [];
    expect(gaps).toHaveLength(16);
    expect([gaps[0]?.fromMs, gaps.at(-1)?.toMs]).toEqual([sinceMs, at(120)]);
  });

  test('acquits the destination only where all of it was counted', () => {
    const acquitted = "The destination did not fail more often than the origin's rate explains.";
    const told = (counted: RolloutState['counted'], stage: RolloutState['stage'] = { kind: 'completed' }) =>
      reportLines({ state: { ...judging, stage, counted }, entries: [] } satisfies PastRollout, null, null).join('\n');
    const fine = { origin: { attempts: 900, failures: 9 }, destination: { attempts: 100, failures: 1 } };
    expect(told(fine)).toContain(acquitted);
    const gaps = [{ fromMs: at(40), toMs: at(70) }];
    const untold = told({ ...fine, gaps });
    expect(untold).not.toContain(acquitted);
    expect(untold).toContain(
      'What was counted between 1970-01-01T00:17:20.000Z and 1970-01-01T00:17:50.000Z is not known',
    );
    const running = told({ ...fine, untilMs: { edge: at(40) } }, { kind: 'judging', step: 1 });
    expect(running).not.toContain(acquitted);
    expect(running).toContain('until 1970-01-01T00:17:20.000Z');
    expect(told({ ...fine, destination: { attempts: 100, failures: 31 }, gaps })).toContain(
      "30 failures more than the origin's rate explains, without what is not known",
    );
    const none = { attempts: 0, failures: 0 };
    expect(told({ origin: none, destination: { attempts: 50, failures: 50 } })).not.toContain(acquitted);
    expect(told({ origin: none, destination: none, gaps })).toContain('is not known');
    expect(told({ origin: none, destination: none }, { kind: 'judging', step: 1 })).toContain('in the journal yet');
  });
});
