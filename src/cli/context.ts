import type { BalancerConfig, Config, NotifyConfig, ServiceConfig, TrafficConfig } from '../core/fleet/config.ts';
import type { Sha256 } from '../core/journal/entry.ts';
import type { Position } from '../core/move/ledger-lines.ts';
import type { MoveRequest } from '../core/move/operation/observation.ts';
import type { BalancerProcess } from '../core/observed/balancer-process.ts';
import type { Reading } from '../core/observed/reading.ts';
import type { Notification } from '../core/rollout/notification.ts';
import type { OperatorRequest } from '../core/rollout/observation.ts';
import type { MoverProcess, MoveTarget, TargetAcls } from '../engine/move-ports.ts';
import type { BackMarker } from '../engine/operation-ports.ts';
import type { Backend, Clock, Group, JournalStore, LeaseStore, SampleStore } from '../engine/ports.ts';
import type { AdoptedLedger, AdoptionSide } from './kafka/adopt/world.ts';
import type { CopySide, LedgerEnd, LedgerLook, LedgerRead, MoverPlace, PartitionKey } from './kafka/copy/world.ts';
import type { LedgerTrail, ProofReach, ProofSide } from './kafka/prove/world.ts';
import type { KafkaSide, Reach } from './kafka/side.ts';

/** Everything a verb may touch. `world.ts` builds the real one; tests build their own. */
export type Context = {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  /** The operating-system user: the actor of what is journalled. */
  readonly user: string;
  readonly clock: Clock;
  /** 0 done, 1 error, 2 changes pending or verdict negative, 3 not enough evidence. */
  setExitCode(code: 0 | 1 | 2 | 3): void;
  readonly world: World;
};

export type Output = {
  write(text: string): void;
  /** null: not a terminal (piped, a file, CI, TERM=dumb). */
  readonly terminal: { readonly columns: number; readonly rows: number } | null;
  /** Nobody reads it any more (`| head`): a verb that only shows may end. */
  readonly gone?: boolean;
};

/** Opens the real things that a configuration names; the only way from a verb to `io/`. */
export type World = {
  openJournal(path: string, options: { readonly readOnly: boolean }): Promise<Journal>;
  /** One Backend for each process of the balancer, in the order of its sockets. */
  openBackends(balancer: BalancerConfig, traffic: Pick<TrafficConfig, 'backend'>): readonly OpenBackend[];
  /** The backends that have servers, as the balancer's first process tells them. Throws PortError. */
  listBackends(balancer: BalancerConfig, signal: AbortSignal): Promise<readonly string[]>;
  /** One process of a balancer, by one of its sockets. Throws PortError. */
  inspectProcess(balancer: BalancerConfig, socket: string, signal: AbortSignal): Promise<BalancerProcess>;
  openGroup(service: ServiceConfig, side: 'origin' | 'destination', options: GroupOptions): OpenGroup;
  /**
   * Starts the embedded balancer of this name, unless it runs. `started again`: an earlier command had started it, and it had
   * died. Once the signal aborts nothing of it is left. Throws PortError.
   */
  startBalancer(
    config: Config,
    name: string,
    stateDirectory: string,
    signal: AbortSignal,
  ): Promise<'runs' | 'started' | 'started again'>;
  /** Local instances and embedded balancers of this state directory that run now. */
  startedHere(stateDirectory: string): Promise<readonly StartedHere[]>;
  /**
   * Ends them, and nothing else; of these groups (`query.origin`) and balancers only, or all of them (null). Returns the
   * pids that are left. Throws PortError.
   */
  endStarted(
    stateDirectory: string,
    only: { readonly groups: readonly string[]; readonly balancers: readonly string[] } | null,
  ): Promise<readonly number[]>;
  /** Who listens on a TCP port of this machine; null: nobody does. `isOwn`: an instance of this state directory. */
  portHolder(port: number, stateDirectory: string): { readonly pid: number | null; readonly isOwn: boolean } | null;
  openMarker(stateDirectory: string): BackMarker;
  /** Takes the control socket for this process; `busy`: another controller answers there. */
  listenControl(path: string, handler: ControlHandler): Promise<{ close(): Promise<void> } | 'busy'>;
  /** Asks the controller that listens there; undefined: nobody does, or it ended before it answered. Throws PortError. */
  askControl(path: string, request: ControlRequest, signal: AbortSignal): Promise<unknown>;
  sha256: Sha256;
  /** Tells the outside; what could not be delivered is said in a line without addresses. */
  openNotifier(endpoints: readonly NotifyConfig[], onTrouble: (line: string) => void): Notifier;
  /** GET a URL for its own sake (heartbeats). Throws where nobody took it: no answer, or one that says no. */
  ping(url: string, signal: AbortSignal): Promise<void>;
  /** Answers GET /metrics there, with what `text` says then. Throws PortError where the address cannot be had. */
  serveMetrics(
    address: { readonly host: string; readonly port: number },
    text: () => string,
  ): Promise<{ close(): Promise<void> }>;
  /** What a copy has to know of a cluster before it begins; nothing is connected yet. Throws as `openKafka` does. */
  openCopySide(reach: Reach): CopySide;
  /** The cluster that is copied to, for the loop of a copy. */
  openCopyTarget(reach: Reach, ledgerEnd: LedgerEnd): MoveTarget & TargetAcls & { close(): Promise<void> };
  /** The process that moves the data of a copy; none is started before it is wanted. */
  openMover(place: MoverPlace): MoverProcess;
  /** Where the copy of a partition began and how far it is, by its ledger; null: there is none. Throws where it cannot be read. */
  lookAtLedger(stateDirectory: string, topic: string, key: PartitionKey): LedgerLook | null;
  /** The same with all its lines. */
  readLedger(stateDirectory: string, topic: string, key: PartitionKey): LedgerRead | null;
  /** The same as a proof reads it, which is told what is wrong with it. Throws where not even its beginning can be read. */
  openTrail(stateDirectory: string, topic: string, key: PartitionKey): LedgerTrail | null;
  /** A ledger to be made of what stands on both sides. Nobody finds it before it is put in its place. */
  openAdoptedLedger(stateDirectory: string, topic: string, key: PartitionKey): AdoptedLedger;
  /** Puts it there, unless a ledger is there; where none was made an empty one begins there. May be done again. */
  placeAdoptedLedger(stateDirectory: string, topic: string, key: PartitionKey, begin: Position): void;
  /** A cluster of which a copy is to be known again; nothing is connected yet. Throws as `openKafka` does. */
  openAdoptionSide(reach: ProofReach): AdoptionSide;
  /** A cluster of which a copy is proven; nothing is connected yet. Throws as `openKafka` does. */
  openProofSide(reach: ProofReach): ProofSide;
  /** A cluster of Kafka brokers, to be read only; nothing is connected yet. Throws PortError for what its configuration file says. */
  openKafka(reach: Reach): KafkaSide;
  /** Unique for this process. */
  holder: string;
};

/** `of`: the group (`query.origin`), or the balancer's name. */
export type StartedHere = {
  readonly kind: 'instance' | 'balancer';
  readonly of: string;
  readonly name: string;
  readonly pid: number;
};

export interface Notifier {
  /** Never waits and never throws. */
  send(notification: Notification): void;
  /** Ends after everything was delivered or given up, at the latest after `msMax`. */
  close(msMax: number): Promise<void>;
}

export type GroupOptions = {
  readonly stateDirectory: string;
  /** `watch` never starts, stops or writes anything. */
  readonly mode: 'control' | 'watch';
  /** Load of the group in requests per second, for its own scaling. */
  readonly loadRps?: () => Reading<number>;
  /** `host:port` of the group's servers, as the balancer tells. */
  readonly addresses: (signal: AbortSignal) => Promise<readonly string[]>;
};
export type OpenGroup = { readonly group: Group; close(): Promise<void> };

/** What a verb says to a running controller, and what it answers: one JSON value each. */
export type ControlRequest =
  | { readonly kind: 'status' }
  /** Answered when the controller ends: `{ kind, stage }`. */
  | { readonly kind: 'end' }
  | { readonly kind: 'operator'; readonly operation: string; readonly request: OperatorRequest }
  /** To the controller of a copy. */
  | { readonly kind: 'copy-operator'; readonly operation: string; readonly request: MoveRequest };
export type ControlHandler = (request: ControlRequest) => Promise<unknown>;

export type Journal = JournalStore & { readonly leases: LeaseStore; readonly samples: SampleStore };
/**
 * `id` names it in the journal and in messages: `balancer/backend`, with `#n` for the n-th process where there are several.
 * `address` is where that process is asked: the path of a socket, or `host:port`.
 */
export type OpenBackend = { readonly id: string; readonly address: string; readonly backend: Backend };

/** An error that a person can act on: what happened, where, and what to do. Printed without a stack; exit 1. */
export class CliError extends Error {
  readonly remedy: string | null;
  constructor(message: string, remedy: string | null = null, cause?: unknown) {
    super(message, { cause });
    this.name = 'CliError';
    this.remedy = remedy;
  }
}
