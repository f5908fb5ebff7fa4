import type { Entry, Sha256 } from '../core/journal/entry.ts';
import type { OperatorRequest } from '../core/rollout/observation.ts';
import type { Backend, Clock, Group, JournalStore, LeaseStore, SampleStore } from './ports.ts';

/** Everything one operation's loop touches. Built by `world.ts` for real, by the simulator for its worlds. */
export type OperationPorts = {
  readonly clock: Clock;
  readonly journal: JournalStore;
  readonly leases: LeaseStore;
  readonly samples: SampleStore;
  /** By the ids of the plan's backends. */
  readonly backends: Readonly<Record<string, Backend>>;
  readonly origin: Group;
  readonly destination: Group;
  readonly marker: BackMarker;
  readonly sha256: Sha256;
  /** Unique for each controller process: the lease's holder. */
  readonly holder: string;
  readonly timing: Timing;
  /** Told of every appended entry after it is durable; must not throw and is not waited for. */
  readonly tell: (entry: Entry) => void;
};

export type Timing = {
  /** Between two passes where nothing asks for an earlier one. */
  readonly pollMs: number;
  /** Deadline of every call to the world; shorter than the lease. */
  readonly callMs: number;
  readonly leaseMs: number;
};

/** The file `.drover/<operation>.back`: written before the first command of a way back, removed only by `resume --reason`. */
export interface BackMarker {
  read(operation: string): Promise<string | null>;
  /** Whoever took the way back first stays: one that is there, even without a word, is left as it is. */
  write(operation: string, who: string): Promise<void>;
  remove(operation: string): Promise<void>;
}

/** Operators' requests on their way into the loop; `push` wakes it. */
export interface Inbox<Request = OperatorRequest> {
  push(request: Request): void;
  take(): readonly Request[];
  /** Aborts when something urgent is pushed, until `take`: calls that are waited for are given up then. */
  urgent(): AbortSignal;
  /** Resolves when something is pushed, or when the signal aborts. */
  arrived(signal: AbortSignal): Promise<void>;
}
