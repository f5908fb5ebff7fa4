import { codeOf, noError } from '../../../io/kafka/messages/error-codes.ts';
import type { Schedule } from '../../schedule.ts';
import { Log } from './log.ts';
import { Producers } from './producers.ts';
import { type Stored, storedAt } from './stored.ts';

export type Replica = {
  readonly nodeId: number;
  readonly log: Log;
  readonly producers: Producers;
  /** Leads, or believes that it does, since this epoch; null: it follows. */
  leads: number | null;
  highWatermark: number;
  /** It follows nobody until then, and stays in the set of those in sync for a while. */
  stoppedUntilMs: number;
  caughtUpMs: number;
  waiters: Waiter[];
};
type Waiter = { readonly end: number; readonly done: (code: number) => void };

export type PartitionPlan = {
  readonly topic: string;
  readonly number: number;
  readonly nodeIds: readonly number[];
  readonly start: number;
  /** producer.id.expiration.ms */
  readonly expirationMs: number;
  /** How long a follower needs to get what was appended. */
  readonly replicationMs: number;
};

/** What a partition has to know of its brokers. */
export type NodesView = {
  readonly schedule: Schedule;
  wallMs(): number;
  /** Runs, and does not stand still. */
  isLively(nodeId: number): boolean;
};

/** A partition: replicas with logs of their own, one of which leads. The controller is a person without faults. */
export class SimPartition {
  readonly plan: PartitionPlan;
  readonly replicas: readonly Replica[];
  /** max.message.bytes, which a person may raise. */
  bytesMax = Number.POSITIVE_INFINITY;
  /** A batch was sent here that nobody waited for any more; `too late`: for longer than the successor of who sent it waits. */
  arrivedLate: 'never' | 'late' | 'too late' = 'never';
  /** What led to a loss of what had been acknowledged; null: nothing. */
  lostBelow: number | null = null;
  epoch = 0;
  leaderId: number | null;
  readonly inSync: Set<number>;
  #watchers: (() => void)[] = [];
  readonly #nodes: NodesView;

  constructor(plan: PartitionPlan, nodes: NodesView) {
    this.plan = plan;
    this.#nodes = nodes;
    this.replicas = plan.nodeIds.map((nodeId) => ({
      nodeId,
      log: new Log(plan.start),
      producers: new Producers(),
      leads: null,
      highWatermark: plan.start,
      stoppedUntilMs: 0,
      caughtUpMs: 0,
      waiters: [],
    }));
    this.inSync = new Set(plan.nodeIds);
    this.leaderId = plan.nodeIds[0] ?? null;
    const [first] = this.replicas;
    if (first !== undefined) first.leads = 0;
  }

  noteLate(isTooLate: boolean): void {
    if (this.arrivedLate !== 'too late') this.arrivedLate = isTooLate ? 'too late' : 'late';
  }

  replicaOn(nodeId: number): Replica | null {
    return this.replicas.find((replica) => replica.nodeId === nodeId) ?? null;
  }

  /** The one that the controller has made leader; null: none. */
  get leader(): Replica | null {
    return this.leaderId === null ? null : this.replicaOn(this.leaderId);
  }

  /** The log that counts: the leader's, or while there is none that of the one which led last and is whole. */
  get truth(): Replica {
    const best = this.leader ?? this.replicas.find(({ nodeId }) => this.inSync.has(nodeId)) ?? this.replicas[0];
    if (best === undefined) throw new Error(`${this.plan.topic}-${this.plan.number} has no replica`);
    return best;
  }

  /** By one that leads, or believes that it does. `base`: null, behind what is there; v0 and v1 messages have their own. */
  append(replica: Replica, sent: Uint8Array, base: number | null = null): Stored {
    const stored = storedAt(sent, base ?? replica.log.end, replica.leads ?? 0);
    replica.log.append(stored);
    replica.producers.note(stored);
    this.#advance(replica);
    for (const follower of this.replicas)
      if (follower !== replica) this.#nodes.schedule.after(this.plan.replicationMs, () => this.pull(follower));
    return stored;
  }

  /** Calls back when `end` is committed, or cannot be by this replica any more. */
  whenCommitted(replica: Replica, end: number, timeoutMs: number, done: (code: number) => void): void {
    if (replica.highWatermark >= end) {
      done(noError);
      return;
    }
    const waiter = { end, done };
    replica.waiters.push(waiter);
    this.#nodes.schedule.after(timeoutMs, () => {
      if (!replica.waiters.includes(waiter)) return;
      replica.waiters = replica.waiters.filter((one) => one !== waiter);
      done(codeOf('REQUEST_TIMED_OUT'));
    });
  }

  /** Calls back once when more is committed. */
  whenAdvanced(done: () => void): void {
    this.#watchers.push(done);
  }

  /** A follower gets what its leader has, and gives up what its leader has not. */
  pull(follower: Replica): void {
    const { leader } = this;
    if (leader === null || leader === follower || follower.leads !== null || leader.leads === null) return;
    if (this.#nodes.schedule.nowMs < follower.stoppedUntilMs) return;
    if (!this.#nodes.isLively(follower.nodeId) || !this.#nodes.isLively(leader.nodeId)) return;
    follower.log.startAt(leader.log.start);
    const common = commonBatches(follower.log, leader.log);
    const end = common.at(-1)?.last ?? follower.log.start - 1;
    if (end + 1 < follower.log.end) {
      follower.log.truncate(end + 1);
      follower.producers.rebuild(follower.log.batches, this.#nodes.wallMs(), this.plan.expirationMs);
    }
    for (const batch of leader.log.batches.slice(common.length)) {
      follower.log.append(batch);
      follower.producers.note(batch);
    }
    follower.highWatermark = Math.min(leader.highWatermark, follower.log.end);
    follower.caughtUpMs = this.#nodes.schedule.nowMs;
    this.inSync.add(follower.nodeId);
    this.#advance(leader);
  }

  /** Who has been behind for too long is not waited for any more. */
  shrink(lagMsMax: number): void {
    const { leader } = this;
    if (leader === null || !this.#nodes.isLively(leader.nodeId)) return;
    for (const follower of this.replicas) {
      const lagMs = this.#nodes.schedule.nowMs - follower.caughtUpMs;
      if (follower === leader || follower.log.end >= leader.log.end || lagMs < lagMsMax) continue;
      this.inSync.delete(follower.nodeId);
    }
    this.#advance(leader);
  }

  /** The old leader learns of it by `deposed`. An unclean one is of a replica that was not in sync. */
  elect(nodeId: number): void {
    const next = this.replicaOn(nodeId);
    if (next === null) return;
    const { truth } = this;
    if (!this.inSync.has(nodeId)) {
      this.lostBelow = Math.min(this.lostBelow ?? Number.POSITIVE_INFINITY, commonEnd(next.log, truth.log));
      this.inSync.clear();
      this.inSync.add(nodeId);
    }
    this.epoch += 1;
    this.leaderId = nodeId;
    next.leads = this.epoch;
    next.log.begin(this.epoch);
    for (const replica of this.replicas) replica.caughtUpMs = this.#nodes.schedule.nowMs;
    this.#advance(next);
  }

  /** It leads no more, and knows it. */
  deposed(replica: Replica): void {
    replica.leads = null;
    for (const { done } of replica.waiters.splice(0)) done(codeOf('NOT_LEADER_OR_FOLLOWER'));
  }

  /** For all replicas alike: what a cleaner or a person does to the log. */
  everywhere(change: (log: Log) => void): void {
    for (const { log } of this.replicas) change(log);
  }

  #advance(replica: Replica): void {
    const isLeader = replica.nodeId === this.leaderId;
    // One that was deposed hears no more from those who were in sync.
    if (!isLeader) return;
    const inSync = this.replicas.filter(({ nodeId }) => this.inSync.has(nodeId));
    // What a follower has of another leader does not count.
    const ends = inSync.map(({ log }) => (log === replica.log ? log.end : commonEnd(log, replica.log)));
    const before = replica.highWatermark;
    replica.highWatermark = Math.max(replica.highWatermark, Math.min(replica.log.end, ...ends));
    replica.highWatermark = Math.min(replica.highWatermark, replica.log.end);
    if (replica.highWatermark > before)
      for (const told of this.#watchers.splice(0)) this.#nodes.schedule.after(0, told);
    const ready = replica.waiters.filter(({ end }) => end <= replica.highWatermark);
    replica.waiters = replica.waiters.filter((waiter) => !ready.includes(waiter));
    for (const { done } of ready) done(noError);
  }
}

function commonBatches(one: Log, other: Log): readonly Stored[] {
  let count = 0;
  while (count < one.batches.length && one.batches[count] === other.batches[count]) count += 1;
  return one.batches.slice(0, count);
}

function commonEnd(one: Log, other: Log): number {
  const last = commonBatches(one, other).at(-1);
  return last === undefined ? one.start : last.last + 1;
}
