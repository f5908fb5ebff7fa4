import { isControl, magicOf } from '../../io/kafka/bytes/batch.ts';
import { legacyDigests } from '../../io/kafka/bytes/legacy.ts';
import { recordDigests } from '../../io/kafka/bytes/rebuild.ts';
import type { RecordSeen } from '../../io/kafka/bytes/records.ts';
import type { Log } from './world/log.ts';
import type { Stored } from './world/stored.ts';

/** What stood at an offset of the source, whatever became of it. */
export type Past = {
  /** null: a marker of a transaction. */
  readonly digest: string | null;
  readonly transaction: 'none' | 'open' | 'committed' | 'aborted';
  /** It was once, whatever an unclean election has made of the marker since. */
  readonly wasCommitted: boolean;
  readonly wasAborted: boolean;
  /** Taken out by compaction or retention: whoever comes later does not find it. */
  readonly isGone: boolean;
  readonly appendedAtMs: number;
};

/** The books of one partition of the source, kept by the world. */
export class History {
  readonly #pasts = new Map<number, Past>();
  /** All records that ever stood there, in whichever replica that led; markers and what was aborted by their words. */
  readonly #ever = new Map<number, Set<string>>();
  #end: number;

  constructor(start: number) {
    this.#end = start;
  }

  get end(): number {
    return this.#end;
  }

  at(offset: number): Past | null {
    return this.#pasts.get(offset) ?? null;
  }

  /** Whether the record, or a marker, or a record that was aborted, stood there once, where nobody can look any more. */
  wasAt(offset: number, what: string): boolean {
    return this.#pasts.get(offset)?.isGone === true && this.#ever.get(offset)?.has(what) === true;
  }

  appended(batch: Stored, transaction: Past['transaction'], appendedAtMs: number): void {
    for (const { offset, digest } of digestsOf(batch.bytes)) {
      this.#pasts.set(offset, { digest, transaction, ...isNew, appendedAtMs });
      this.#note(offset, digest);
      this.#end = offset + 1;
    }
  }

  marked({ base }: Stored): void {
    this.#pasts.set(base, { digest: null, transaction: 'none', ...isNew });
    this.#note(base, 'control');
    this.#end = base + 1;
  }

  change(offset: number, change: Partial<Past>): void {
    const past = this.#pasts.get(offset);
    if (past === undefined) return;
    const wasCommitted = past.wasCommitted || change.transaction === 'committed';
    const wasAborted = past.wasAborted || change.transaction === 'aborted';
    if (change.transaction === 'aborted') this.#note(offset, 'aborted');
    this.#pasts.set(offset, { ...past, ...change, wasCommitted, wasAborted });
  }

  #note(offset: number, what: string): void {
    this.#ever.set(offset, (this.#ever.get(offset) ?? new Set()).add(what));
  }

  /** Another replica leads: what stands in its log is what stood there, whatever others had. */
  rewrite(log: Log): void {
    const standing = new Map<number, string | null>();
    for (const batch of log.batches) {
      if (magicOf(batch.bytes, 0) === 2 && isControl(batch.bytes, 0)) standing.set(batch.base, null);
      else for (const { offset, digest } of digestsOf(batch.bytes)) standing.set(offset, digest);
    }
    for (let offset = log.start; offset < log.end; offset += 1) {
      const digest = standing.get(offset);
      const past = this.#pasts.get(offset);
      if (digest === undefined) this.change(offset, { isGone: true });
      else if (past?.digest !== digest || past.isGone)
        this.#pasts.set(offset, { digest, transaction: 'none', ...isNew });
    }
    for (let offset = log.end; offset < this.#end; offset += 1) this.#pasts.delete(offset);
    this.#end = log.end;
  }
}

const isNew = { wasCommitted: false, wasAborted: false, isGone: false, appendedAtMs: 0 } as const;

export function digestsOf(bytes: Uint8Array): readonly RecordSeen[] {
  return magicOf(bytes, 0) < 2 ? legacyDigests(bytes, 0, recordBytesMax) : recordDigests(bytes, 0, recordBytesMax);
}

const recordBytesMax = 16 * 1024 * 1024;
