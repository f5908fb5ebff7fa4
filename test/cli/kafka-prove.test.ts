import { describe, expect, test } from 'vitest';
import type { World } from '../../src/cli/context.ts';
import type { Proof } from '../../src/cli/kafka/prove/result.ts';
import type { LedgerTrail, ProofReach, ProofSide, RawPiece } from '../../src/cli/kafka/prove/world.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { emptyAccount } from '../../src/core/move/account.ts';
import type { LedgerLine, SentLine } from '../../src/core/move/ledger-lines.ts';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import type { TrailItem } from '../../src/core/move/proof/trail.ts';
import type { TopicFacts } from '../../src/core/move/topic-facts.ts';
import { known } from '../../src/core/observed/reading.ts';
import { PortError } from '../../src/engine/ports.ts';
import { systemClock } from '../../src/io/clock/system.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { differences } from '../docs/page.ts';
import { runDrover } from '../made/context.ts';
import { madeCopyPlan } from '../made/copy.ts';
import { settings, settingsOf43 } from '../made/topics.ts';

/** Ten batches of ten; the fourth is made anew. */
const lines: readonly SentLine[] = Array.from({ length: 10 }, (_, index) => {
  const from = index * 10;
  const line = {
    kind: 'sent',
    from,
    to: from + 10,
    target: from,
    count: 10,
    checksum: 500 + index,
    kept: null,
  } as const;
  return index === 3 ? { ...line, isRebuilt: true } : line;
});
const begun: readonly MoveEvent[] = [
  { kind: 'copy-started', plan: madeCopyPlan(), rate: null },
  { kind: 'topic-made', topic: 'orders', topicId: 'target-id' },
  { kind: 'levers-set' },
  { kind: 'copying' },
];
const copied: readonly MoveEvent[] = [
  ...begun,
  { kind: 'caught-up', partitions: [markAt(100)] },
  { kind: 'levers-restored', left: [] },
  { kind: 'copied' },
];

describe('a copy that is over', () => {
  test('is proven where all of it stands, and the records of what was made anew are the source’s', async () => {
    const { code, proof } = await proven({});
    expect(proof).toMatchObject({ verdict: 'proven', data: 'proven', configuration: 'proven', provedBy: 'kim' });
    expect(code).toBe(0);
    expect(partitionOf(proof)).toMatchObject({
      batches: { lines: 10, proven: 10, madeAnew: 1, compared: 1 },
      records: 100,
      account: { from: 0, to: 100, copied: 100 },
    });
  });

  test('is wrong where a record of what was made anew is another one than the source’s', async () => {
    const { code, proof } = await proven({ recordOf: (offset) => (offset === 35 ? 'another' : `${offset}`) });
    expect(code).toBe(2);
    expect(partitionOf(proof).findings).toMatchObject([
      { kind: 'other-records', source: { from: 30, to: 40 }, detail: expect.stringContaining('source 35, target 35') },
    ]);
  });

  test('cannot be proven where the source has deleted what was made anew, nor where the ledger says that it never was', async () => {
    const gone = await proven({ sourceStart: 35 });
    expect(gone.code).toBe(3);
    expect(partitionOf(gone.proof).findings).toMatchObject([{ kind: 'source-gone', target: { from: 30, to: 40 } }]);
    const unproven = await proven({ unproven: 7 });
    expect(unproven.code).toBe(3);
    expect(partitionOf(unproven.proof).findings).toMatchObject([{ kind: 'unproven', target: { from: 70, to: 80 } }]);
  });

  test('is proven without the source but for what was made anew and settings, and says why', async () => {
    const { code, proof } = await proven({ source: 'away' });
    expect(code).toBe(3);
    expect(proof.source.trouble).toContain('nobody answers');
    expect(partitionOf(proof)).toMatchObject({ batches: { proven: 10 }, findings: [{ kind: 'source-gone' }] });
  });

  test('of which a part makes no sense on the target’s disk is wrong, and the rest is told as not read', async () => {
    const { code, proof } = await proven({ brokenFrom: 60 });
    expect(code).toBe(2);
    expect(partitionOf(proof)).toMatchObject({
      account: { from: 0, to: 100, copied: 100 },
      batches: { lines: 10, proven: 6 },
      findings: [
        { kind: 'corrupt', target: { from: 60, to: 60 }, detail: expect.stringContaining('length of a batch') },
        { kind: 'unread', target: { from: 60, to: 100 } },
      ],
    });
    expect(partitionOf(proof).counts.missing).toBeUndefined();
  });

  test('whose source dies while it is proven is asked once, and proven but for what was made anew', async () => {
    const anew = lines.map((line): SentLine => ({ ...line, isRebuilt: true }));
    let asked = 0;
    const onRecords = () => {
      asked += 1;
      throw new PortError('unreachable', 'the source has died', { retriable: false });
    };
    const { code, proof } = await proven({ lines: anew, onRecords });
    expect(code).toBe(3);
    expect(asked).toBe(1);
    expect(partitionOf(proof).findings).toMatchObject([
      { kind: 'source-gone', count: 10, detail: 'the source has died' },
    ]);
  });

  test('whose ledger has lost its last lines is wrong, with what the journal has beyond', async () => {
    const { code, proof } = await proven({ lines: lines.slice(0, 8) });
    expect(code).toBe(2);
    expect(partitionOf(proof).findings).toMatchObject([
      { kind: 'stray', target: { from: 80, to: 100 }, count: 2 },
      { kind: 'ledger-short', source: { from: 80, to: 100 } },
    ]);
    expect((await proven({ lines: null })).proof.data).toBe('wrong');
  });

  test('whose account in the journal is another one than that of its lines is wrong', async () => {
    const { account, ...mark } = markAt(100);
    const other = { ...mark, account: { ...account, copied: 99, hole: 1 } };
    const events = copied.map((event) => (event.kind === 'caught-up' ? { ...event, partitions: [other] } : event));
    const { code, proof } = await proven({ events });
    expect(code).toBe(2);
    expect(partitionOf(proof).findings).toMatchObject([
      { kind: 'account', detail: expect.stringContaining('copied 99') },
    ]);
  });

  test('whose topic is another one by now is wrong, and nothing of that is read', async () => {
    const { code, proof } = await proven({ targetId: 'made anew' });
    expect(code).toBe(2);
    expect(proof.bytes).toBe(0);
    expect(partitionOf(proof).findings).toMatchObject([{ kind: 'other-topic' }]);
  });

  test('is not looked for in another cluster, and not where it was removed or has not begun', async () => {
    await expect(proven({ targetCluster: 'a third one' })).rejects.toThrow('the copy was of cluster new-cluster');
    const removal: readonly MoveEvent[] = [{ kind: 'removal-asked', by: 'kim', reason: null }];
    await expect(proven({ events: [...copied, ...removal] })).rejects.toThrow('nothing is left to be proven');
    await expect(proven({ events: begun.slice(0, 2) })).rejects.toThrow('has not begun to copy');
  });
});

describe('a copy that is under way', () => {
  test('is proven up to what its controller says is settled, and what is behind is not looked at', async () => {
    const behind = { checksum: 1 };
    const { code, proof } = await proven({ events: begun, settledNow: 60, changed: { at: 8, to: behind } });
    expect(code).toBe(0);
    expect(partitionOf(proof)).toMatchObject({
      account: { from: 0, to: 60 },
      batches: { lines: 6, proven: 6 },
      findings: [{ kind: 'later', weight: 'note' }],
    });
    const { proof: within } = await proven({ events: begun, settledNow: 60, changed: { at: 2, to: behind } });
    expect(partitionOf(within).findings[0]).toMatchObject({ kind: 'changed', target: { from: 20, to: 30 } });
  });

  test('and has no controller: lines behind the last checkpoint may stand or not, and what stands has to be theirs', async () => {
    const events: readonly MoveEvent[] = [...begun, { kind: 'copy-checkpoint', bytes: 1, partitions: [markAt(60)] }];
    const { code, proof } = await proven({ events, batches: 8 });
    expect(code).toBe(0);
    expect(partitionOf(proof)).toMatchObject({
      batches: { proven: 8 },
      findings: [{ kind: 'unsettled', weight: 'note', target: { from: 80, to: 100 }, count: 2 }],
    });
    const cut = await proven({ events, batches: 5 });
    expect(partitionOf(cut.proof).findings[0]).toMatchObject({ kind: 'truncated', target: { from: 50, to: 60 } });
    const other = await proven({ events, changed: { at: 8, to: { isOurs: false } } });
    expect(partitionOf(other.proof).counts).toMatchObject({ foreign: 1 });
    expect(other.code).toBe(2);
  });
});

type Told = {
  readonly events?: readonly MoveEvent[];
  /** Null: there is none. */
  readonly lines?: readonly LedgerLine[] | null;
  /** Which line was never compared. */
  readonly unproven?: number;
  /** So many stand on the target. */
  readonly batches?: number;
  readonly changed?: { readonly at: number; readonly to: object };
  readonly source?: 'away';
  readonly sourceStart?: number;
  readonly recordOf?: (offset: number) => string;
  readonly onRecords?: () => void;
  /** What stands there on the target cannot be read. */
  readonly brokenFrom?: number;
  readonly targetId?: string;
  readonly targetCluster?: string;
  /** A controller lives, and says so. */
  readonly settledNow?: number;
};

async function proven(given: Told): Promise<{ readonly code: number | null; readonly proof: Proof }> {
  const { code, text } = await runDrover(['kafka', 'prove', 'copy-1', '--json', '--journal', 'journal.db'], {
    ...{ clock: hurried(), directory: '/', user: 'kim', stderr: { write: () => undefined, terminal: null } },
    world: worldOf(given),
  });
  const proof: Proof = JSON.parse(text);
  expect(differences('kafka-prove.md', 'kafka-prove', proof)).toEqual([]);
  return { code, proof };
}

/** Waits for nothing, and is late at once. */
function hurried() {
  let nowMs = 0;
  const monotonic = () => {
    nowMs += 1000;
    return nowMs;
  };
  return { ...systemClock, monotonic, sleep: async () => undefined };
}

function partitionOf(proof: Proof) {
  const found = proof.topics[0]?.partitions[0];
  if (found === undefined) throw new Error('no partition');
  return found;
}

function worldOf(given: Told): Partial<World> {
  const { events = copied, settledNow } = given;
  const drafts = events.map((body, index) => ({ body, actor: 'kim', atMs: 1_764_150_000_000 + index, rules: 1 }));
  const { entries } = seal(emptyHead('copy-1'), drafts, sha256);
  const place = { topic: 'orders', partition: 0, source: settledNow, target: settledNow };
  const status = {
    operation: 'copy-1',
    stage: 'copying',
    partitions: [{ ...place, end: 100, ends: null, state: 'copying', why: null }],
  };
  return {
    sha256,
    openJournal: async () => {
      const journal = openMemoryJournal();
      await journal.append(emptyHead('copy-1'), entries);
      return journal;
    },
    askControl: async () =>
      settledNow === undefined
        ? undefined
        : { pid: 1, operation: 'copy-1', status: statusOf(status), trouble: null, refusal: null },
    openTrail: () => (given.lines === null ? null : trailOf(given)),
    openProofSide: (reach) => sideOf(reach, given),
  };
}

/** As a controller tells it. */
function statusOf(told: object) {
  const figures = { bytes: 0, records: 0, offsets: 100, offsetsDone: 0, unproven: 0, leversLeft: [], failure: null };
  const names = { stageSinceMs: 0, source: 'old', target: 'new', topics: ['orders'], follow: true, rate: null };
  return { ...names, held: null, isSettled: false, mover: 'running', ...figures, ...told };
}

function trailOf({ lines: all = lines, unproven = -1 }: Told): LedgerTrail {
  const own = all ?? [];
  const begin = { source: 0, target: 0 };
  const head: TrailItem = {
    kind: 'segment',
    segment: '1',
    at: begin,
    account: emptyAccount(0),
    broken: null,
    isVoid: false,
  };
  const end = own.at(-1)?.to ?? 0;
  return {
    ...{ begin, end: { source: end, target: end }, segments: 1 },
    items: () => [head, ...own.map((line, index): TrailItem => ({ kind: 'line', line, isProven: index !== unproven }))],
    told: () => ({ bytes: 1, lastSegment: '1', lastHash: 'hash' }),
  };
}

function sideOf({ side }: ProofReach, given: Told): ProofSide {
  const { recordOf = (offset) => `${offset}`, batches = 10, sourceStart = 0 } = given;
  const id = side === 'source' ? 'source-id' : (given.targetId ?? 'target-id');
  const cluster = side === 'source' ? 'old-cluster' : (given.targetCluster ?? 'new-cluster');
  const facts: TopicFacts = {
    ...{ name: 'orders', topicId: id, partitions: 1, replicationFactor: 1 },
    settings: known(settings(settingsOf43, { 'retention.ms': '1000' })),
  };
  const highWatermark = side === 'source' ? 100 : batches * 10;
  const logStart = side === 'source' ? sourceStart : 0;
  return {
    notes: [],
    clusterId: async () => {
      if (side === 'source' && given.source === 'away')
        throw new PortError('unreachable', 'nobody answers', { retriable: true });
      return cluster;
    },
    topics: async () => [facts],
    bounds: async (topics) =>
      topics.map(({ name }) => ({ topic: name, partition: 0, logStart, end: highWatermark, highWatermark })),
    batches: ({ from, to }) => {
      const { brokenFrom } = given;
      if (brokenFrom === undefined) return once(pieceOf(given, from, to));
      const error = new PortError('corrupt', 'orders-0, from offset 60: length of a batch', { retriable: false });
      return once(pieceOf(given, from, brokenFrom), () => Promise.reject(error));
    },
    records: ({ from, to }) => {
      given.onRecords?.();
      const records = Array.from({ length: to - from }, (_, index) => recordAt(from + index, recordOf));
      return once({ records, next: to, bytes: 10, hasAppendTime: false, goneTo: null });
    },
    close: async () => undefined,
  };
}

function pieceOf({ changed }: Told, from: number, to: number): RawPiece {
  const there = lines.filter(({ target }) => target >= from && target < to);
  const batches = there.map(({ target: base, count, checksum }, index) => {
    const ours = { producer: '1', isOurs: true, isIntact: true, hasAppendTime: false };
    const contents = () => Array.from({ length: count }, (_, at) => recordAt(base + at, (offset) => `${offset}`));
    const batch = { base, count, records: count, checksum, ...ours, bytes: 50, contents };
    return index === changed?.at ? { ...batch, ...changed.to } : batch;
  });
  return { batches, next: to, bytes: 50 * batches.length, goneTo: null };
}

function recordAt(offset: number, content: (offset: number) => string) {
  return { offset, timeMs: offset, content: content(offset) };
}

function once<T>(piece: T, then: () => Promise<T | null> = async () => null): { next(): Promise<T | null> } {
  let left: T | null = piece;
  return {
    next: async () => {
      const given = left;
      left = null;
      return given ?? (await then());
    },
  };
}

function markAt(settled: number) {
  const account = { ...emptyAccount(0), to: settled, copied: settled };
  const place = { topic: 'orders', partition: 0, segment: { ordinal: 1, previous: null } };
  return { ...place, account, settled: { source: settled, target: settled } };
}
