import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../../../core/move/ledger-lines.ts';
import type { TrailItem } from '../../../core/move/proof/trail.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { decodeSegment, type LedgerKey, linesOf, type Segment } from '../ledger/segment.ts';
import { ledgerFolder } from './ledger-place.ts';
import { segmentNames } from './look-at-ledger.ts';

/** A ledger beside whoever writes it, as it was when this was called. Read segment by segment, so that its size does not matter. */
export type LedgerTrail = {
  readonly begin: Position;
  readonly end: Position;
  readonly segments: number;
  items(): Generator<TrailItem>;
  /** What was read: bytes of all segments, and the SHA-256 of the last one as far as it has whole entries. Once all items were taken. */
  told(): { readonly bytes: number; readonly lastSegment: string; readonly lastHash: string };
};

/** Null: there is none. Throws where its first segment is not one; of the others it is told. */
export function openTrail(stateDirectory: string, topic: string, key: LedgerKey): LedgerTrail | null {
  const folder = ledgerFolder(join(stateDirectory, 'copies'), topic, key);
  const names = segmentNames(folder);
  // The last one may have been begun, and no more.
  if (names.length > 0 && headAt(folder, names.at(-1) ?? '') === null) names.pop();
  const [first] = names;
  if (first === undefined) return null;
  const begin = headAt(folder, first)?.at;
  if (begin === undefined) throw new Error(`${join(folder, first)} has no head: the ledger cannot be read`);
  // A segment makes void what those before it have from its head on.
  const ends: number[] = [];
  let end = Number.POSITIVE_INFINITY;
  for (const name of names.toReversed()) {
    ends.unshift(end);
    end = Math.min(end, headAt(folder, name)?.at.source ?? end);
  }
  const told = { bytes: 0, lastSegment: '', lastHash: '' };
  return {
    begin,
    end: endIn(folder, names) ?? begin,
    segments: names.length,
    told: () => told,
    *items() {
      let previous: string | null = null;
      for (const [index, name] of names.entries()) {
        const bytes = readFileSync(join(folder, name));
        const isLast = index === names.length - 1;
        const segment = segmentOf(bytes);
        if ('why' in segment) {
          yield { kind: 'torn', segment: name, why: segment.why, isLast: false };
          previous = null;
          continue;
        }
        const expected = { ordinal: index + 1, previous, key };
        const { at, account } = segment.head;
        const voidFrom = ends[index] ?? Number.POSITIVE_INFINITY;
        const isVoid = at.source > voidFrom;
        yield { kind: 'segment', segment: name, at, account, broken: brokenWhy(segment, expected), isVoid };
        yield* linesIn(segment, voidFrom);
        if (segment.torn !== null) yield { kind: 'torn', segment: name, why: segment.torn.why, isLast };
        previous = createHash('sha256').update(bytes).digest('hex');
        const good = createHash('sha256').update(bytes.subarray(0, segment.goodBytes)).digest('hex');
        Object.assign(told, { bytes: told.bytes + bytes.length, lastSegment: name, lastHash: good });
      }
    },
  };
}

/** Of the newest one that can be read. */
function endIn(folder: string, names: readonly string[]): Position | null {
  for (const name of names.toReversed()) {
    const segment = segmentOf(readFileSync(join(folder, name)));
    if (!('why' in segment)) return segment.end;
  }
  return null;
}

function* linesIn(segment: Segment, end: number): Generator<TrailItem> {
  const { lines, unproven } = linesOf(segment);
  const without = new Set<unknown>(unproven);
  for (const line of lines) if (line.to <= end) yield { kind: 'line', line, isProven: !without.has(line) };
}

type Expected = { readonly ordinal: number; readonly previous: string | null; readonly key: LedgerKey };

/** Why it does not follow from the one before; null: it does. */
function brokenWhy({ head }: Segment, { ordinal, previous, key }: Expected): string | null {
  if (JSON.stringify(head.key) !== JSON.stringify(key)) return `it is of another copy: ${JSON.stringify(head.key)}`;
  if (head.ordinal !== ordinal) return `it is segment ${head.ordinal}, and ${ordinal} was to come`;
  if (head.previous === previous) return null;
  return `it follows one with the SHA-256 ${head.previous ?? 'none'}, and the one before it has ${previous ?? 'none'}`;
}

function segmentOf(bytes: Uint8Array): Segment | { readonly why: string } {
  try {
    return decodeSegment(bytes);
  } catch (error) {
    if (error instanceof MalformedBytes) return { why: error.message };
    throw error;
  }
}

/** Null: it has none, as one has that was begun when the machine lost its power. */
function headAt(folder: string, name: string): Segment['head'] | null {
  const fd = openSync(join(folder, name), 'r');
  try {
    const bytes = Buffer.alloc(4096);
    const head = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
    const found = head.includes(0x0a) ? segmentOf(head.subarray(0, head.indexOf(0x0a) + 1)) : null;
    return found === null || 'why' in found ? null : found.head;
  } finally {
    closeSync(fd);
  }
}
