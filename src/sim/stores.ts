import { canonicalJson } from '../core/journal/canonical.ts';
import { type Entry, emptyHead, type Head } from '../core/journal/entry.ts';
import type { Lease } from '../engine/ports.ts';

/**
 * What outlives every controller: chains, leases, samples and the back marker. Synchronous and without faults; a controller's
 * ports put those in between. Entries are frozen as text the moment they are durable, so that nobody can change them later.
 */
export class Durable {
  readonly chains = new Map<string, Entry[]>();
  readonly marker = new Map<string, string>();
  /** When each controller last looked for the marker. */
  readonly markerReadAtMs = new Map<string, number>();
  readonly #leases = new Map<string, LeaseRow>();
  /** By operation, then by block: a Map keeps the order in which blocks came. */
  readonly #samples = new Map<string, Map<string, string>>();
  /** Told of every entry once it is durable. */
  onEntry: (entry: Entry) => void = () => {};
  /** Told of every lease that is given. */
  onLease: (holder: string, ttlMs: number) => void = () => {};
  /** Told of every lease that is given back. */
  onRelease: (holder: string) => void = () => {};

  head(operation: string): Head {
    const last = this.chains.get(operation)?.at(-1);
    return last === undefined ? emptyHead(operation) : { operation, seq: last.seq, hash: last.hash };
  }

  append(expected: Head, entries: readonly Entry[]): 'appended' | 'conflict' {
    assertRun(expected, entries);
    const head = this.head(expected.operation);
    if (head.seq !== expected.seq || head.hash !== expected.hash) return 'conflict';
    const chain = this.chains.get(expected.operation);
    if (chain !== undefined) chain.push(...entries);
    else if (entries.length > 0) this.chains.set(expected.operation, [...entries]);
    for (const entry of entries) this.onEntry(entry);
    return 'appended';
  }

  read(operation: string, afterSeq: number): Entry[] {
    return (this.chains.get(operation) ?? []).slice(afterSeq);
  }

  /** Times are the caller's, as with a real store. */
  acquire(operation: string, holder: string, nowMs: number, ttlMs: number): Lease {
    const { holder: other, fence: last, expiresAtMs: untilMs } = this.#leases.get(operation) ?? never;
    if (other !== null && other !== holder && untilMs > nowMs)
      return { held: false, holder: other, expiresAtMs: untilMs };
    const [fence, expiresAtMs] = [other === holder ? last : last + 1, nowMs + ttlMs];
    this.#leases.set(operation, { holder, fence, expiresAtMs });
    this.onLease(holder, ttlMs);
    return { held: true, fence, expiresAtMs };
  }

  leaseHolder(operation: string, nowMs: number): string | null {
    const row = this.#leases.get(operation);
    return row !== undefined && row.expiresAtMs > nowMs ? row.holder : null;
  }

  holderOf(operation: string): { readonly holder: string; readonly expiresAtMs: number } | null {
    const { holder, expiresAtMs } = this.#leases.get(operation) ?? never;
    return holder === null ? null : { holder, expiresAtMs };
  }

  release(operation: string, holder: string): void {
    const row = this.#leases.get(operation);
    if (row?.holder !== holder) return;
    this.#leases.set(operation, { ...row, holder: null });
    this.onRelease(holder);
  }

  putSamples(operation: string, block: string, samples: string): void {
    const blocks = this.#samples.get(operation) ?? new Map<string, string>();
    // A block that is put again is the newest.
    blocks.delete(block);
    this.#samples.set(operation, blocks.set(block, samples));
  }

  readSamples(operation: string, block: string): string | null {
    return this.#samples.get(operation)?.get(block) ?? null;
  }

  pruneSamples(operation: string, keepBlocks: number): number {
    const blocks = this.#samples.get(operation) ?? new Map<string, string>();
    const pruned = [...blocks.keys()].slice(0, Math.max(0, blocks.size - keepBlocks));
    for (const block of pruned) blocks.delete(block);
    return pruned.length;
  }
}

/** `holder` null: given back, or never taken. The fence goes on from where it was. */
type LeaseRow = { readonly holder: string | null; readonly fence: number; readonly expiresAtMs: number };
const never: LeaseRow = { holder: null, fence: 0, expiresAtMs: 0 };

/** Entries that are not one unbroken run behind the head are a mistake of the engine, and none of them is kept. */
function assertRun(head: Head, entries: readonly Entry[]): void {
  let { seq, hash } = head;
  for (const entry of entries) {
    if (entry.operation !== head.operation || entry.seq !== seq + 1 || entry.previous !== hash) {
      throw new Error(`entry ${entry.seq} of ${entry.operation} does not follow its chain`);
    }
    ({ seq, hash } = entry);
  }
}

/** The text of a value as a journal would keep it; two values are the same to a reader exactly when their texts are. */
export function textOf(value: unknown): string {
  return canonicalJson(value);
}
