import { endOf, startOf } from '../core/journal/anchors.ts';
import type { Draft } from '../core/journal/chain.ts';
import type { Entry, EventBody, Sha256 } from '../core/journal/entry.ts';
import { anchor } from './anchors.ts';
import { type Chain, openChain } from './chain.ts';
import { Interruption, within } from './deadline.ts';
import type { LeaseKeeper } from './lease.ts';
import { type JournalStore, PortError } from './ports.ts';
import type { SteadyClock } from './steady-clock.ts';

export type KeptPorts = {
  readonly journal: JournalStore;
  readonly clock: SteadyClock;
  readonly sha256: Sha256;
  readonly tell: (entry: Entry) => void;
};

/** Asks a store, which answers in time or not at all. */
export type Asking = <T>(ask: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** The chain of one operation as its loop has it: what it folds to, and whether anything can be written. */
export class KeptChain<State> {
  state: State;
  /** Nothing could be appended; ends with the next entry or, where there is none to append, once the store has taken a lease. */
  trouble: string | null = null;
  /** The chain may be longer than `state` knows. */
  isBehind = false;
  readonly chain: Chain;
  readonly #ports: KeptPorts;
  readonly #lease: LeaseKeeper;
  readonly #fold: (state: State | null, entry: Entry) => State;
  readonly #ask: Asking;
  readonly #first: Entry;
  /** On the clock that never goes back. */
  #troubleAtMs = 0;
  /** The fleet chain is known to anchor the start: whoever wrote that may have died before its anchor. */
  #isAnchored = false;

  private constructor(given: Opening<State>, chain: Chain, state: State, first: Entry) {
    [this.#ports, this.#lease, this.#fold, this.#ask] = [given.ports, given.lease, given.fold, given.ask];
    [this.chain, this.state, this.#first] = [chain, state, first];
  }

  static async open<State>(given: Opening<State>, operation: string, signal: AbortSignal): Promise<KeptChain<State>> {
    const { ports, fold } = given;
    const chain = openChain(ports.journal, operation, ports.sha256);
    const entries = await chain.catchUp(signal);
    let state: State | null = null;
    for (const entry of entries) {
      state = fold(state, entry);
      ports.clock.catchUpWith(entry.atMs);
    }
    const [first] = entries;
    if (state === null || first === undefined) throw new Error(`there is no operation ${operation} in this journal`);
    return new KeptChain(given, chain, state, first);
  }

  /** What is durable now counts. Null: it is not, and the next pass decides anew. */
  async append<Body extends EventBody>(
    draftsOf: (signal: AbortSignal) => Promise<readonly Draft<Body>[]>,
  ): Promise<readonly Entry<Body>[] | null> {
    try {
      const entries = await this.#ask(async (signal) => this.chain.append(await draftsOf(signal), signal));
      this.trouble = null;
      if (entries !== 'conflict') {
        for (const entry of entries) {
          this.state = this.#fold(this.state, entry);
          this.#ports.tell(entry);
        }
        return entries;
      }
      this.#lease.doubt();
    } catch (error) {
      if (!(error instanceof Interruption)) {
        this.trouble = error instanceof Error ? error.message : String(error);
        this.#troubleAtMs = this.#ports.clock.monotonic();
      }
    }
    this.isBehind = true;
    return null;
  }

  /** There is nothing to append. What was to be written is not wanted any more: without this, effects would wait for an entry that waits for them. */
  appendedNothing(): void {
    if (!this.isBehind && this.#lease.writtenAtMs() > this.#troubleAtMs) this.trouble = null;
  }

  /** Reads what others have appended, and what this controller has without learning of it; how far the time stepped by it, in ms. */
  async catchUp(): Promise<{ readonly entries: readonly Entry[]; readonly steppedMs: number }> {
    const entries = await this.#ask((signal) => this.chain.catchUp(signal)).catch((error: unknown) => {
      if (error instanceof PortError && !error.retriable) this.trouble = error.message;
      return null;
    });
    this.isBehind = entries === null;
    // Given up and kept all the same, or somebody else's: the journal takes entries again. On the way back no other may come to tell.
    if (entries !== null && entries.length > 0) this.trouble = null;
    let steppedMs = 0;
    for (const entry of entries ?? []) {
      this.state = this.#fold(this.state, entry);
      steppedMs = Math.max(steppedMs, this.#ports.clock.catchUpWith(entry.atMs));
    }
    return { entries: entries ?? [], steppedMs };
  }

  /** Nothing waits for it, and nothing depends on it: what fails is tried again in the next pass. */
  async anchorStart(): Promise<void> {
    if (this.#isAnchored || !this.#lease.isHeld() || this.trouble !== null) return;
    const work = this.#ask((signal) => within(signal, anchor(this.#ports, [startOf(this.#first)])));
    await work.then(
      () => {
        this.#isAnchored = true;
      },
      () => undefined,
    );
  }

  /** The operation has ended with the last entry. */
  async anchorEnd(): Promise<void> {
    await anchor(this.#ports, [startOf(this.#first), endOf(this.chain.head())]);
  }
}

export type Opening<State> = {
  readonly ports: KeptPorts;
  readonly lease: LeaseKeeper;
  readonly fold: (state: State | null, entry: Entry) => State;
  readonly ask: Asking;
};
