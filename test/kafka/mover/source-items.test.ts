import { describe, expect, test } from 'vitest';
import { batchOf } from '../../../src/io/kafka/bytes/encode-batch.ts';
import { writeBigint64, writeInt16, writeInt32 } from '../../../src/io/kafka/bytes/integers.ts';
import { MalformedBytes } from '../../../src/io/kafka/bytes/malformed.ts';
import { wholeOf } from '../../../src/io/kafka/messages/byte-range.ts';
import { itemsOf } from '../../../src/io/kafka/reader/source-items.ts';
import { markerBytes } from '../../../src/sim/kafka/feed-batches.ts';
import { bits, withHeader } from '../../../src/sim/kafka/world/stored.ts';

const from = (start: number, to: number | null = null) => ({ from: start, to });

describe('what was fetched of the source', () => {
  test('is in order and without gaps: batches, and what has no counterpart', () => {
    const items = itemsOf(response(batchAt(10, 3), batchAt(15, 2)), from(8), []);
    expect(items).toMatchObject([
      { kind: 'left', from: 8, to: 10, why: 'hole' },
      { kind: 'batch', from: 10, to: 13, form: 'as it is', epoch: 4 },
      { kind: 'left', from: 13, to: 15, why: 'hole' },
      { kind: 'batch', from: 15, to: 17 },
    ]);
  });

  test('has no hole of no length where the asked range ends at a border', () => {
    expect(itemsOf(response(batchAt(10, 3), batchAt(13, 3)), from(10, 13), [])).toMatchObject([{ from: 10, to: 13 }]);
    const behind = itemsOf(response(batchAt(10, 3), batchAt(20, 3)), from(10, 15), []);
    expect(behind).toMatchObject([
      { from: 10, to: 13 },
      { kind: 'left', from: 13, to: 15 },
    ]);
  });

  test('is refused where an offset goes back: no checksum covers it', () => {
    expect(() => itemsOf(response(batchAt(1010, 3), batchAt(13, 3)), from(10), [])).toThrow(MalformedBytes);
  });

  test('is not left out on the word of a header that its checksum does not know', () => {
    const marker = placed(markerBytes(7n, 'abort', 1), 13);
    const aborted = placed(withHeader(batchOf([record], 'none', appender), { bits: bits.transactional }), 12);
    const transactions = [{ producerId: 7n, firstOffset: 12 }];
    expect(itemsOf(response(aborted, marker), from(12), transactions)).toMatchObject([
      { kind: 'left', why: 'aborted' },
      { kind: 'left', why: 'control' },
    ]);
    const spoiled = batchAt(12, 1);
    writeInt16(spoiled, 21, bits.control);
    expect(() => itemsOf(response(spoiled), from(12), [])).toThrow(MalformedBytes);
  });
});

const record = { timestamp: 1, key: null, value: new Uint8Array(3), headers: [] };
const appender = { producerId: 7n, producerEpoch: 0, baseSequence: 0 };

function batchAt(base: number, count: number): Uint8Array {
  return placed(
    batchOf(
      Array.from({ length: count }, () => record),
      'none',
      appender,
    ),
    base,
  );
}

function placed(batch: Uint8Array, base: number): Uint8Array {
  const bytes = Uint8Array.from(batch);
  writeBigint64(bytes, 0, BigInt(base));
  writeInt32(bytes, 12, 4);
  return bytes;
}

function response(...batches: readonly Uint8Array[]) {
  return wholeOf(Uint8Array.from(Buffer.concat(batches)));
}
