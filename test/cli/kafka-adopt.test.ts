import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { World } from '../../src/cli/context.ts';
import type { AdoptionSide } from '../../src/cli/kafka/adopt/world.ts';
import type { CopySide } from '../../src/cli/kafka/copy/world.ts';
import type { Reach } from '../../src/cli/kafka/side.ts';
import type { SourceBatch, StandingBatch } from '../../src/core/move/adoption.ts';
import { known } from '../../src/core/observed/reading.ts';
import { systemClock } from '../../src/io/clock/system.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { AdoptedLedger, placeAdoptedLedger } from '../../src/io/kafka/child/adopted-ledger.ts';
import { lookAtLedger } from '../../src/io/kafka/child/look-at-ledger.ts';
import { differences } from '../docs/page.ts';
import { directoryForEach, runDrover } from '../made/context.ts';
import { partitionFacts, previewSide, sourceSide } from '../made/preview-side.ts';
import { settings, settingsOf43, topicFacts } from '../made/topics.ts';

/** Ten batches of ten on the source, six of them on the target. */
const source: readonly SourceBatch[] = Array.from({ length: 10 }, (_, index) => ({
  ...{ kind: 'batch', from: index * 10, to: index * 10 + 10, count: 10, checksum: 500 + index, firstMs: index },
  ...{ kept: null, epoch: 2, contents: () => [] },
}));
const target: readonly StandingBatch[] = source.slice(0, 6).map(({ from, count, checksum, firstMs }) => ({
  ...{ base: from, count, records: count, checksum, firstMs, epoch: 3 },
  ...{ producer: '4611686018427387999', isOurs: true, isIntact: true, contents: () => [] },
}));
const directory = directoryForEach();

describe('kafka copy --adopt', () => {
  test('proves what stands there, plans to go on behind it, and leaves no ledger where nobody agrees', async () => {
    const { code, lines, sleptMs } = await adopted({});
    expect(code).toBe(2);
    for (const line of lines) expect(differences('kafka-copy.md', 'kafka-copy', line)).toEqual([]);
    const proven = { begin: at(0), end: at(60), batches: 6, madeAnew: 0, records: 60 };
    expect(lines[0]).toEqual({ adoption: [{ topic: 'orders', partition: 0, proven, refusal: null }] });
    const adoption = { end: at(60), batches: 6, records: 60 };
    expect(lines[1]).toMatchObject({
      plan: { topics: [{ name: 'orders', partitions: [{ partition: 0, begin: at(0), end: 100, adopted: adoption }] }] },
    });
    // A request of another mover may be on its way for half a minute.
    expect(sleptMs).toBe(30_000);
    expect(ledgers()).toBe(false);
  });

  test('without it the topic is refused, and the message names it', async () => {
    await expect(adopted({ words: [] })).rejects.toMatchObject({
      message: expect.stringContaining('orders: the target holds records of it that no copy of ours has written'),
    });
    await expect(adopted({ words: [] })).rejects.toThrow('--adopt proves that');
  });

  test('refuses what is not proven, with topic, partition and offsets on both sides, and makes no ledger', async () => {
    const other = target.map((batch) => (batch.base === 30 ? { ...batch, checksum: 1 } : batch));
    const told = { text: '' };
    await expect(adopted({ target: other, told })).rejects.toMatchObject({
      message: 'what stands on the target is not proven, and nothing was written',
    });
    expect(JSON.parse(told.text)).toEqual({
      adoption: [
        {
          ...{ topic: 'orders', partition: 0, proven: null },
          refusal: {
            ...{ kind: 'differs', target: 30, source: 30 },
            words:
              "the target's batch at 30 (10 records, checksum 00000001), and on the source stands one at 30 (10 records, checksum 000001f7)",
          },
        },
      ],
    });
    expect(ledgers()).toBe(false);
  });

  test('refuses a target that somebody writes to meanwhile, and says what to end', async () => {
    const growing = adopted({ endsLater: 70 });
    await expect(growing).rejects.toMatchObject({ remedy: expect.stringContaining('end the other copy') });
    expect(ledgers()).toBe(false);
  });

  test('refuses a topic that was made anew while it was read', async () => {
    await expect(adopted({ targetIdLater: 'another' })).rejects.toThrow('orders was deleted on the target');
    expect(ledgers()).toBe(false);
  });

  test('with --dry-run tells the same, finds nothing in the way, and makes nothing', async () => {
    const { code, lines } = await adopted({ words: ['--adopt', '--dry-run'] });
    expect(lines[0]).toMatchObject({ adoption: [{ proven: { records: 60 } }] });
    expect(lines[1]).toMatchObject({ preview: { obstacles: [] } });
    expect(code).toBe(0);
    expect(existsSync(join(directory.path, 'copies'))).toBe(false);
  });
});

type Given = {
  readonly words?: readonly string[];
  readonly target?: readonly StandingBatch[];
  /** Where the target ends when it is looked at again. */
  readonly endsLater?: number;
  readonly targetIdLater?: string;
  readonly told?: { text: string };
};

async function adopted(given: Given) {
  const told = given.told ?? { text: '' };
  let sleptMs = 0;
  const clock = {
    ...systemClock,
    monotonic: () => 0,
    sleep: async (ms: number) => {
      sleptMs += ms;
    },
  };
  const words = ['--source', 'old:9092', '--target', 'new:9092', '--topics', 'orders', '--unlimited', '--json'];
  const stdout = {
    write: (more: string) => {
      told.text += more;
    },
    terminal: null,
  };
  const stderr = { write: () => undefined, terminal: null };
  const more = [...(given.words ?? ['--adopt']), '--journal', join(directory.path, 'journal.db')];
  const { code } = await runDrover(['kafka', 'copy', ...words, ...more], {
    ...{ stdout, stderr, clock, directory: directory.path, user: 'kim' },
    world: worldOf(given),
  });
  const lines: readonly object[] = told.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { code, lines, sleptMs };
}

function worldOf(given: Given): Partial<World> {
  return {
    sha256,
    openJournal: async () => openMemoryJournal(),
    openCopySide: copySide,
    openAdoptionSide: ({ side }) => adoptionSide(side, given),
    openAdoptedLedger: (state, topic, key) => new AdoptedLedger(state, topic, key),
    placeAdoptedLedger,
    lookAtLedger,
  };
}

function copySide({ side }: Reach): CopySide {
  const isSource = side === 'source';
  const facts = topicFacts({
    partitions: 1,
    replicationFactor: 1,
    topicId: side,
    settings: known(settings(settingsOf43)),
  });
  const end = isSource ? 100 : 60;
  const batch = { baseOffset: 0, lastOffset: 9, newestMs: 5, producerId: '7' };
  const held = [{ partition: 0, logStart: 0, end, first: batch, last: batch }] as never;
  const preview = isSource
    ? sourceSide({ topics: async () => [facts], partitions: async () => [partitionFacts()] })
    : previewSide({ topics: async () => [facts], held: async () => known(held) });
  return {
    ...preview,
    notes: [],
    clusterId: async () => `${side}-cluster`,
    bounds: async () => [{ topic: 'orders', partition: 0, logStart: 0, end, highWatermark: end }],
    offsetsAt: async () => [0],
    close: async () => undefined,
  };
}

function adoptionSide(side: string, given: Given): AdoptionSide {
  const { target: standing = target, endsLater, targetIdLater } = given;
  const end = side === 'source' ? 100 : (endsLater ?? 60);
  const topicId = side === 'target' ? (targetIdLater ?? side) : side;
  return {
    topics: async () => [topicFacts({ partitions: 1, topicId })],
    bounds: async () => [{ topic: 'orders', partition: 0, logStart: 0, end, highWatermark: end }],
    batches: ({ from, to }) =>
      once({ batches: standing.filter(({ base, count }) => base + count > from), next: to, bytes: 1, goneTo: null }),
    groupsCommittedOn: async () => [],
    items: ({ to }) => once({ items: source, next: to, bytes: 1, goneTo: null }),
    close: async () => undefined,
  };
}

function once<Piece>(piece: Piece): { next(): Promise<Piece | null> } {
  let left: Piece | null = piece;
  return {
    async next() {
      const next = left;
      left = null;
      return next;
    },
  };
}

function at(offset: number) {
  return { source: offset, target: offset };
}

/** Whether a ledger is there, or beside its place. */
function ledgers(): boolean {
  const copies = join(directory.path, 'copies');
  return existsSync(copies) && readdirSync(copies, { recursive: true }).some((name) => `${name}`.endsWith('.segment'));
}
