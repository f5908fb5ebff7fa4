import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { epochsPassedOver, type ProvenLine } from '../../../core/move/adoption.ts';
import type { Position } from '../../../core/move/ledger-lines.ts';
import { PartitionLedger } from '../ledger/partition-ledger.ts';
import type { LedgerKey } from '../ledger/segment.ts';
import { SegmentFolder } from '../ledger/segment-folder.ts';
import { ledgerFolder } from './ledger-place.ts';
import { segmentNames } from './look-at-ledger.ts';

/**
 * A ledger that is made of what stands on both sides. It lies beside its place, where nobody takes it for a ledger, until it is whole and
 * the journal says that it is to be the one.
 */
export class AdoptedLedger {
  readonly #folder: string;
  readonly #key: LedgerKey;
  #ledger: PartitionLedger | null = null;

  /** What an earlier attempt has left there is thrown away. */
  constructor(stateDirectory: string, topic: string, key: LedgerKey) {
    this.#folder = besidePlace(placeOf(stateDirectory, topic, key));
    this.#key = key;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `begin`: of the whole ledger. */
  append({ line, epoch }: ProvenLine, begin: Position): void {
    if (this.#ledger === null) {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#ledger = new PartitionLedger(new SegmentFolder(this.#folder), this.#key, begin);
    }
    this.#ledger.noteSourceEpoch(epoch);
    this.#ledger.append(line);
  }

  /** It is whole, and on the disk. `epoch`: above all in which the target was written; the next writer takes the next one. */
  finish(epoch: number): void {
    this.#ledger?.raiseEpoch(epoch);
    this.#ledger?.close();
    this.#ledger = null;
  }

  /** Nothing of it is left. */
  discard(): void {
    this.#ledger?.close();
    this.#ledger = null;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Puts a whole one in its place, unless a ledger is there. May be done again: after a crash in the middle it is there, or still beside it.
 * Where none was made, as of a partition that held nothing, an empty one begins at `begin`.
 */
export function placeAdoptedLedger(stateDirectory: string, topic: string, key: LedgerKey, begin: Position): void {
  const place = placeOf(stateDirectory, topic, key);
  const folder = besidePlace(place);
  if (segmentNames(place).length > 0) return;
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
    ledger.raiseEpoch(epochsPassedOver);
    ledger.close();
  }
  renameSync(folder, place);
  const parent = openSync(dirname(place), 'r');
  fsyncSync(parent);
  closeSync(parent);
}

function placeOf(stateDirectory: string, topic: string, key: LedgerKey): string {
  return ledgerFolder(join(stateDirectory, 'copies'), topic, key);
}

function besidePlace(place: string): string {
  return `${place}.adopted`;
}
