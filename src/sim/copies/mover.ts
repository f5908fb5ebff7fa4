import { type Account, emptyAccount } from '../../core/move/account.ts';
import type { Rate } from '../../core/move/operation/events.ts';
import type { Condition, MoverFigures, PartitionTold } from '../../core/move/operation/told.ts';
import type { Beginning } from '../../io/kafka/channel/messages.ts';
import type { MoverRun } from '../../io/kafka/channel/movers-end.ts';
import type { Child, MoversWorld, SimLedger, SimMovers } from './movers.ts';
import type { SimTopic } from './target.ts';

type Around = MoversWorld & { readonly movers: SimMovers };

/**
 * What a mover is to its process, without bytes: batches that are sent while it is allowed, land, and are known by the ledger. How the real
 * one does that has a simulator of its own (src/sim/kafka).
 */
export class SimMover implements MoverRun {
  readonly ended: Promise<void>;
  readonly #child: Child;
  readonly #around: Around;
  readonly #leaseLeftMs: () => number;
  readonly #tell: () => void;
  readonly #partitions: Moved[];
  readonly #end: () => void;
  /** From then on it has read once more what the one before it may have left on its way. */
  readonly #sureAtMs: number;
  #isHeld: boolean;
  #isStill: boolean;
  #isStopping = false;
  #rate: Rate;
  #bytes = 0;
  #inFlight = 0;

  constructor(child: Child, around: Around, beginning: Beginning, { wasSettled, leaseLeftMs, tell }: Started) {
    [this.#child, this.#around, this.#leaseLeftMs, this.#tell] = [child, around, leaseLeftMs, tell];
    this.#sureAtMs = around.schedule.nowMs + (wasSettled ? 0 : lateMsMax);
    [this.#isHeld, this.#isStill, this.#rate] = [beginning.isHeld, beginning.isHeld, beginning.rate];
    const over = Promise.withResolvers<void>();
    [this.ended, this.#end] = [over.promise, over.resolve];
    this.#partitions = beginning.partitions.map(({ topic, key, end }) => this.#open(topic, key, end));
    for (const partition of this.#partitions) this.#turn(partition);
  }

  get isSettled(): boolean {
    return this.#inFlight === 0 && this.#around.schedule.nowMs >= this.#sureAtMs;
  }

  figures(): MoverFigures {
    const sourcePartitions = Object.fromEntries(this.#around.sourcePartitions);
    return { isHeld: this.#isStill, bytes: this.#bytes, partitions: this.#partitions.map(toldOf), sourcePartitions };
  }

  /** What is in flight is answered, or given up after 0.9 s. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    await this.#settle();
    this.#isStill = this.#isHeld;
  }

  goOn(): void {
    this.#isHeld = false;
    this.#isStill = false;
  }

  changeRate(rate: Rate): void {
    this.#rate = rate;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#settle();
    this.#end();
  }

  async #settle(): Promise<void> {
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#child.process.after(10, resolve));
  }

  /** What stands there is read back first. */
  #open(topic: string, key: { readonly targetTopicId: string; readonly partition: number }, end: number | null): Moved {
    const { movers, target, strikes } = this.#around;
    const ledger = movers.ledger(key.targetTopicId, key.partition);
    const log = target.byId.get(key.targetTopicId)?.partitions[key.partition];
    if (log !== undefined && log.foreignAtMs === null) ledger.end = log.end;
    if (ledger.end > 0 && strikes('unproven')) {
      const from = (ledger.unproven.at(-1)?.to ?? 0) + 1;
      if (from < ledger.end) ledger.unproven.push({ from, to: from + 1 });
    }
    const { targetTopicId: topicId, partition } = key;
    return {
      topic,
      partition,
      topicId,
      end,
      ledger,
      settled: ledger.end,
      condition: { kind: 'copying' },
      isSending: false,
    };
  }

  #turn(moved: Moved): void {
    const { scenario } = this.#around;
    const everyMs = this.#isHeld ? Math.max(500, scenario.batchMs) : scenario.batchMs * (this.#rate === null ? 1 : 3);
    this.#child.process.after(everyMs, () => {
      if (this.#isStopping || isOver(moved)) return this.#look();
      if (!this.#isHeld && !moved.isSending && this.#leaseLeftMs() > 0) this.#send(moved);
      this.#turn(moved);
    });
  }

  /** All partitions are done, or nothing can be done for them. */
  #look(): void {
    if (this.#inFlight === 0 && this.#partitions.every(isOver)) this.#end();
  }

  #send(moved: Moved): void {
    const { target, random, schedule, scenario, sending, strikes, movers } = this.#around;
    const topic = target.topics.get(moved.topic);
    if (topic === undefined) {
      moved.condition = { kind: 'waiting', why: 'there is no such topic', sinceMs: schedule.nowMs };
      return;
    }
    if (topic.id !== moved.topicId) return this.#meetStranger(moved, topic);
    const log = topic.partitions[moved.partition];
    if (log === undefined) return this.#stopped(moved, { kind: 'stopped', why: 'the target has no such partition' });
    if (moved.end !== null && moved.settled >= moved.end) return this.#stopped(moved, { kind: 'done' });
    if (log.foreignAtMs !== null) return this.#stopped(moved, damaged(log.end));
    if (strikes('partition-stops')) return this.#stopped(moved, { kind: 'stopped', why: 'the target takes nothing' });
    moved.condition = { kind: 'copying' };
    sending(this.#child, topic);
    const count = Math.min(random.integer(1, scenario.batchOffsetsMax), (moved.end ?? Infinity) - moved.settled);
    moved.ledger.end = moved.settled + count;
    movers.sentBytes += 100 * count;
    this.#inFlight += 1;
    moved.isSending = true;
    const [from, to] = [moved.settled, moved.settled + count];
    moved.settled = to;
    schedule.after(random.integer(1, 15), () => {
      const stands = log.foreignAtMs === null && log.end === from;
      if (stands) log.end = to;
      this.#child.process.enter(() => {
        this.#inFlight -= 1;
        moved.isSending = false;
        if (stands) this.#bytes += 100 * count;
        else this.#stopped(moved, damaged(log.end));
      });
    });
  }

  /** For two seconds nobody notices: what is sent meanwhile stands where it may not. */
  #meetStranger(moved: Moved, topic: SimTopic): void {
    const { schedule, random } = this.#around;
    const log = topic.partitions[moved.partition];
    if (schedule.nowMs - topic.madeAtMs < 2000 && random.chance(0.5) && log !== undefined) {
      this.#around.sending(this.#child, topic);
      log.end += 1;
      return this.#stopped(moved, damaged(log.end));
    }
    const why = `the topic was deleted on the target and made anew (its id is ${topic.id} now)`;
    this.#stopped(moved, { kind: 'stopped', why });
  }

  #stopped(moved: Moved, condition: Condition): void {
    if (isOver(moved)) return;
    moved.condition = condition;
    if (condition.kind !== 'done') this.#tell();
    this.#child.process.after(1, () => this.#look());
  }
}

type Started = {
  /** Nothing of the one before it can still arrive. */
  readonly wasSettled: boolean;
  readonly leaseLeftMs: () => number;
  readonly tell: () => void;
};

/** What was given up may still be performed for so long. */
const lateMsMax = 3000;

type Moved = {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly end: number | null;
  readonly ledger: SimLedger;
  /** The next offset, of both sides. */
  settled: number;
  condition: Condition;
  /** One batch at a time. */
  isSending: boolean;
};

function isOver({ condition: { kind } }: Moved): boolean {
  return kind === 'done' || kind === 'stopped' || kind === 'damaged';
}

function damaged(offset: number): Condition {
  return { kind: 'damaged', damage: { what: 'foreign', offset, expected: null, found: null } };
}

function toldOf({ topic, partition, end, settled, condition, ledger }: Moved): PartitionTold {
  const account: Account = { ...emptyAccount(0), to: settled, copied: settled };
  const highWatermark = end ?? settled;
  return {
    ...{ topic, partition, account, condition, unproven: [...ledger.unproven], lost: [] },
    settled: { source: settled, target: settled },
    segment: { ordinal: 1, previous: null },
    source: { logStart: 0, lastStable: highWatermark, highWatermark },
  };
}
