import type { Entry, Head } from '../core/journal/entry.ts';
import type { AdminState, BackendReading } from '../core/observed/backend.ts';
import type { GroupReading } from '../core/observed/group.ts';

/**
 * What the engine needs from the world. Every method takes a signal that carries its deadline and either does what it says,
 * or throws a PortError; after an error nobody knows whether it was done, so it is read back.
 */

/** Time, as a parameter. `sleep` ends early (without error) when the signal aborts. */
export interface Clock {
  now(): number;
  /** Milliseconds that never go back: for deadlines and leases. */
  monotonic(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** One backend of one balancer process. */
export interface Backend {
  read(signal: AbortSignal): Promise<BackendReading>;
  /** Cumulative attempts of the named servers, as fast as the balancer can tell: polled every 5 ms in the drill. */
  attempts(servers: readonly string[], signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
  /** Weights 0..256 by server name. Servers not named are not touched. */
  setWeights(weights: Readonly<Record<string, number>>, signal: AbortSignal): Promise<void>;
  setStates(states: Readonly<Record<string, AdminState>>, signal: AbortSignal): Promise<void>;
}

/** The instances of one service in one environment. */
export interface Group {
  read(signal: AbortSignal): Promise<GroupReading>;
  /** Idempotent. What is left out stays as it is. Shrinking drains and stops instances; the highest indices go first. */
  resize(size: { readonly min?: number; readonly desired?: number }, signal: AbortSignal): Promise<void>;
}

/** Append-only store of chains. */
export interface JournalStore {
  /** All or nothing. `conflict`: the chain's head is no longer `expected`, nothing was written. */
  append(expected: Head, entries: readonly Entry[]): Promise<'appended' | 'conflict'>;
  /** Entries with seq > afterSeq, in order. */
  read(operation: string, afterSeq: number): Promise<Entry[]>;
  heads(): Promise<Head[]>;
  close(): Promise<void>;
}

/** Who may act on an operation. The fence grows by one each time the lease changes hands. */
export interface LeaseStore {
  /** Takes the lease if it is free, expired or already ours (then it is renewed and the fence stays); times by the caller's clock. */
  acquire(operation: string, holder: string, nowMs: number, ttlMs: number): Promise<Lease>;
  release(operation: string, holder: string): Promise<void>;
  /** Who holds it, or held it last, and until when; null: it is free. Writes nothing. */
  holderOf(operation: string): Promise<{ readonly holder: string; readonly expiresAtMs: number } | null>;
}
export type Lease =
  | { readonly held: true; readonly fence: number; readonly expiresAtMs: number }
  | { readonly held: false; readonly holder: string; readonly expiresAtMs: number };

/** Samples that support a checkpoint; may be pruned without breaking the chain, which carries their hash. */
export interface SampleStore {
  put(operation: string, block: string, samples: string): Promise<void>;
  read(operation: string, block: string): Promise<string | null>;
  prune(operation: string, keepBlocks: number): Promise<number>;
}

/** Something the outside did not do. `code` is closed per boundary; `retriable` is set where the knowledge is. */
export class PortError extends Error {
  readonly code: PortErrorCode;
  readonly retriable: boolean;
  constructor(code: PortErrorCode, message: string, options: { retriable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'PortError';
    this.code = code;
    this.retriable = options.retriable;
  }
}
export type PortErrorCode =
  | 'unreachable'
  | 'timeout'
  | 'denied'
  | 'refused'
  | 'not-found'
  | 'protocol'
  | 'disk-full'
  | 'read-only'
  | 'corrupt'
  | 'newer-version';
