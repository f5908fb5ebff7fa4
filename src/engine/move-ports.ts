import type { Entry, Sha256 } from '../core/journal/entry.ts';
import type { TopicAcl } from '../core/move/acl-facts.ts';
import type { MoverWanted } from '../core/move/operation/decision.ts';
import type { TopicFound } from '../core/move/operation/observation.ts';
import type { CopyPlan, TopicToMake } from '../core/move/operation/plan.ts';
import type { MoverTold } from '../core/move/operation/told.ts';
import type { SettingChange } from '../core/move/topic-facts.ts';
import type { Timing } from './operation-ports.ts';
import type { Clock, JournalStore, LeaseStore } from './ports.ts';

/** Everything the loop of one copy touches. */
export type MovePorts = {
  readonly clock: Clock;
  readonly journal: JournalStore;
  readonly leases: LeaseStore;
  readonly target: MoveTarget;
  readonly acls: TargetAcls;
  readonly mover: MoverProcess;
  readonly sha256: Sha256;
  /** Unique for each controller process: the lease's holder. */
  readonly holder: string;
  readonly timing: Timing;
  /** Told of every appended entry after it is durable; must not throw and is not waited for. */
  readonly tell: (entry: Entry) => void;
};

/** Topics of the cluster that is copied to. What was done is read back. */
export interface MoveTarget {
  read(question: TargetQuestion, signal: AbortSignal): Promise<Readonly<Record<string, TopicFound>>>;
  /** Its id; null: it was there already. */
  makeTopic(topic: string, make: TopicToMake, signal: AbortSignal): Promise<string | null>;
  makePartitions(topic: string, partitions: number, signal: AbortSignal): Promise<void>;
  changeSettings(changes: readonly SettingChange[], signal: AbortSignal): Promise<void>;
  deleteTopic(topic: string, topicId: string, signal: AbortSignal): Promise<void>;
}

/** Who may do what with topics of that cluster. What was done is read back. */
export interface TargetAcls {
  /** None where there is no authorizer. */
  readAcls(signal: AbortSignal): Promise<readonly TopicAcl[]>;
  makeAcls(acls: readonly TopicAcl[], signal: AbortSignal): Promise<void>;
  /** Each as it is, and nothing that is like it. */
  deleteAcls(acls: readonly TopicAcl[], signal: AbortSignal): Promise<void>;
}

export type TargetQuestion = {
  readonly topics: readonly string[];
  /** Topics of which it has to be known what is in them. */
  readonly holdingsOf: readonly string[];
};

/** The process that moves the data: started, held and ended until it is as it is wanted, whatever it was before. */
export interface MoverProcess {
  want(wanted: MoverWanted | null, assignment: Assignment): void;
  told(): MoverTold;
  /** It may send for so long from now on, and nothing after that. */
  allow(leftMs: number): void;
  /** Resolves when it has told something else than before, or when the signal aborts. */
  news(signal: AbortSignal): Promise<void>;
  /** Done when it is gone. `isSettled`: nothing that it has sent can still be performed, which is the ordinary case. */
  close(): Promise<{ readonly isSettled: boolean }>;
}

/** What is to be moved, and where to. */
export type Assignment = {
  readonly plan: CopyPlan;
  /** By topic. */
  readonly targetIds: Readonly<Record<string, string>>;
};
