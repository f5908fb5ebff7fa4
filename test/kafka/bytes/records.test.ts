import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrowingBytes } from '../../../src/io/kafka/bytes/growing-bytes.ts';
import {
  appendRecord,
  canonicalBody,
  encodedBody,
  type Range,
  RecordCursor,
  recordDigest,
} from '../../../src/io/kafka/bytes/records.ts';
import { plainRecords } from './arbitrary.ts';
import { expectMalformed } from './malformed.ts';

const bodyLess = { key: null, value: null, headers: [] };

describe('records in a row', () => {
  test('what is written is read: keys, values, headers, null and empty apart', () => {
    fc.assert(
      fc.property(plainRecords, fc.nat(9), (records, before) => {
        const sink = new GrowingBytes(0);
        sink.append(new Uint8Array(before).fill(0xff));
        for (const [offsetDelta, record] of records.entries())
          appendRecord(sink, {
            attributes: offsetDelta & 0xff,
            timestampDelta: record.timestamp,
            offsetDelta: 2 * offsetDelta,
            body: encodedBody(record),
          });
        const bytes = sink.written();
        const cursor = new RecordCursor(bytes, before, bytes.length, {
          count: records.length,
          lastOffsetDelta: 2 * records.length,
        });
        const part = ({ from, to }: Range) => (from < 0 ? null : Uint8Array.from(bytes.subarray(from, to)));
        for (const [index, record] of records.entries()) {
          expect(cursor.next()).toBe(true);
          expect(cursor.attributes).toBe(index & 0xff);
          expect(cursor.timestampDelta).toBe(record.timestamp);
          expect(cursor.offsetDelta).toBe(2 * index);
          expect({
            key: part({ from: cursor.keyFrom, to: cursor.keyTo }),
            value: part({ from: cursor.valueFrom, to: cursor.valueTo }),
            headers: cursor.headers().map(({ key, value }) => ({ key: part(key), value: part(value) })),
          }).toEqual({ key: record.key, value: record.value, headers: record.headers });
          expect(cursor.headerCount).toBe(record.headers.length);
          expect(Buffer.from(bytes.subarray(cursor.bodyFrom, cursor.bodyTo))).toEqual(Buffer.from(encodedBody(record)));
          expect(cursor.bodyIsCanonical).toBe(true);
        }
        expect(cursor.next()).toBe(false);
        expect(cursor.next()).toBe(false);
      }),
    );
  });

  test('a length that is written longer than it has to be says the same: the digest is equal', () => {
    // key "a" with its length 1 as 82 00, value "b", one header "h" = null, with their lengths in two and three bytes.
    const long = Buffer.from('8200618280006282008200688100', 'hex');
    const record = Buffer.concat([Buffer.from([2 * (3 + long.length), 0, 0, 0]), long]);
    const cursor = new RecordCursor(record, 0, record.length, { count: 1, lastOffsetDelta: 0 });
    expect(cursor.next()).toBe(true);
    expect(cursor.bodyIsCanonical).toBe(false);
    const [key, value] = [Buffer.from('a'), Buffer.from('b')];
    const body = encodedBody({ key, value, headers: [{ key: Buffer.from('h'), value: null }] });
    expect(Buffer.from(canonicalBody(record, cursor))).toEqual(Buffer.from(body));
    expect(cursor.next()).toBe(false);
  });
});

describe('records that are not as they have to be', () => {
  // length 7, attributes, timestampDelta, offsetDelta, key "k", value null, no headers.
  const good = [0x0e, 0, 0, 0, 0x02, 0x6b, 0x01, 0];
  const read = (bytes: readonly number[], { count = 1, lastOffsetDelta = 5 } = {}) => {
    const cursor = new RecordCursor(Uint8Array.from(bytes), 0, bytes.length, { count, lastOffsetDelta });
    for (; cursor.next(); );
  };

  test('the example is good', () => {
    read(good);
    read([...good, ...good.with(3, 2)], { count: 2 });
    read([], { count: 0 });
  });

  test.each([
    ['a length beyond the end', good.with(0, 0x10), 'record length', 1],
    ['a length below the shortest', good.with(0, 0x0a), 'record length', 1],
    ['a negative length', good.with(0, 0x01), 'record length', 1],
    ['a length that ends before the record does', good.with(0, 0x0c), 'header count', 7],
    ['a length that ends after it', [0x10, ...good.slice(1), 0], 'record', 8],
    ['a key beyond the record', good.with(4, 0x08), 'key', 5],
    ['a key of length -2', good.with(4, 0x03), 'key', 4],
    ['a value beyond the record', good.with(6, 0x04), 'value', 7],
    ['a value of length -2', good.with(6, 0x03), 'value', 6],
    ['more headers than bytes', good.with(7, 0x02), 'header count', 8],
    ['fewer than no headers', good.with(7, 0x01), 'header count', 8],
    ['a header without a key', [0x12, ...good.slice(1, 7), 0x02, 0x01, 0x01], 'header key', 8],
    ['an offset behind the batch', good.with(3, 0x0c), 'offsetDelta', 3],
    ['an offset before the batch', good.with(3, 0x01), 'offsetDelta', 3],
    ['bytes after the last record', [...good, 0], 'records', 8],
    ['a record that is not there', [], 'record length', 0],
  ])('%s is told with its place', (_, bytes, what, at) => {
    expectMalformed(() => read(bytes), what, at);
  });

  test('the same offset twice, or a smaller one after it, is told', () => {
    expectMalformed(() => read([...good, ...good], { count: 2 }), 'offsetDelta', 11);
    expectMalformed(() => read([...good.with(3, 4), ...good.with(3, 2)], { count: 2 }), 'offsetDelta', 11);
  });

  test('fewer records than there are, and more, are told', () => {
    expectMalformed(() => read([...good, ...good.with(3, 2)], { count: 1 }), 'records', 8);
    expectMalformed(() => read(good, { count: 2 }), 'record length', 8);
    expectMalformed(() => read(good, { count: 0 }), 'records', 0);
  });
});

test('a digest differs for everything that a reader can tell apart, and for nothing else', () => {
  const [a, empty] = [Buffer.from('a'), Buffer.alloc(0)];
  const different = [
    recordDigest(0n, encodedBody(bodyLess)),
    recordDigest(1n, encodedBody(bodyLess)),
    recordDigest(-1n, encodedBody(bodyLess)),
    recordDigest(2n ** 62n, encodedBody(bodyLess)),
    recordDigest(0n, encodedBody({ ...bodyLess, key: empty })),
    recordDigest(0n, encodedBody({ ...bodyLess, value: empty })),
    recordDigest(0n, encodedBody({ ...bodyLess, key: a })),
    recordDigest(0n, encodedBody({ ...bodyLess, value: a })),
    recordDigest(0n, encodedBody({ ...bodyLess, headers: [{ key: a, value: null }] })),
    recordDigest(0n, encodedBody({ ...bodyLess, headers: [{ key: a, value: empty }] })),
    recordDigest(0n, encodedBody({ ...bodyLess, headers: [{ key: empty, value: a }] })),
  ];
  expect(new Set(different).size).toBe(different.length);
  expect(recordDigest(0n, encodedBody({ ...bodyLess, key: Uint8Array.of(0x61) }))).toBe(different[6]);
});
