import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerLine, Position } from '../../../core/move/ledger-lines.ts';
import { decodeSegment, type LedgerKey, linesOf, type Segment } from '../ledger/segment.ts';
import { ledgerFolder } from './ledger-place.ts';

/** What the ledger of a partition says, read beside whoever writes it. */
export type LedgerLook = { readonly begin: Position; readonly end: Position };

/** Null: there is none. Throws where it is not one. */
export function lookAtLedger(stateDirectory: string, topic: string, key: LedgerKey): LedgerLook | null {
  const folder = ledgerFolder(join(stateDirectory, 'copies'), topic, key);
  const names = segmentNames(folder);
  const [name] = names;
  const first = name === undefined ? null : segmentAt(join(folder, name));
  if (first === null) return null;
  // The last one may have been begun, and no more.
  const last = names.slice(-2).map((one) => segmentAt(join(folder, one)));
  return { begin: first.head.at, end: (last.findLast((one) => one !== null) ?? first).end };
}

/** All its lines, in the order of the source. Null: there is no ledger. Throws where it is not one. */
export function readLedger(
  stateDirectory: string,
  topic: string,
  key: LedgerKey,
): { readonly begin: Position; readonly lines: Iterable<LedgerLine> } | null {
  const look = lookAtLedger(stateDirectory, topic, key);
  if (look === null) return null;
  return { begin: look.begin, lines: linesIn(ledgerFolder(join(stateDirectory, 'copies'), topic, key)) };
}

function* linesIn(folder: string): Generator<LedgerLine> {
  const names = segmentNames(folder);
  const heads = names.map((name) => segmentAt(join(folder, name))?.head.at.source ?? Number.POSITIVE_INFINITY);
  for (const [index, name] of names.entries()) {
    const segment = segmentAt(join(folder, name));
    // A segment makes void what those before it have from its head on.
    const end = Math.min(Number.POSITIVE_INFINITY, ...heads.slice(index + 1));
    if (segment !== null) yield* linesOf(segment).lines.filter(({ to }) => to <= end);
  }
}

function segmentAt(path: string): Segment | null {
  const bytes = readFileSync(path);
  return bytes.includes(0x0a) ? decodeSegment(bytes) : null;
}

/** In order; none where there is no such folder. */
export function segmentNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.segment'))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
