import { canonicalJson } from '../core/journal/canonical.ts';
import { type Entry, emptyHead, type Head } from '../core/journal/entry.ts';

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
  readonly #samples = new Map<string, string>();
  /** Told of every entry once it is durable. */
  onEntry: (entry: Entry) => void = () => {};

  head(operation: string): Head {
    const last = this.chains.get(operation)?.at(-1);
    return last === undefined ? emptyHead(operation) : { operation, seq: last.seq, hash: last.hash };
  }

  append(expected: Head, entries: readonly Entry[]): 'appended' | 'conflict' {
    const head = this.head(expected.operation);
    if (head.seq !== expected.seq || head.hash !== expected.hash) return 'conflict';
    const chain = this.chains.get(expected.operation) ?? [];
    this.chains.set(expected.operation, chain);
    for (const entry of entries) {
      const last = chain.at(-1);
      if (entry.seq !== (last?.seq ?? 0) + 1 || entry.previous !== (last?.hash ?? head.hash)) {
        throw new Error(`entry ${entry.seq} of ${entry.operation} does not follow its chain`);
      }
      chain.push(entry);
    }
    for (const entry of entries) this.onEntry(entry);
    return 'appended';
  }

  read(operation: string, afterSeq: number): Entry[] {
    return (this.chains.get(operation) ?? []).slice(afterSeq);
  }

  /** Times are the caller's, as with a real store. */
  acquire(operation: string, holder: string, nowMs: number, ttlMs: number): LeaseRow & { held: boolean } {
    const row = this.#leases.get(operation);
    if (row !== undefined && row.holder !== holder && row.expiresAtMs > nowMs) return { ...row, held: false };
    const fence = row === undefined ? 1 : row.holder === holder ? row.fence : row.fence + 1;
    const next = { holder, fence, expiresAtMs: nowMs + ttlMs };
    this.#leases.set(operation, next);
    return { ...next, held: true };
  }

  leaseHolder(operation: string, nowMs: number): string | null {
    const row = this.#leases.get(operation);
    return row !== undefined && row.expiresAtMs > nowMs ? row.holder : null;
  }

  release(operation: string, holder: string): void {
    const row = this.#leases.get(operation);
    if (row?.holder === holder) this.#leases.set(operation, { ...row, expiresAtMs: 0 });
  }

  putSamples(operation: string, block: string, samples: string): void {
    this.#samples.set(`${operation} ${block}`, samples);
  }

  readSamples(operation: string, block: string): string | null {
    return this.#samples.get(`${operation} ${block}`) ?? null;
  }

  pruneSamples(operation: string, keepBlocks: number): number {
    const blocks = [...this.#samples.keys()].filter((key) => key.startsWith(`${operation} `));
    const pruned = blocks.slice(0, Math.max(0, blocks.length - keepBlocks));
    for (const key of pruned) this.#samples.delete(key);
    return pruned.length;
  }
}

type LeaseRow = { readonly holder: string; readonly fence: number; readonly expiresAtMs: number };

/** The text of a value as a journal would keep it; two values are the same to a reader exactly when their texts are. */
export function textOf(value: unknown): string {
  return canonicalJson(value);
}
