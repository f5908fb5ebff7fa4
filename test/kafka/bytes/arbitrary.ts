import fc from 'fast-check';
import type { Appender } from '../../../src/io/kafka/bytes/append.ts';
import type { PlainRecord } from '../../../src/io/kafka/bytes/encode-batch.ts';

const bytes = fc.uint8Array({ maxLength: 40 });
const bytesOrNull = fc.option(bytes, { nil: null });

export const plainRecord: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp: fc.oneof(
    fc.constant(-1),
    fc.integer({ min: 0, max: 2_000_000_000_000 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  ),
  key: bytesOrNull,
  value: fc.oneof(
    bytesOrNull,
    fc.integer({ min: 1, max: 3000 }).map((count) => new Uint8Array(count).fill(count)),
  ),
  headers: fc.array(fc.record({ key: bytes, value: bytesOrNull }), { maxLength: 3 }),
});

export const plainRecords = fc.array(plainRecord, { minLength: 1, maxLength: 20 });

export const appender: fc.Arbitrary<Appender> = fc.record({
  producerId: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  producerEpoch: fc.integer({ min: -1, max: 32_767 }),
  baseSequence: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
});

export const nobody: Appender = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
