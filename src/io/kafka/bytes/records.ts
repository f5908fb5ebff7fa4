import { hash } from 'node:crypto';
import { GrowingBytes } from './growing-bytes.ts';
import { writeBigint64 } from './integers.ts';
import { MalformedBytes } from './malformed.ts';
import { appendVarint, VarintReader, varintBytes } from './varints.ts';

/*
 * The records of a v2 batch, after decompression, one after the other:
 *
 *     length varint, attributes int8, timestampDelta varlong, offsetDelta varint, body
 *     body = key, value, header count varint, { header key, header value } …
 *     key, value = length varint (-1: null), bytes
 *
 * The body depends on no other field, so it can go into another batch as it is.
 */

/** Part of a buffer; `from` is -1 where there is null, which is not the same as nothing. */
export type Range = { readonly from: number; readonly to: number };

export type HeaderRanges = { readonly key: Range; readonly value: Range };

/**
 * Goes through records without copying them. After each `next()` that said true, the fields are those of one record, as positions in
 * the buffer. Whatever is not as the grammar wants it is a `MalformedBytes`, including bytes that are left after `count` records.
 */
export class RecordCursor {
  attributes = 0;
  timestampDelta = 0;
  offsetDelta = -1;
  keyFrom = -1;
  keyTo = -1;
  valueFrom = -1;
  valueTo = -1;
  headerCount = 0;
  bodyFrom = 0;
  bodyTo = 0;
  /** Whether all varints of the body are as short as they can be, as every known producer writes them. */
  bodyIsCanonical = true;

  readonly #reader: VarintReader;
  readonly #to: number;
  readonly #lastOffsetDelta: number;
  #left: number;
  #headersFrom = 0;

  constructor(bytes: Uint8Array, from: number, to: number, expected: { count: number; lastOffsetDelta: number }) {
    this.#reader = new VarintReader(bytes, from, to);
    this.#to = to;
    this.#left = expected.count;
    this.#lastOffsetDelta = expected.lastOffsetDelta;
  }

  next(): boolean {
    const reader = this.#reader;
    reader.to = this.#to;
    if (this.#left === 0) {
      if (reader.at !== this.#to)
        throw new MalformedBytes('records', reader.at, 'the end, by the record count', `${this.#to - reader.at} bytes`);
      return false;
    }
    this.#left -= 1;
    const length = reader.int32('record length');
    if (length < recordLengthMin || length > this.#to - reader.at) {
      const range = `${recordLengthMin} to ${this.#to - reader.at} bytes`;
      throw new MalformedBytes('record length', reader.at, range, length);
    }
    reader.to = reader.at + length;
    this.attributes = reader.bytes[reader.skip(1, 'record attributes')] ?? 0;
    this.timestampDelta = reader.int64('timestampDelta');
    this.#readOffsetDelta();
    this.#readBody();
    return true;
  }

  /** Of the present record. */
  headers(): HeaderRanges[] {
    const reader = new VarintReader(this.#reader.bytes, this.#headersFrom, this.bodyTo);
    return Array.from({ length: this.headerCount }, () => ({
      key: rangeFrom(reader, 'header key'),
      value: rangeFrom(reader, 'header value'),
    }));
  }

  /** Offsets rise: a record that stands twice, or behind the end of its batch, would be counted and be nowhere. */
  #readOffsetDelta(): void {
    const at = this.#reader.at;
    const delta = this.#reader.int32('offsetDelta');
    if (delta <= this.offsetDelta || delta > this.#lastOffsetDelta) {
      const range = `${this.offsetDelta + 1} to ${this.#lastOffsetDelta}, above the record before`;
      throw new MalformedBytes('offsetDelta', at, range, delta);
    }
    this.offsetDelta = delta;
  }

  #readBody(): void {
    const reader = this.#reader;
    this.bodyFrom = reader.at;
    this.bodyIsCanonical = true;
    this.keyFrom = this.#readBytes('key');
    this.keyTo = this.keyFrom < 0 ? -1 : reader.at;
    this.valueFrom = this.#readBytes('value');
    this.valueTo = this.valueFrom < 0 ? -1 : reader.at;
    this.headerCount = this.#readNumber('header count');
    // A header has two bytes at least, so that a count never makes us go on for longer than there are bytes.
    if (this.headerCount < 0 || this.headerCount > (reader.to - reader.at) / 2)
      throw new MalformedBytes(
        'header count',
        reader.at,
        `as many as ${reader.to - reader.at} bytes can hold`,
        this.headerCount,
      );
    this.#headersFrom = reader.at;
    for (let header = 0; header < this.headerCount; header += 1) {
      const at = reader.at;
      if (this.#readBytes('header key') < 0) throw new MalformedBytes('header key', at, 'bytes', 'null');
      this.#readBytes('header value');
    }
    this.bodyTo = reader.at;
    if (reader.at !== reader.to)
      throw new MalformedBytes('record', reader.at, 'its end, by its length', `${reader.to - reader.at} bytes more`);
  }

  /** Where the bytes begin, or -1 for null. */
  #readBytes(what: string): number {
    const at = this.#reader.at;
    const length = this.#readNumber(what);
    if (length < -1) throw new MalformedBytes(what, at, 'a length of -1 (null) or more', length);
    return length === -1 ? -1 : this.#reader.skip(length, what);
  }

  #readNumber(what: string): number {
    const start = this.#reader.at;
    const value = this.#reader.int32(what);
    if (this.#reader.at - start > 1 && this.#reader.at - start !== varintBytes(value)) this.bodyIsCanonical = false;
    return value;
  }
}

/** Attributes, two deltas, no key, no value, no headers. */
const recordLengthMin = 6;

function rangeFrom(reader: VarintReader, what: string): Range {
  const length = reader.int32(what);
  if (length < 0) return { from: -1, to: -1 };
  const from = reader.skip(length, what);
  return { from, to: reader.at };
}

export type Header = { readonly key: Uint8Array; readonly value: Uint8Array | null };
export type RecordBody = {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
};

/** The part of a record that depends on no other: canonical, that is equal for equal records. */
export function encodedBody({ key, value, headers }: RecordBody): Uint8Array {
  const sink = new GrowingBytes((key?.length ?? 0) + (value?.length ?? 0) + 16 * (1 + headers.length));
  appendBytes(sink, key);
  appendBytes(sink, value);
  appendVarint(sink, headers.length);
  for (const header of headers) {
    appendBytes(sink, header.key);
    appendBytes(sink, header.value);
  }
  return sink.written();
}

function appendBytes(sink: GrowingBytes, bytes: Uint8Array | null): void {
  appendVarint(sink, bytes === null ? -1 : bytes.length);
  if (bytes !== null) sink.append(bytes);
}

export type RecordParts = {
  readonly attributes: number;
  readonly timestampDelta: number;
  readonly offsetDelta: number;
  readonly body: Uint8Array;
};

/** One record behind those that `sink` has. */
export function appendRecord(sink: GrowingBytes, { attributes, timestampDelta, offsetDelta, body }: RecordParts): void {
  appendVarint(sink, 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + body.length);
  sink.reserve(1);
  sink.bytes[sink.length] = attributes;
  sink.length += 1;
  appendVarint(sink, timestampDelta);
  appendVarint(sink, offsetDelta);
  sink.append(body);
}

/** The body at the cursor, canonical: the bytes that are there where they are canonical already, and a copy otherwise. */
export function canonicalBody(bytes: Uint8Array, cursor: RecordCursor): Uint8Array {
  if (cursor.bodyIsCanonical) return bytes.subarray(cursor.bodyFrom, cursor.bodyTo);
  const part = ({ from, to }: Range) => (from < 0 ? null : bytes.subarray(from, to));
  return encodedBody({
    key: part({ from: cursor.keyFrom, to: cursor.keyTo }),
    value: part({ from: cursor.valueFrom, to: cursor.valueTo }),
    headers: cursor.headers().map(({ key, value }) => ({ key: bytes.subarray(key.from, key.to), value: part(value) })),
  });
}

export type RecordSeen = { readonly offset: number; readonly digest: string };

/** SHA-256 of what a reader sees of a record besides its offset: time, key, value, headers in their order. */
export function recordDigest(timestamp: bigint, body: Uint8Array): string {
  const seen = Buffer.allocUnsafe(8 + body.length);
  writeBigint64(seen, 0, timestamp);
  seen.set(body, 8);
  return hash('sha256', seen, 'base64url');
}

export type RecordContent = { readonly offset: number; readonly timeMs: number; readonly content: string };

/** SHA-256 of key, value and headers. */
export function contentDigest(body: Uint8Array): string {
  return hash('sha256', body, 'base64url');
}
