import type { Account } from '../../../core/move/account.ts';
import {
  endOf,
  isMadeAnew,
  type LedgerLine,
  leftReasons,
  type Position,
  type SentLine,
} from '../../../core/move/ledger-lines.ts';
import { crcRegister } from '../bytes/crc32c.ts';
import type { GrowingBytes } from '../bytes/growing-bytes.ts';
import { uint32LittleAt } from '../bytes/integers.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { appendVarint, VarintReader } from '../bytes/varints.ts';

/*
 * A segment of a ledger: a head, which is a line of JSON, then entries. An entry is a varint tag with its kind in the lowest two bits,
 * what the kind needs, and four bytes of the CRC-32C of all heads, tags and fields before them in the file, its own too: an entry that
 * was torn, or stands behind another one than it was written behind, is none.
 *
 *   0  a batch without holes     count, checksum of the records
 *   1  offsets left out          reason, length
 *   2  a batch made anew         count, length, checksum, a bit for each offset; a length of 0: without holes, and no bits
 *   3  a mark                    everything from a position on is void; a new epoch; the source's leader epoch of the lines that follow;
 *                                or that the next line's batch was not compared with the source
 */

export type SegmentHead = {
  readonly version: 1;
  readonly key: LedgerKey;
  /** From 1. */
  readonly ordinal: number;
  /** Where the first line begins. What segments before it have from there on is void. */
  readonly at: Position;
  readonly account: Account;
  readonly epoch: number;
  /** Leader epoch of the source's batch before `at`; null: not known. */
  readonly sourceEpoch: number | null;
  /** SHA-256 of the segment before; null: there is none. */
  readonly previous: string | null;
};

export type LedgerKey = {
  readonly sourceCluster: string;
  readonly sourceTopicId: string;
  readonly targetCluster: string;
  readonly targetTopicId: string;
  readonly partition: number;
};

export type SegmentEntry =
  | LedgerLine
  | { readonly kind: 'void-from'; readonly at: Position }
  | { readonly kind: 'epoch'; readonly epoch: number }
  | { readonly kind: 'source-epoch'; readonly epoch: number | null }
  /** The batch of the next line was not compared with the source, which does not have it any more. */
  | { readonly kind: 'unproven' };

/** The end of a file that was being written when the machine lost its power, or anything else that is no entry. */
export type Torn = { readonly at: number; readonly why: string };

export type Segment = {
  readonly head: SegmentHead;
  readonly entries: readonly SegmentEntry[];
  readonly end: Position;
  /** Bytes up to and with the last whole entry, and the register after them. */
  readonly goodBytes: number;
  readonly register: number;
  readonly torn: Torn | null;
};

/** Begins a file. What comes back is the register to encode the first entry with. */
export function encodeHead(head: SegmentHead): { readonly bytes: Uint8Array; readonly register: number } {
  const bytes = Buffer.from(`${JSON.stringify(head)}\n`);
  return { bytes, register: crcRegister(-1, bytes, 0, bytes.length) };
}

/** Appends an entry, and returns the register after it. `end` is where the line before ended: a line begins there. */
export function encodeEntry(sink: GrowingBytes, entry: SegmentEntry, end: Position, register: number): number {
  const from = sink.length;
  if (entry.kind === 'left') {
    requireAt(entry.from === end.source, entry.from, end.source);
    appendVarint(sink, (entry.to - entry.from) * 32 + leftReasons.indexOf(entry.why) * 4 + 1);
  } else if (entry.kind === 'sent') {
    requireAt(entry.from === end.source, entry.from, end.source);
    requireAt(entry.target === end.target, entry.target, end.target);
    appendVarint(sink, entry.count * 4 + (isMadeAnew(entry) ? 2 : 0));
    if (isMadeAnew(entry)) appendVarint(sink, entry.kept === null ? 0 : entry.to - entry.from);
    appendUint32(sink, entry.checksum);
    if (entry.kept !== null) sink.append(entry.kept);
  } else if (entry.kind === 'void-from') {
    appendVarint(sink, 3);
    appendVarint(sink, entry.at.source);
    appendVarint(sink, entry.at.target);
  } else if (entry.kind === 'epoch') {
    appendVarint(sink, 7);
    appendVarint(sink, entry.epoch);
  } else if (entry.kind === 'unproven') appendVarint(sink, 15);
  else {
    appendVarint(sink, 11);
    appendVarint(sink, entry.epoch === null ? 0 : entry.epoch + 1);
  }
  const after = crcRegister(register, sink.bytes, from, sink.length);
  // Inverted, and not part of what comes after it: else zeros behind an entry would be entries.
  appendUint32(sink, ~after);
  return after;
}

/** Throws MalformedBytes where the head is not one. An entry that is not whole ends the segment, and is told of. */
export function decodeSegment(bytes: Uint8Array): Segment {
  const headEnd = bytes.indexOf(0x0a) + 1;
  const head = decodeHead(bytes.subarray(0, headEnd));
  const entries: SegmentEntry[] = [];
  const reader = new VarintReader(bytes, headEnd, bytes.length);
  let register = crcRegister(-1, bytes, 0, headEnd);
  let end = head.at;
  let goodBytes = headEnd;
  let torn: Torn | null = null;
  while (goodBytes < bytes.length) {
    const read = wholeEntry(reader, end, register);
    if ('torn' in read) {
      torn = read.torn;
      break;
    }
    const { entry } = read;
    entries.push(entry);
    register = read.register;
    goodBytes = reader.at;
    if (entry.kind === 'sent') end = endOf(entry);
    if (entry.kind === 'left') end = { ...end, source: entry.to };
    if (entry.kind === 'void-from') end = entry.at;
  }
  return { head, entries, end, goodBytes, register, torn };
}

export type Content = {
  readonly lines: LedgerLine[];
  readonly epoch: number;
  /** Of the last line. */
  readonly sourceEpoch: number | null;
  /** Those of the lines whose batches were not compared with the source. */
  readonly unproven: SentLine[];
};

/** The lines that are not void, in order, and the epochs. `to`: only lines that end at or before it. */
export function linesOf({ head, entries }: Segment, to = Number.POSITIVE_INFINITY): Content {
  const lines: LedgerLine[] = [];
  const unproven: SentLine[] = [];
  let isUnproven = false;
  const sourceEpochs = [{ from: Number.NEGATIVE_INFINITY, epoch: head.sourceEpoch }];
  let { epoch } = head;
  const cut = (end: number): void => {
    while ((lines.at(-1)?.to ?? 0) > end) lines.pop();
    while ((unproven.at(-1)?.to ?? 0) > end) unproven.pop();
    while ((sourceEpochs.at(-1)?.from ?? Number.NEGATIVE_INFINITY) >= end) sourceEpochs.pop();
  };
  for (const entry of entries) {
    if (entry.kind === 'epoch') epoch = entry.epoch;
    else if (entry.kind === 'source-epoch')
      sourceEpochs.push({ from: lines.at(-1)?.to ?? head.at.source, epoch: entry.epoch });
    else if (entry.kind === 'void-from') cut(entry.at.source);
    else if (entry.kind !== 'unproven') {
      lines.push(entry);
      if (isUnproven && entry.kind === 'sent') unproven.push(entry);
    }
    // One that stands before anything else is of a process that died before it wrote the line.
    isUnproven = entry.kind === 'unproven';
  }
  cut(to);
  return { lines, unproven, epoch, sourceEpoch: sourceEpochs.at(-1)?.epoch ?? null };
}

function decodeHead(bytes: Uint8Array): SegmentHead {
  const text = Buffer.from(bytes).toString();
  try {
    const head = JSON.parse(text) as SegmentHead;
    if (head.version === 1 && Number.isSafeInteger(head.at.source) && Number.isSafeInteger(head.at.target)) return head;
  } catch {
    // What it is instead is said below.
  }
  const found = text.length === 0 ? 'no line at all' : JSON.stringify(text.slice(0, 80));
  throw new MalformedBytes('the head of a ledger segment', 0, 'a line of JSON of version 1', found);
}

type Read = { readonly entry: SegmentEntry; readonly register: number } | { readonly torn: Torn };

function wholeEntry(reader: VarintReader, end: Position, before: number): Read {
  const from = reader.at;
  try {
    const entry = readEntry(reader, end);
    const register = crcRegister(before, reader.bytes, from, reader.at);
    const found = uint32LittleAt(reader.bytes, reader.skip(4, 'the check of an entry'));
    if (found === ~register >>> 0) return { entry, register };
    return { torn: { at: from, why: `an entry of ${reader.at - from} bytes fails its check` } };
  } catch (error) {
    if (error instanceof MalformedBytes) return { torn: { at: from, why: error.message } };
    throw error;
  }
}

function readEntry(reader: VarintReader, end: Position): SegmentEntry {
  const tag = positive(reader, 'the tag of an entry');
  const kind = tag % 4;
  const rest = Math.floor(tag / 4);
  if (kind === 1) {
    const why = leftReasons[rest % 8];
    if (why === undefined) throw new MalformedBytes('the tag of an entry', reader.at, 'a reason', rest % 8);
    return { kind: 'left', from: end.source, to: end.source + Math.floor(rest / 8), why };
  }
  if (kind === 3) {
    if (rest === 1) return { kind: 'epoch', epoch: positive(reader, 'an epoch') };
    if (rest === 2) {
      const above = positive(reader, 'an epoch of the source');
      return { kind: 'source-epoch', epoch: above === 0 ? null : above - 1 };
    }
    if (rest === 3) return { kind: 'unproven' };
    if (rest !== 0) throw new MalformedBytes('the tag of a mark', reader.at, '0 to 3', rest);
    const source = positive(reader, 'a position of the source');
    return { kind: 'void-from', at: { source, target: positive(reader, 'a position of the target') } };
  }
  if (rest === 0) throw new MalformedBytes('the tag of an entry', reader.at, 'records in a batch', 'none');
  const holed = kind === 0 ? 0 : positive(reader, 'the length of a batch');
  const length = holed === 0 ? rest : holed;
  const checksum = uint32LittleAt(reader.bytes, reader.skip(4, 'a checksum'));
  const place = { from: end.source, to: end.source + length, target: end.target };
  const batch = { kind: 'sent', ...place, count: rest, checksum } as const;
  if (holed === 0) return kind === 0 ? { ...batch, kept: null } : { ...batch, kept: null, isRebuilt: true };
  const bits = Math.ceil(length / 8);
  const bitsFrom = reader.skip(bits, 'the bits of a batch');
  return { ...batch, kept: Uint8Array.from(reader.bytes.subarray(bitsFrom, bitsFrom + bits)) };
}

function positive(reader: VarintReader, what: string): number {
  const at = reader.at;
  const value = reader.int64(what);
  if (value < 0) throw new MalformedBytes(what, at, 'no negative number', value);
  return value;
}

function appendUint32(sink: GrowingBytes, value: number): void {
  sink.reserve(4);
  const { bytes, length } = sink;
  bytes[length] = value & 255;
  bytes[length + 1] = (value >>> 8) & 255;
  bytes[length + 2] = (value >>> 16) & 255;
  bytes[length + 3] = (value >>> 24) & 255;
  sink.length += 4;
}

function requireAt(isThere: boolean, found: number, expected: number): void {
  if (!isThere) throw new RangeError(`a line that begins at ${found} was written behind one that ends at ${expected}`);
}
