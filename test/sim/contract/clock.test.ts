import type { Clock } from '../../../src/engine/ports.ts';
import { plantedParts, testPlanted, type Wrong } from '../../contract/clauses.ts';
import { type ClockHarness, clockClauses, clockContract } from '../../contract/clock.ts';
import { openWorld } from './world.ts';

clockContract('simulated', open);

async function open(): Promise<ClockHarness> {
  const { time, controller } = openWorld({});
  return { clock: controller().clock, pass: (ms) => time.pass(ms) };
}

const wrong: readonly Wrong<Clock>[] = [
  {
    wrong: 'it counts seconds',
    clause: 'both times are milliseconds and go on together; the steady one never goes back',
    as: (clock) => ({ monotonic: () => clock.monotonic() / 1000 }),
  },
  {
    wrong: 'it sleeps half as long',
    clause: 'a sleep lasts as long as it was to last, and then ends',
    as: (clock) => ({ sleep: (ms, signal) => clock.sleep(ms / 2, signal) }),
  },
  {
    wrong: 'it sleeps through what should wake it',
    clause: 'a signal ends it at once and without an error, also one that had aborted before',
    as: (clock) => ({ sleep: (ms) => clock.sleep(ms, new AbortController().signal) }),
  },
  {
    wrong: 'a sleep that is too long for a timer is none',
    clause: 'a sleep of Infinity ms does not end before its time, and its signal still ends it',
    as: (clock) => ({ sleep: (ms, signal) => clock.sleep(ms > 2 ** 31 - 1 ? 1 : ms, signal) }),
  },
];

testPlanted<ClockHarness>(
  'contract of a clock',
  clockClauses(),
  { open, close: async () => undefined },
  plantedParts(wrong, (harness, mistaken) => ({ ...harness, clock: mistaken(harness.clock) })),
);
