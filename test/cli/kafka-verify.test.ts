import { describe, expect, test } from 'vitest';
import type { KafkaSide, Piece, Reach } from '../../src/cli/kafka/side.ts';
import { Progress } from '../../src/cli/kafka/verify/progress.ts';
import type { Seen } from '../../src/core/move/alignment.ts';
import { PortError } from '../../src/engine/ports.ts';
import { differences } from '../docs/page.ts';
import { runDrover } from '../made/context.ts';

type Log = {
  readonly logStart?: number;
  readonly records: readonly Seen[];
  /** What is deleted up to there while it is read. */
  readonly goneTo?: number;
  readonly policy?: string;
};

describe('a log that has lost its beginning', () => {
  test('is compared from there on, however much the other one has before it', async () => {
    const source = { logStart: 70_000, records: records(70_000, 90_000) };
    const { code, report } = await verified(source, { records: records(0, 90_000) });
    expect(code).toBe(3);
    expect(report).toMatchObject({
      verdict: 'undecidable',
      topics: [
        {
          partitions: [{ equal: 20_000, before: { side: 'target', offsets: { from: 0, to: 69_999 }, count: 70_000 } }],
        },
      ],
    });
  });

  test('on the target is a difference', async () => {
    const target = { logStart: 70_000, records: records(70_000, 90_000) };
    const { code, report } = await verified({ records: records(0, 90_000) }, target);
    expect(code).toBe(2);
    expect(report).toMatchObject({ topics: [{ partitions: [{ equal: 20_000, before: { side: 'source' } }] }] });
  });

  test('is found by its content where the times were lost too', async () => {
    const source = { logStart: 70_000, records: records(70_000, 90_000) };
    const target = { records: records(0, 90_000).map((one) => ({ ...one, timeMs: 5 })) };
    const { report } = await verified(source, target);
    expect(report).toMatchObject({
      topics: [{ partitions: [{ counts: { retimed: 20_000, changed: 0 }, before: { count: 70_000 } }] }],
    });
  });

  test('and has nothing in common with the other one is read in whole', async () => {
    const target = { records: records(0, 500).map((one) => ({ ...one, content: `other ${one.offset}` })) };
    const { code, report } = await verified({ logStart: 9, records: records(9, 500) }, target);
    expect(code).toBe(2);
    expect(report).toMatchObject({ topics: [{ partitions: [{ equal: 0, before: null }] }] });
  });

  test('while it was read makes it undecidable on the source, and a difference on the target', async () => {
    const overrun = { records: records(300, 500), goneTo: 300 };
    const whole = { records: records(0, 500) };
    expect((await verified(overrun, whole)).code).toBe(3);
    expect((await verified(whole, overrun)).code).toBe(2);
  });
});

describe('compaction', () => {
  test('decides nothing where both are equal or only their times are not', async () => {
    const compact = { records: records(0, 50), policy: 'compact,delete' };
    expect((await verified(compact, compact)).code).toBe(0);
    expect((await verified(compact, { records: records(0, 40), policy: 'delete' })).code).toBe(3);
    expect(
      (await verified(compact, { ...compact, records: records(0, 50).map((one) => ({ ...one, timeMs: 1 })) })).code,
    ).toBe(2);
  });
});

test('what a side says of itself ends it, and is told as it is', async () => {
  const broken: KafkaSide = {
    ...sideOf({ records: [] }),
    topics: () => Promise.reject(new PortError('unreachable', 'the source cannot be reached', { retriable: true })),
  };
  const run = runDrover(words(), { world: { openKafka: () => broken }, ...rest() });
  await expect(run).rejects.toThrow('the source cannot be reached');
});

test.each([
  ['no port', 'broker'],
  ['no number', 'broker:x'],
  ['a scheme', 'http://a:1'],
  ['a port too high', 'a:70000'],
  ['nothing', ''],
])('an address with %s is refused before anything is connected', async (_, source) => {
  const run = runDrover(words(source), { world: { openKafka: () => sideOf({ records: [] }) }, ...rest() });
  await expect(run).rejects.toThrow('is no address');
});

test.each(['(', 'a)|(b', '\\x'])(
  'topics that are no regular expression are told as they were typed: %s',
  async (typed) => {
    const run = runDrover(words('a:1', typed), { world: { openKafka: () => sideOf({ records: [] }) }, ...rest() });
    await expect(run).rejects.toThrow(`--topics: Invalid regular expression: /${typed}/u`);
  },
);

test('the time to completion is told after five seconds, by the speed of the last half minute', () => {
  let nowMs = 0;
  const progress = new Progress({ monotonic: () => nowMs }, 100_000, 4);
  const after = (ms: number, offsets: number) => {
    nowMs += ms;
    progress.add({ offsets, records: offsets, bytes: offsets * 100 });
    return progress.line();
  };
  expect(after(0, 0)).toBe('0 of 4 partitions, 0 %: 0 B, 0 records');
  expect(after(2000, 2000)).not.toContain('to go');
  expect(after(4000, 4000)).toContain('6 %: 600 kB, 6,000 records, 100 kB/s; about 2 min to go');
  for (let second = 0; second < 40; second += 1) after(1000, 0);
  expect(progress.line()).toContain('nothing has come for a while');
});

async function verified(source: Log, target: Log) {
  const logs = { source, target };
  const openKafka = ({ side }: Reach) => sideOf(logs[side]);
  const { text, code } = await runDrover(words(), { world: { openKafka }, ...rest() });
  const report: unknown = JSON.parse(text);
  expect(differences('kafka-verify.md', 'kafka-verify', report)).toEqual([]);
  return { code, report };
}

function words(source = 'a:1', topics = 'orders'): string[] {
  return ['kafka', 'verify', '--source', source, '--target', 'b:1', '--topics', topics, '--json'];
}

function rest() {
  const clock = { now: () => 0, monotonic: () => 0, sleep: () => Promise.resolve() };
  return { stderr: { write: () => undefined, terminal: null }, clock };
}

function sideOf({ logStart = 0, records: all, goneTo, policy = 'delete' }: Log): KafkaSide {
  const end = (all.at(-1)?.offset ?? -1) + 1;
  return {
    notes: [],
    topics: () => Promise.resolve([{ name: 'orders', partitions: [0] }]),
    missing: () => Promise.resolve([]),
    settings: () => Promise.resolve(new Map([['orders', { cleanupPolicy: policy, timestampType: 'CreateTime' }]])),
    bounds: () => Promise.resolve([{ topic: 'orders', partition: 0, logStart, end, highWatermark: end }]),
    records: () => {
      const pieces: Piece[] = goneTo === undefined ? [] : [{ ...piece([]), next: goneTo, goneTo }];
      for (let at = 0; at < all.length; at += 700) pieces.push(piece(all.slice(at, at + 700)));
      return { next: () => Promise.resolve(pieces.shift() ?? null) };
    },
    close: () => Promise.resolve(),
  };
}

function piece(some: readonly Seen[]): Piece {
  return { records: some, next: (some.at(-1)?.offset ?? -1) + 1, bytes: 1, hasAppendTime: false, goneTo: null };
}

function records(from: number, to: number): Seen[] {
  return Array.from({ length: to - from }, (_, index) => {
    const offset = from + index;
    return { offset, timeMs: 1000 + offset, content: `record ${offset}` };
  });
}
