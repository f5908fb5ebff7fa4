import type { Rate } from '../../../core/move/operation/events.ts';
import type { MoverFigures } from '../../../core/move/operation/told.ts';
import type { Address } from '../broker-finder.ts';
import type { TlsSettings } from '../connection/open-socket.ts';
import type { SaslCredentials } from '../connection/sasl.ts';
import type { LedgerKey } from '../ledger/segment.ts';

/**
 * What controller and mover say to each other, over a channel that only these two have: nothing of it is in arguments, in the
 * environment or in a file. The channel's end is the controller's end.
 */
export type ToMover =
  | ({ readonly kind: 'begin' } & Beginning)
  /** Nothing may be sent after that moment, by the clock of the machine that never goes back. */
  | { readonly kind: 'allow'; readonly untilNs: bigint }
  | { readonly kind: 'hold' }
  | { readonly kind: 'go-on' }
  | { readonly kind: 'rate'; readonly rate: Rate }
  /** Ends it once all its requests are settled. */
  | { readonly kind: 'stop' };

export type FromMover =
  | { readonly kind: 'figures'; readonly figures: MoverFigures }
  /** Nothing is left to do. It ends by itself. */
  | { readonly kind: 'done'; readonly figures: MoverFigures; readonly isSettled: boolean }
  /** Asked to stop, or no lease allows it to go on. `isSettled`: nothing that was sent can still be performed. */
  | { readonly kind: 'stopped'; readonly isSettled: boolean };

export type Beginning = {
  readonly source: ClusterAccess;
  readonly target: ClusterAccess;
  readonly version: string;
  /** Of each target broker at a time; null: all. */
  readonly partitionsPerBroker: number | null;
  /** Of ledgers, one folder in it for each partition. */
  readonly ledgers: string;
  /** Says which process wrote to these ledgers last. */
  readonly record: string;
  /** The first ones first. */
  readonly partitions: readonly AssignedPartition[];
  readonly untilNs: bigint;
  readonly isHeld: boolean;
  readonly rate: Rate;
};

export type AssignedPartition = {
  readonly topic: string;
  readonly key: LedgerKey;
  readonly begin: { readonly source: number; readonly target: number };
  readonly end: number | null;
};

/** With secrets. */
export type ClusterAccess = {
  readonly bootstrap: readonly Address[];
  /** A function cannot be sent: whether names are checked is told apart. */
  readonly tls: Omit<TlsSettings, 'checkServerIdentity'> | null;
  readonly checksNames: boolean;
  readonly sasl: SaslCredentials | null;
  readonly clientId: string | null;
};

/** Both ends are this package's, of one version: what is no such message is not ours. */
export function isMessage(value: unknown): value is { readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
