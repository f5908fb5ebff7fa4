import type { Account } from '../../../core/move/account.ts';
import type { LedgerLine, Position, SentLine } from '../../../core/move/ledger-lines.ts';
import type { Api } from '../messages/api.ts';

/** What the mover needs of the world; the simulator has clusters and ledgers of its own. */

/** One connection to one broker. Requests are answered in the order in which they were sent. */
export interface Broker {
  /** Rejects with a reason, and then nobody knows what became of it. Not sent any more after `sendBeforeMs` of the clock. */
  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    limits?: { readonly deadlineMs?: number; readonly sendBeforeMs?: number },
  ): Promise<Response>;
  readonly ended: boolean;
  /** Nobody reads the response any more of which these bytes are, and no connection sends any of it. */
  release(response: Uint8Array): void;
  close(): Promise<void>;
}

export interface Cluster {
  /** A connection of its own to a broker that metadata named. */
  connect(nodeId: number): Promise<Broker>;
  /** Who leads now; asks the cluster. Partitions that have no leader are not in it. */
  leaders(topics: readonly string[]): Promise<ReadonlyMap<string, readonly Leader[]>>;
}

export type Leader = {
  readonly topicId: string | null;
  readonly partition: number;
  readonly nodeId: number;
  readonly epoch: number | null;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
};

export interface Ledger {
  readonly end: Position;
  readonly epoch: number;
  /** The leader epoch of the source's batch that the last line is of; null: not known. */
  readonly sourceEpoch: number | null;
  readonly account: Account;
  /** `isProven`: false for a batch that stands on the target and could not be compared with the source. */
  append(line: LedgerLine, isProven?: boolean): void;
  raiseEpoch(epoch: number): void;
  /** Of the lines that follow. */
  noteSourceEpoch(epoch: number | null): void;
  voidFrom(at: Position): void;
  /** Makes a line that is void the last one again, because its batch stands on the target after all; false: there is none. */
  restore(found: { readonly base: number; readonly count: number; readonly checksum: number }): boolean;
  lastSent(count: number): readonly SentLine[];
  sentFrom(target: number): { readonly lines: readonly SentLine[]; readonly isAll: boolean };
  sync(): Promise<void>;
  close(): void;
}

/** Monotonic milliseconds for deadlines, and the wall clock for the age of records. */
export interface MoverClock {
  now(): number;
  monotonic(): number;
  /** Resolves early, and without an error, when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
