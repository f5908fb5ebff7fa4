import { readBackFrom } from '../../../core/move/writer.ts';
import type { MoverEvent, Progress } from './events.ts';
import { Leaders } from './leaders.ts';
import type { MovedPartition } from './moved-partition.ts';
import type { Broker, Cluster, Leader, MoverClock } from './ports.ts';
import { Rate } from './rate.ts';
import { readTail } from './read-back.ts';
import { RefusedSettings } from './refused-settings.ts';
import type { MoverSettings } from './settings.ts';
import { type Asked, type Fetched, fetchOnce } from './source-reader.ts';
import { TargetSender } from './target-sender.ts';
import { whoseTurn } from './turns.ts';
import { Wake } from './wake.ts';

/** What keeps a partition from going on, while it does; for progress, and for whoever has to do something. */
export type Waiting = { readonly why: string; readonly sinceMs: number };

export type MoverWorld = {
  readonly source: Cluster;
  readonly target: Cluster;
  readonly clock: MoverClock;
  readonly settings: MoverSettings;
  /** Called at once, and before whatever follows from it is written to a ledger or sent. It may not throw. */
  readonly tell: (event: MoverEvent) => void;
};

/**
 * Copies partitions: fetches from the leaders of the source, sends to the leaders of the target, and reads back whatever is
 * doubted. Ends when all that was asked for stands on the target, when it is stopped, or when nothing can go on without a person.
 */
export class Mover {
  readonly #world: MoverWorld;
  readonly #partitions: readonly MovedPartition[];
  readonly #sourceLeaders: Leaders;
  readonly #targetLeaders: Leaders;
  /** By node and number of the connection. */
  readonly #senders = new Map<string, TargetSender>();
  readonly #senderOf = new Map<MovedPartition, TargetSender>();
  readonly #controls = new Map<number, Promise<Broker>>();
  readonly #rates = new Map<number, Rate>();
  readonly #readingBack = new Set<MovedPartition>();
  readonly #lanes = new Map<string, Wake>();
  readonly #caughtUp = new Set<MovedPartition>();
  readonly #told = new Map<MovedPartition, Progress>();
  readonly #refused: RefusedSettings;
  readonly #running = new Set<Promise<void>>();
  readonly #changed = new Wake();
  readonly #ending = new AbortController();
  readonly waiting = new Map<MovedPartition, Waiting>();
  /** Partitions of which the source tells what cannot be copied. */
  readonly stopped = new Map<MovedPartition, string>();
  #ratePerSecond: number | null;
  #isHeld = false;
  #isOver = false;
  /** What has gone wrong in the mover itself. */
  #failure: { readonly error: unknown } | null = null;

  constructor(world: MoverWorld, partitions: readonly MovedPartition[]) {
    this.#world = world;
    this.#partitions = partitions;
    this.#ratePerSecond = world.settings.rate;
    this.#refused = new RefusedSettings(world.settings.refusedMsMax, world.clock);
    this.#sourceLeaders = new Leaders(world.source, world.clock, partitions, ({ plan }) => plan.topic);
    this.#targetLeaders = new Leaders(world.target, world.clock, partitions, ({ plan }) => plan.targetTopic);
    for (const partition of partitions) {
      const { topic, partition: number } = partition.plan;
      partition.listen((event) => world.tell({ topic, partition: number, ...event }));
    }
  }

  /** Rejects where the mover itself has gone wrong: then nothing more is sent. */
  async run(): Promise<void> {
    const { clock } = this.#world;
    for (const partition of this.#partitions) this.#readBack(partition);
    this.#track(this.#syncLedgers());
    this.#track(this.#refreshSource());
    while (!this.#isOver && !this.#partitions.every((one) => this.#hasEnded(one))) {
      await this.#changed.wait(clock, this.#refused.isAny ? againMs : 1000);
      for (const partition of this.#refused.due(this.#partitions)) this.remedied(partition);
      this.#noteFlaws();
      this.#lookAgain();
      // A lease that was over for a while may be ours again.
      this.#pumpAll();
    }
    await this.stop();
    if (this.#failure !== null) throw this.#failure.error;
  }

  /**
   * Nothing is sent any more; done when all that was sent is answered or given up, which takes less than a second, or when it was
   * resumed meanwhile. Says how many requests were given up: their partitions are read back, which writes nothing.
   */
  async hold(): Promise<number> {
    const { clock } = this.#world;
    this.#isHeld = true;
    const untilMs = clock.monotonic() + holdMsMax;
    while (this.#isHeld && this.#inFlight() > 0 && clock.monotonic() < untilMs) await clock.sleep(5);
    if (!this.#isHeld) return 0;
    const unanswered = this.#inFlight();
    for (const sender of this.#senders.values())
      if (sender.inFlight > 0) sender.giveUp(`no answer within ${holdMsMax} ms of a hold`);
    return unanswered;
  }

  resume(): void {
    this.#isHeld = false;
    this.#pumpAll();
    this.#wakeLanes();
  }

  /** What the target refused has been seen to: the partition is read back, and goes on. */
  remedied(partition: MovedPartition): void {
    partition.remedied();
    this.#answered(partition);
  }

  /** What the target refuses by its settings is sent again for some seconds. */
  isRefusedForNow(partition: MovedPartition): boolean {
    return this.#refused.isForNow(partition);
  }

  /** Bytes per second to each target broker, from now on; null: no limit. */
  changeRate(perSecond: number | null): void {
    this.#ratePerSecond = perSecond;
    for (const rate of this.#rates.values()) rate.change(perSecond, this.#world.clock.monotonic());
    this.#pumpAll();
  }

  async stop(): Promise<void> {
    if (!this.#isOver) await this.hold();
    this.#isOver = true;
    this.#ending.abort(over);
    this.#wakeLanes();
    this.#changed.set();
    await Promise.all([...this.#senders.values()].map((sender) => sender.close()));
    const controls = await Promise.allSettled(this.#controls.values());
    for (const control of controls) if (control.status === 'fulfilled') await control.value.close();
    await Promise.all(this.#running);
    for (const { ledger } of this.#partitions) await ledger.sync();
    this.#tellProgress();
  }

  /** What was found out when a batch was to be sent no fetch tells of. */
  #noteFlaws(): void {
    for (const partition of this.#partitions)
      if (partition.flaw !== null && !this.stopped.has(partition)) this.stopped.set(partition, partition.flaw);
  }

  /** What came late shows itself only where the tail is read after nothing more can come. */
  #lookAgain(): void {
    const nowMs = this.#world.clock.monotonic();
    for (const partition of this.#partitions) {
      if (partition.givenUpMs === null || partition.writer.phase.kind !== 'writing') continue;
      if (nowMs >= this.#sureMs(partition)) {
        partition.doubt('what was given up may have come since');
        this.#answered(partition);
      } else if (partition.hasAll)
        this.#wait(partition, `a request that was given up may still come: ${this.#againWords(partition, nowMs)}`);
    }
  }

  /** What was given up does not come any more. */
  #sureMs({ givenUpMs }: MovedPartition): number {
    return givenUpMs === null ? Number.NEGATIVE_INFINITY : givenUpMs + this.#world.settings.lateMsMax;
  }

  #againWords(partition: MovedPartition, nowMs: number): string {
    return `the tail is read again in ${Math.ceil((this.#sureMs(partition) - nowMs) / 1000)} s`;
  }

  #hasEnded(partition: MovedPartition): boolean {
    const { kind } = partition.writer.phase;
    const isRefused = kind === 'refused' && !this.isRefusedForNow(partition);
    return partition.isDone || kind === 'damaged' || isRefused || this.stopped.has(partition);
  }

  #inFlight(): number {
    return [...this.#senders.values()].reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  #pumpAll(): void {
    for (const sender of this.#senders.values()) sender.pump();
  }

  /** Nobody else may hold the lease: what was answered may be written down. */
  #mayWrite(): boolean {
    return this.#world.clock.monotonic() < this.#world.settings.sendBeforeMs();
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#running.delete(tracked);
      });
    this.#running.add(tracked);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#isOver = true;
    this.#isHeld = true;
    this.#ending.abort(over);
    this.#changed.set();
  }

  async #syncLedgers(): Promise<void> {
    while (!this.#isOver) {
      await this.#world.clock.sleep(1000, this.#ending.signal);
      for (const { ledger } of this.#partitions) await ledger.sync();
      this.#tellProgress();
    }
  }

  #tellProgress(): void {
    for (const partition of this.#partitions) {
      const progress = this.progressOf(partition);
      const before = this.#told.get(partition);
      this.#told.set(partition, progress);
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(progress)) continue;
      const { topic, partition: number } = partition.plan;
      this.#world.tell({ topic, partition: number, ...progress });
    }
  }

  progressOf(partition: MovedPartition): Progress {
    const { source, target } = partition.writer.settled;
    const { highWatermark = null, lastStable = null, logStart = null } = partition.view ?? {};
    return {
      kind: 'progress',
      source,
      target,
      records: target - partition.plan.start.target,
      bytes: partition.settledBytes,
      ...{ highWatermark, lastStable, logStart },
      waiting: this.stopped.get(partition) ?? this.waiting.get(partition)?.why ?? null,
    };
  }

  // ---- the target

  /** Reads the tail of a partition until it counts, and lets it go on. */
  #readBack(partition: MovedPartition): void {
    if (this.#readingBack.has(partition) || this.#isOver) return;
    this.#readingBack.add(partition);
    this.#track(this.#untilReadBack(partition).finally(() => this.#readingBack.delete(partition)));
  }

  async #untilReadBack(partition: MovedPartition): Promise<void> {
    for (let attempt = 0; !this.#isOver && partition.writer.phase.kind === 'reading-back'; attempt += 1) {
      try {
        await this.#targetLeaders.refresh();
        const leader = this.#targetLeaders.of(partition);
        const why = leader === null ? 'it has no leader on the target' : await this.#tryReadBack(partition, leader);
        if (why === null) this.waiting.delete(partition);
        else this.#wait(partition, why);
      } catch (error) {
        this.#wait(partition, error instanceof Error ? error.message : String(error));
      }
      if (partition.writer.phase.kind === 'reading-back')
        await this.#world.clock.sleep(Math.min(1000, 50 * 2 ** attempt));
    }
    this.#changed.set();
  }

  /** null: it was read back. */
  async #tryReadBack(partition: MovedPartition, leader: Leader): Promise<string | null> {
    const control = await this.#control(leader.nodeId);
    const askedMs = this.#world.clock.monotonic();
    const { targetTopic: topic, partition: number, producerId } = partition.plan;
    const from = (logEnd: number) => readBackFrom(partition.writer, logEnd);
    const found = await readTail(control, leader, { topic, partition: number, producerId }, from);
    if (found.kind === 'waits') return found.why;
    const sender = await this.#sender(leader.nodeId, partition);
    if (partition.writer.phase.kind !== 'reading-back') return null;
    if (!this.#mayWrite()) return 'the lease is over';
    if (askedMs < this.#sureMs(partition) && partition.mayStillCome(found.tail))
      return `what the process before this one had sent may still come: ${this.#againWords(partition, askedMs)}`;
    partition.readBack(found.tail);
    if (askedMs >= this.#sureMs(partition)) partition.givenUpMs = null;
    this.#assign(partition, sender);
    this.#wakeLanes();
    return null;
  }

  #wait(partition: MovedPartition, why: string): void {
    const sinceMs = this.waiting.get(partition)?.sinceMs ?? this.#world.clock.now();
    this.waiting.set(partition, { why, sinceMs });
  }

  /** One connection for each broker, also where many partitions are read back at once. */
  async #control(nodeId: number): Promise<Broker> {
    for (;;) {
      const opening = this.#controls.get(nodeId);
      const known = await opening?.catch(() => null);
      if (known !== undefined && known !== null && !known.ended) return known;
      // Whoever waited beside us may have opened another one.
      if (this.#controls.get(nodeId) !== opening) continue;
      const broker = this.#world.target.connect(nodeId);
      this.#controls.set(nodeId, broker);
      return await broker;
    }
  }

  /** The connection of a partition to its leader: always the same one, as long as it lives. */
  async #sender(nodeId: number, partition: MovedPartition): Promise<TargetSender> {
    const { settings, clock, target } = this.#world;
    const name = `${nodeId}/${this.#partitions.indexOf(partition) % settings.connectionsPerBroker}`;
    const usable = () => {
      const known = this.#senders.get(name);
      return known === undefined || known.isOver ? null : known;
    };
    const known = usable();
    if (known !== null) return known;
    const rate = this.#rates.get(nodeId) ?? new Rate(this.#ratePerSecond, clock.monotonic());
    this.#rates.set(nodeId, rate);
    const broker = await target.connect(nodeId);
    const made = usable();
    if (made !== null || this.#isOver) await broker.close();
    if (made !== null) return made;
    const sender = new TargetSender(broker, rate, clock, settings, {
      mayTake: () => !this.#isHeld && !this.#isOver,
      answered: (one) => this.#answered(one),
      lost: (lost, unanswered) => this.#lost(lost, unanswered),
      failed: (error) => this.#fail(error),
    });
    this.#senders.set(name, sender);
    return sender;
  }

  #assign(partition: MovedPartition, sender: TargetSender): void {
    this.#senderOf.get(partition)?.partitions.delete(partition);
    this.#senderOf.set(partition, sender);
    sender.partitions.add(partition);
  }

  #answered(partition: MovedPartition): void {
    if (partition.writer.phase.kind === 'reading-back') this.#readBack(partition);
    if (this.#hasEnded(partition)) this.#changed.set();
    this.#wakeLanes();
  }

  #lost(sender: TargetSender, unanswered: readonly MovedPartition[]): void {
    for (const partition of unanswered) partition.givenUpMs = this.#world.clock.monotonic();
    for (const partition of sender.partitions) this.#readBack(partition);
  }

  // ---- the source

  async #refreshSource(): Promise<void> {
    while (!this.#isOver) {
      try {
        await this.#findSourceLeaders();
      } catch (error) {
        for (const partition of this.#partitions)
          this.#wait(partition, error instanceof Error ? error.message : String(error));
      }
      await this.#world.clock.sleep(5000, this.#ending.signal);
    }
  }

  async #findSourceLeaders(): Promise<void> {
    await this.#sourceLeaders.refresh();
    if (!this.#isOver) for (const nodeId of this.#sourceLeaders.nodeIds) this.#openLanes(nodeId);
    this.#wakeLanes();
  }

  /**
   * What has a backlog is fetched by two requests in turns. What has none waits for records, on connections of its own: two, so that a
   * partition that joins does not have to wait until one of the others gets any.
   */
  #openLanes(nodeId: number): void {
    for (const [lane, kind] of lanes) {
      const name = `${nodeId}/${lane}`;
      if (this.#lanes.has(name)) continue;
      const wake = new Wake();
      this.#lanes.set(name, wake);
      this.#track(this.#lane(nodeId, kind, wake));
    }
  }

  async #lane(nodeId: number, kind: LaneKind, wake: Wake): Promise<void> {
    let broker: Broker | null = null;
    while (!this.#isOver) {
      const asked = this.#choose(nodeId, kind);
      if (asked.length === 0) {
        await wake.wait(this.#world.clock, 1000);
        continue;
      }
      for (const { partition } of asked) partition.isFetching = true;
      let fetched: readonly Fetched[] | null = null;
      try {
        if (broker === null || broker.ended) broker = await this.#world.source.connect(nodeId);
        fetched = await this.#ask(broker, asked, kind);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        for (const { partition } of asked) this.#wait(partition, why);
      }
      for (const { partition } of asked) partition.isFetching = false;
      if (fetched !== null && this.#took(asked, fetched)) continue;
      await this.#world.clock.sleep(200, this.#ending.signal);
      await this.#findSourceLeaders().catch(() => undefined);
    }
    await broker?.close();
  }

  #choose(nodeId: number, kind: LaneKind): Asked[] {
    if (this.#isHeld) return [];
    const { heldBytesMax, partitionBytesMax } = this.#world.settings;
    const held = this.#partitions.reduce((sum, { readyBytes }) => sum + readyBytes, 0);
    if (held >= heldBytesMax) return [];
    const asked: Asked[] = [];
    const turns = kind === 'backlog' ? this.#turns() : null;
    for (const partition of this.#partitions) {
      const isTail = this.#caughtUp.has(partition);
      if (turns?.has(partition) === false) continue;
      const isWanted = partition.wantsMore && !this.stopped.has(partition) && partition.readyBytes < partitionBytesMax;
      if (!isWanted || isTail !== (kind === 'tail')) continue;
      const leader = this.#sourceLeaders.of(partition);
      if (leader?.nodeId === nodeId) asked.push({ partition, leader });
    }
    // Half of what has a backlog: the other half goes into the request that is under way meanwhile.
    asked.sort((one, other) => urgency(one.partition) - urgency(other.partition));
    return kind === 'tail' || asked.length < 2 ? asked : asked.slice(0, Math.ceil(asked.length / 2));
  }

  #turns(): ReadonlySet<MovedPartition> | null {
    const { partitionsPerBroker: most } = this.#world.settings;
    if (most === null) return null;
    const open = this.#partitions.filter((one) => !this.#caughtUp.has(one) && !this.#hasEnded(one));
    const nowMs = this.#world.clock.now();
    const waitedMs = (one: MovedPartition) => nowMs - (this.waiting.get(one)?.sinceMs ?? nowMs);
    return whoseTurn(open, most, this.#sourceLeaders, this.#targetLeaders, waitedMs);
  }

  async #ask(broker: Broker, asked: readonly Asked[], kind: LaneKind): Promise<readonly Fetched[]> {
    const { partitionBytesMax, fetchBytesMax: bytesMax } = this.#world.settings;
    const waitMs = kind === 'tail' ? tailWaitMs : 0;
    return await fetchOnce(broker, asked, { bytesMax, partitionBytesMax, waitMs, mayTake: () => this.#mayWrite() });
  }

  /** false: somebody else leads a partition by now, or it has to be asked again in a while. */
  #took(asked: readonly Asked[], fetched: readonly Fetched[]): boolean {
    const senders = new Set<TargetSender>();
    let [isFresh, isMoved] = [true, false];
    for (const [index, { partition }] of asked.entries()) {
      const outcome = fetched[index];
      if (outcome?.kind === 'stopped') this.stopped.set(partition, outcome.why);
      if (outcome?.kind === 'stale') {
        isFresh = false;
        this.#wait(partition, outcome.why);
      }
      if (outcome?.kind !== 'added') continue;
      partition.view = outcome.view;
      if (partition.writer.phase.kind !== 'reading-back') this.waiting.delete(partition);
      isMoved = this.#moveBetweenLanes(partition, outcome.bytes) || isMoved;
      const sender = this.#senderOf.get(partition);
      if (sender !== undefined) senders.add(sender);
    }
    for (const sender of senders) sender.pump();
    if (isMoved) this.#wakeLanes();
    if (this.#partitions.every((one) => this.#hasEnded(one))) this.#changed.set();
    return isFresh;
  }

  /** Whether another lane fetches it from now on. */
  #moveBetweenLanes(partition: MovedPartition, bytes: number): boolean {
    const wasCaughtUp = this.#caughtUp.has(partition);
    if (bytes === 0) this.#caughtUp.add(partition);
    else if (bytes >= this.#world.settings.partitionBytesMax / 2) this.#caughtUp.delete(partition);
    return wasCaughtUp !== this.#caughtUp.has(partition);
  }

  #wakeLanes(): void {
    for (const wake of this.#lanes.values()) wake.set();
  }
}

/** The smallest first: who has the least that is ready, and before all others who got only a piece of a batch. */
function urgency({ isHungry, readyBytes }: MovedPartition): number {
  return isHungry ? -1 : readyBytes;
}

type LaneKind = 'backlog' | 'tail';
const lanes = [
  ['backlog one', 'backlog'],
  ['backlog two', 'backlog'],
  ['tail one', 'tail'],
  ['tail two', 'tail'],
] as const;

const holdMsMax = 900;
/** Between one attempt at what was refused and the next. */
const againMs = 250;

/** Without a reason of its own an abort makes an error with a stack. */
const over = 'over';

/** So long a broker may hold a fetch back while there are no records. */
const tailWaitMs = 500;
