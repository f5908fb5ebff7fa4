import type { Entry, Head } from '../../core/journal/entry.ts';
import type { JournalStore, Lease, LeaseStore, SampleStore } from '../../engine/ports.ts';
import { assertRun, isHead } from './run.ts';

/** A journal that lives as long as the object: what survives a simulated crash, and the partner of the contract suite. */
export function openMemoryJournal(): JournalStore & { readonly leases: LeaseStore; readonly samples: SampleStore } {
  return new MemoryJournal();
}

class MemoryJournal implements JournalStore {
  readonly leases: LeaseStore = new MemoryLeases();
  readonly samples: SampleStore = new MemorySamples();
  readonly #chains = new Map<string, Entry[]>();

  async append(expected: Head, entries: readonly Entry[]): Promise<'appended' | 'conflict'> {
    assertRun(expected, entries);
    const chain = this.#chains.get(expected.operation);
    if (!isHead(expected, chain?.at(-1))) return 'conflict';
    if (chain !== undefined) chain.push(...entries);
    else if (entries.length > 0) this.#chains.set(expected.operation, [...entries]);
    return 'appended';
  }

  async read(operation: string, afterSeq: number): Promise<Entry[]> {
    return this.#chains.get(operation)?.slice(afterSeq) ?? [];
  }

  async heads(): Promise<Head[]> {
    return [...this.#chains.values()].flatMap((chain) =>
      chain.slice(-1).map(({ operation, seq, hash }) => ({ operation, seq, hash })),
    );
  }

  async close(): Promise<void> {}
}

/** `holder` null: given back. The entry stays, because the fence must go on from where it was. */
type HeldLease = { readonly holder: string | null; readonly fence: number; readonly expiresAtMs: number };

class MemoryLeases implements LeaseStore {
  readonly #leases = new Map<string, HeldLease>();

  async acquire(operation: string, holder: string, nowMs: number, ttlMs: number): Promise<Lease> {
    const current = this.#leases.get(operation) ?? { holder: null, fence: 0, expiresAtMs: nowMs };
    const ours = current.holder === holder;
    if (current.holder !== null && !ours && nowMs < current.expiresAtMs) {
      return { held: false, holder: current.holder, expiresAtMs: current.expiresAtMs };
    }
    const lease = { holder, fence: ours ? current.fence : current.fence + 1, expiresAtMs: nowMs + ttlMs };
    this.#leases.set(operation, lease);
    return { held: true, fence: lease.fence, expiresAtMs: lease.expiresAtMs };
  }

  async release(operation: string, holder: string): Promise<void> {
    const current = this.#leases.get(operation);
    if (current?.holder === holder) this.#leases.set(operation, { ...current, holder: null });
  }

  async holderOf(operation: string): Promise<{ readonly holder: string; readonly expiresAtMs: number } | null> {
    const { holder = null, expiresAtMs = 0 } = this.#leases.get(operation) ?? {};
    return holder === null ? null : { holder, expiresAtMs };
  }
}

class MemorySamples implements SampleStore {
  /** By operation, then by block: a Map keeps the order in which blocks came. */
  readonly #blocks = new Map<string, Map<string, string>>();

  async put(operation: string, block: string, samples: string): Promise<void> {
    const blocks = this.#blocks.get(operation) ?? new Map<string, string>();
    blocks.delete(block);
    this.#blocks.set(operation, blocks.set(block, samples));
  }

  async read(operation: string, block: string): Promise<string | null> {
    return this.#blocks.get(operation)?.get(block) ?? null;
  }

  async prune(operation: string, keepBlocks: number): Promise<number> {
    const blocks = this.#blocks.get(operation) ?? new Map<string, string>();
    const pruned = [...blocks.keys()].slice(0, Math.max(0, blocks.size - keepBlocks));
    for (const block of pruned) blocks.delete(block);
    return pruned.length;
  }
}
