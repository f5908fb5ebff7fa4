import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RacingPartition, retentionRace } from '../../src/core/move/retention-race.ts';

const hourMs = 3_600_000;
const nowMs = 1_700_000_000_000;

/** Ten hours of records, the oldest of twelve hours ago, kept for a day. */
const partition: RacingPartition = {
  nowMs,
  copyMs: hourMs,
  retentionMs: 24 * hourMs,
  retentionBytes: null,
  oldestMs: nowMs - 12 * hourMs,
  newestMs: nowMs - 2 * hourMs,
  bytes: 1_000_000,
  appendedBytesPerSecond: 0,
};

describe('the race with what the source deletes', () => {
  test('is none where nothing is deleted, or where the newest record is due after all is copied', () => {
    expect(retentionRace({ ...partition, retentionMs: null, copyMs: 1e15 })).toEqual({ kind: 'none', why: 'kept' });
    expect(retentionRace(partition)).toEqual({ kind: 'none', why: 'in time' });
    expect(retentionRace({ ...partition, copyMs: 22 * hourMs })).toEqual({ kind: 'none', why: 'in time' });
  });

  test('is lost at the moment at which the front of what is deleted has come to where the copy is', () => {
    // After 24 h the copy is at 24/30 of it, and of the ten hours (24 − 12)/10 are due: passed at 18 h, at 18/30 and 6/10.
    const race = retentionRace({ ...partition, copyMs: 30 * hourMs });
    expect(race).toEqual({ kind: 'overtaken', inMs: 18 * hourMs, by: 'time' });
  });

  test('begins at once where the oldest records are due already', () => {
    const due = { ...partition, retentionMs: 12 * hourMs };
    expect(retentionRace(due)).toEqual({ kind: 'due' });
    expect(retentionRace({ ...due, copyMs: 11 * hourMs })).toEqual({ kind: 'overtaken', inMs: 0, by: 'time' });
  });

  test('is lost by size where more is appended than copied', () => {
    const bySize = { ...partition, retentionMs: null, retentionBytes: 1_500_000, copyMs: 1_000_000 };
    expect(retentionRace(bySize)).toEqual({ kind: 'none', why: 'in time' });
    // 2 bytes a ms come, 1 is copied: the spare half million lasts for as many ms.
    const race = retentionRace({ ...bySize, appendedBytesPerSecond: 2000 });
    expect(race).toEqual({ kind: 'overtaken', inMs: 500_000, by: 'size' });
    expect(retentionRace({ ...bySize, retentionBytes: 900_000, appendedBytesPerSecond: 500 })).toEqual({ kind: 'due' });
  });

  test('is told as a walk through time finds it', () => {
    const hours = (min: number, max: number) => fc.integer({ min: min * 60, max: max * 60 }).map((m) => m * 60_000);
    const racing = fc.record({
      copyMs: hours(1, 200),
      retentionMs: hours(1, 100),
      length: hours(1, 50),
      age: hours(0, 50),
    });
    fc.assert(
      fc.property(racing, ({ copyMs, retentionMs, length, age }) => {
        const newestMs = nowMs - age;
        const oldestMs = newestMs - length;
        const race = retentionRace({ ...partition, copyMs, retentionMs, oldestMs, newestMs });
        const ahead = (ms: number) => ms / copyMs - (nowMs + ms - retentionMs - oldestMs) / length;
        if (race.kind === 'overtaken' && race.inMs > 0) {
          expect(ahead(race.inMs * 0.999)).toBeGreaterThan(0);
          expect(ahead(race.inMs * 1.001)).toBeLessThan(0);
        }
        if (race.kind === 'none')
          for (let step = 0; step <= 100; step++) expect(ahead((copyMs * step) / 100)).toBeGreaterThanOrEqual(-1e-9);
        if (race.kind === 'due') expect(ahead(0)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
