import { describe, expect, test } from 'vitest';
import { producerEpoch, recordsCrcOf } from '../../../src/io/kafka/bytes/batch.ts';
import { batchOf } from '../../../src/io/kafka/bytes/encode-batch.ts';
import { writeBigint64, writeInt32 } from '../../../src/io/kafka/bytes/integers.ts';
import { PartitionLedger } from '../../../src/io/kafka/ledger/partition-ledger.ts';
import { wholeOf } from '../../../src/io/kafka/messages/byte-range.ts';
import type { PartitionEvent } from '../../../src/io/kafka/mover/events.ts';
import { Lease } from '../../../src/io/kafka/mover/lease.ts';
import { MovedPartition } from '../../../src/io/kafka/mover/moved-partition.ts';
import { itemsOf } from '../../../src/io/kafka/reader/source-items.ts';
import { LedgerDisk } from '../../../src/sim/kafka/ledger-disk.ts';
import { SimProcess } from '../../../src/sim/kafka/process.ts';
import { Schedule } from '../../../src/sim/schedule.ts';

const nowMs = 1_790_000_000_000;
const nothing = { logStart: 0, logEnd: 0, from: 0, batches: [] };

describe('a partition under way', () => {
  test('what was given up is sent again byte for byte, though the source has been cleaned since', () => {
    const { partition } = moved();
    partition.readBack(nothing);
    partition.add(0, fetched(0, ['a', 'b', 'c']));
    const first = bytesSent(partition);
    partition.lose('no answer within 12000 ms');
    // Whoever fetches now would get another batch; nothing is fetched, and the one that may be on its way comes again.
    expect(partition.wantsMore).toBe(false);
    partition.readBack(nothing);
    expect(partition.fetchNext).toBe(3);
    expect(bytesSent(partition)).toEqual(first);
    partition.answer({ kind: 'appended', base: 0 });
    expect(partition.writer.settled).toEqual({ source: 3, target: 3 });
    expect(partition.settledBytes).toBe(first?.length);
  });

  test('the bytes of a response are given back when all of it is settled, and no connection may send any of it', () => {
    const { partition } = moved();
    partition.readBack(nothing);
    let isGivenBack = false;
    const lease = new Lease(() => {
      isGivenBack = true;
    });
    partition.add(0, [...fetched(0, ['a']), ...fetched(1, ['b'])], lease);
    lease.end();
    const leases = [partition.take(nowMs, Number.POSITIVE_INFINITY)?.lease];
    partition.lose('the connection was reset');
    partition.readBack(nothing);
    leases.push(partition.take(nowMs, Number.POSITIVE_INFINITY)?.lease);
    partition.answer({ kind: 'appended', base: 0 });
    partition.doubt('another leader');
    // What was not sent is dropped where there is a doubt: only the two requests have it still.
    for (const one of leases) {
      expect(isGivenBack).toBe(false);
      one?.end();
    }
    expect(isGivenBack).toBe(true);
    expect(() => lease.end()).toThrow(RangeError);
  });

  test('what arrived with a wrong checksum is fetched once more, and is another batch with an epoch of its own', () => {
    const { partition } = moved();
    partition.readBack(nothing);
    partition.add(0, fetched(0, ['a', 'b', 'c']));
    expect(epochSent(partition)).toBe(1);
    partition.answer({ kind: 'corrupt' });
    partition.readBack(nothing);
    expect(partition.fetchNext).toBe(0);
    partition.add(0, fetched(0, ['a', 'b', 'd']));
    expect(epochSent(partition)).toBe(2);
  });

  test('what stands there without a line and is not in the source any more is told before it is in the ledger', () => {
    const { partition, events, ledger } = moved();
    const line = { kind: 'sent', from: 0, to: 3, target: 0, count: 3, kept: null } as const;
    const found = { base: 0, count: 3, checksum: 5, isOurs: true, epoch: 1, sequence: 0 };
    partition.readBack({ logStart: 0, logEnd: 3, from: 0, batches: [found] });
    let linesWhenTold = -1;
    partition.listen((event) => {
      events.push(event);
      linesWhenTold = ledger.sentFrom(0).lines.length;
    });
    partition.addBelowLogStart(0, 3);
    partition.add(3, fetched(3, ['x']));
    expect(events).toEqual([{ kind: 'unproven', lines: [{ ...line, checksum: 5 }] }]);
    expect(linesWhenTold).toBe(0);
    expect(ledger.unproven()).toEqual([{ ...line, checksum: 5 }]);
  });

  test('a partition that the source has stopped leaves the room of what it held to others, and says why', () => {
    const { partition, events } = moved();
    partition.readBack(nothing);
    const [batch] = fetched(1, ['b']);
    if (batch?.kind !== 'batch') throw new Error('there is no batch');
    const of = (producerId: bigint, end: 'commit' | null) => ({ epoch: 0, transaction: { producerId, end } });
    partition.add(0, [
      { kind: 'left', from: 0, to: 1, why: 'aborted', ...of(7n, null) },
      { ...batch, ...of(7n, null) },
    ]);
    expect(partition.readyBytes).toBeGreaterThan(0);
    expect(partition.take(nowMs, Number.POSITIVE_INFINITY)).toBeNull();
    expect(partition.readyBytes).toBe(0);
    expect(partition.wantsMore).toBe(false);
    expect(events).toMatchObject([{ kind: 'source-stopped' }]);
    expect(partition.flaw).toContain('producer 7');
  });

  test('damage is told once, with what stands where', () => {
    const { partition, events } = moved();
    partition.readBack(nothing);
    partition.add(0, fetched(0, ['a']));
    bytesSent(partition);
    partition.answer({ kind: 'appended', base: 7 });
    partition.lose('the connection was reset');
    expect(events).toMatchObject([{ kind: 'damaged', damage: { what: 'misplaced', offset: 7 } }]);
  });

  test('a loss of the target is told, from where to where, and what follows is taken from the source again', () => {
    const { partition, events, ledger } = moved();
    partition.readBack(nothing);
    partition.add(0, [...fetched(0, ['a']), ...fetched(1, ['b'])]);
    const kept = ledger.end;
    expect(kept).toEqual({ source: 0, target: 0 });
    for (const base of [0, 1]) {
      bytesSent(partition);
      partition.answer({ kind: 'appended', base });
    }
    partition.doubt('another leader');
    const [line] = ledger.sentFrom(0).lines;
    const found = { base: 0, count: 1, checksum: line?.checksum ?? 0, isOurs: true, epoch: 1, sequence: 0 };
    partition.readBack({ logStart: 0, logEnd: 1, from: 0, batches: [found] });
    expect(events).toEqual([{ kind: 'lost', targetFrom: 1, targetTo: 2 }]);
    expect(partition.fetchNext).toBe(1);
  });
});

function moved() {
  const process = new SimProcess('mover', new Schedule(), nowMs);
  const key = { sourceCluster: 'a', sourceTopicId: 't', targetCluster: 'b', targetTopicId: 't', partition: 0 };
  const files = new LedgerDisk().files(process, (perform) => perform());
  const ledger = new PartitionLedger(files, key, { source: 0, target: 0 });
  const start = { source: 0, target: 0 };
  const plan = { topic: 't', partition: 0, targetTopic: 't', producerId: 2n ** 62n, start, end: null };
  const partition = new MovedPartition(plan, ledger, { inFlightMax: 5, expirationMs: 86_400_000 }, 1_000_000);
  const events: PartitionEvent[] = [];
  partition.listen((event) => events.push(event));
  return { partition, ledger, events };
}

function fetched(base: number, values: readonly string[]) {
  const records = values.map((value) => ({ timestamp: nowMs, key: null, value: Buffer.from(value), headers: [] }));
  const bytes = batchOf(records, 'none', { producerId: -1n, producerEpoch: -1, baseSequence: -1 });
  writeBigint64(bytes, 0, BigInt(base));
  writeInt32(bytes, 12, 0);
  return itemsOf(wholeOf(bytes), { from: base, to: null }, []);
}

function sent(partition: MovedPartition) {
  const taken = partition.take(nowMs, Number.POSITIVE_INFINITY);
  if (taken === null) throw new Error(`nothing is sent: ${JSON.stringify(partition.writer.phase)}`);
  return taken.range;
}

function bytesSent(partition: MovedPartition): Uint8Array {
  const { bytes, from, to } = sent(partition);
  expect(recordsCrcOf(bytes, from)).toBeGreaterThanOrEqual(0);
  return Uint8Array.from(bytes.subarray(from, to));
}

function epochSent(partition: MovedPartition): number {
  const { bytes, from } = sent(partition);
  return producerEpoch(bytes, from);
}
