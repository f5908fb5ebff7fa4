import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../../../core/move/ledger-lines.ts';
import { decodeSegment, type LedgerKey, type Segment } from '../ledger/segment.ts';
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

function segmentAt(path: string): Segment | null {
  const bytes = readFileSync(path);
  return bytes.includes(0x0a) ? decodeSegment(bytes) : null;
}

function segmentNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.segment'))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
