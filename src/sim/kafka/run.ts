import type { Position } from '../../core/move/ledger-lines.ts';
import { recordCount, recordsCrcOf } from '../../io/kafka/bytes/batch.ts';
import { PartitionLedger } from '../../io/kafka/ledger/partition-ledger.ts';
import type { SegmentFiles } from '../../io/kafka/ledger/segment-files.ts';
import { Random } from '../random.ts';
import { Schedule } from '../schedule.ts';
import { adoptAll, wrongsOfAdoption } from './adopting.ts';
import type { Wrong } from './checks/copy.ts';
import { verdictOf } from './checks/end.ts';
import { lineOf } from './checks/lines.ts';
import type { CheckName, Violation } from './checks/violation.ts';
import { WritesOf } from './checks/writes.ts';
import { Faults, planWorldFaults, stalledMsMax } from './faults.ts';
import { Feed } from './feed.ts';
import { LedgerDisk } from './ledger-disk.ts';
import { endsOf, ledgerKey, type MoverRun, startMover } from './mover-run.ts';
import type { Mutation } from './mutation.ts';
import type { Happening, KafkaOutcome } from './outcome.ts';
import { numberOf, SimProcess } from './process.ts';
import { type FaultName, type KafkaScenario, startMs } from './scenario.ts';
import { SimCluster } from './world/cluster.ts';
import type { Late } from './world/connection.ts';
import type { SimPartition } from './world/partition.ts';
import type { Place } from './world/requests.ts';
import { seenOf } from './world/stored.ts';

/** One world from its first record to its last check. */
export async function simulateCopy(scenario: KafkaScenario, mutation: Mutation | null = null): Promise<KafkaOutcome> {
  const world = new World(scenario, mutation);
  return await world.run();
}

class World {
  readonly #scenario: KafkaScenario;
  readonly #mutation: Mutation | null;
  readonly #schedule = new Schedule();
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #source: SimCluster;
  readonly #target: SimCluster;
  readonly #feeds: readonly Feed[];
  readonly #disks: LedgerDisk[];
  /** Where the copy of each partition begins, by its ledger. */
  readonly #starts: Position[];
  /** `now`: nobody moves anything until it is known what stands where. */
  #ledgerLost: 'never' | 'now' | 'once' = 'never';
  readonly #happenings: Happening[] = [];
  readonly #delaysMs: number[] = [];
  #ends: (number | null)[] = [];
  #violation: Violation | null = null;
  readonly #runs: MoverRun[] = [];
  /** Of each partition: which process has written in which epoch. */
  readonly #epochs = new Map<string, string>();
  #current: MoverRun | null = null;
  #movers = 0;
  #leaseUntilMs = 0;
  #isFinal = false;
  #powerWasCut = false;

  constructor(scenario: KafkaScenario, mutation: Mutation | null) {
    [this.#scenario, this.#mutation] = [scenario, mutation];
    this.#random = new Random(scenario.seed).fork('world');
    this.#faults = new Faults(scenario, this.#random.fork('faults'));
    const world = (name: string) => ({ schedule: this.#schedule, startMs, random: this.#random.fork(name) });
    const happened = (text: string) => this.#note(text);
    this.#source = new SimCluster(scenario.source, world('source'), this.#faults.ofCluster(), {
      appending: () => undefined,
      elected: (partition) => this.#feeds[partition.plan.number]?.elected(),
      arrivedLate: () => undefined,
      happened,
    });
    this.#target = new SimCluster(scenario.target, world('target'), this.#faults.ofCluster(), {
      appending: (place, sent) => this.#checkLine(place, sent),
      elected: () => undefined,
      arrivedLate: (process, { plan }, late) => this.#checkEnd(process, plan.number, late),
      happened,
    });
    this.#feeds = this.#source.partitions.flatMap((partition, number) => {
      const plan = scenario.feeds[number];
      const wallMs = () => this.#source.wallMs();
      return plan === undefined ? [] : [new Feed(partition, plan, this.#random.fork(`feed ${number}`), wallMs)];
    });
    this.#disks = this.#feeds.map(() => new LedgerDisk());
    this.#starts = this.#feeds.map(({ partition }, number) => ({
      source: partition.plan.start,
      target: this.#target.partitions[number]?.plan.start ?? 0,
    }));
  }

  async run(): Promise<KafkaOutcome> {
    const { healAtMs } = this.#scenario;
    for (const feed of this.#feeds) for (let left = this.#scenario.batchesBefore; left > 0; left -= 1) feed.append();
    this.#schedule.after(settleMs, () => this.#begin());
    this.#schedule.after(healAtMs, () => this.#heal());
    try {
      const how = await this.#schedule.run(healAtMs + endMsMax);
      if (how !== 'stopped') this.#violate('everything ends', this.#whatIsLeft());
    } catch (error) {
      this.#broke(error);
    }
    if (this.#violation === null) this.#check();
    return this.#outcome();
  }

  #begin(): void {
    const { isFollowed } = this.#scenario;
    this.#ends = this.#source.partitions.map(({ truth }) => (isFollowed ? null : truth.highWatermark));
    for (const feed of this.#feeds) this.#feedOn(feed);
    planWorldFaults(this.#faults, this.#source, [this.#source, this.#target], this.#feeds);
    this.#planMoverFaults();
    if ('too-large' in this.#scenario.faults) for (const partition of this.#target.partitions) partition.bytesMax = 300;
    this.#expireProducers();
    this.#startMover();
    this.#supervise();
  }

  #feedOn(feed: Feed): void {
    if (this.#faults.isHealed) return;
    this.#schedule.after(this.#random.exponential(this.#scenario.feedMeanMs), () => {
      if (!this.#faults.isHealed) feed.append();
      this.#feedOn(feed);
    });
  }

  #expireProducers(): void {
    this.#schedule.after(this.#scenario.checkMs, () => {
      this.#target.expireProducers();
      this.#expireProducers();
    });
  }

  #planMoverFaults(): void {
    const faults = this.#faults;
    const strike = (name: FaultName, act: (run: MoverRun) => void) =>
      faults.now(name, this.#schedule, () => {
        const run = this.#current;
        if (run !== null && !run.hasEnded && !run.process.isDead && !run.process.standsStill) act(run);
      });
    strike('mover-killed', (run) => this.#kill(run, 'is killed'));
    strike('power-cut', (run) => this.#cutPower(run));
    // Once in a world: what begins with nothing for a second time has the epochs of the first.
    strike('ledger-lost', (run) => void (this.#ledgerLost === 'never' && this.#loseLedger(run)));
    strike('mover-stands-still', ({ process }) => {
      const ms = Math.round(faults.randomOf('mover-stands-still').spread(100, 60_000));
      this.#note(`${process.name} stands still for ${ms} ms`);
      process.standStill(ms);
    });
    strike('hold', (run) => {
      if (run.hold === null) this.#hold(run, faults.randomOf('hold').integer(100, 4000));
    });
    strike('rate-changes', ({ mover }) =>
      mover.changeRate(faults.randomOf('rate-changes').pick([null, 500, 2000, 20_000])),
    );
  }

  #hold(run: MoverRun, forMs: number): void {
    const [hold, { process, mover }, askedMs] = [{ isSettled: false }, run, this.#schedule.nowMs];
    run.hold = hold;
    process.after(forMs, () => {
      if (run.hold === hold) run.hold = null;
      mover.resume();
    });
    mover.hold().then(
      () => {
        hold.isSettled = true;
        const tookMs = this.#schedule.nowMs - askedMs;
        if (tookMs > holdMsMax && !process.stoodStillSince(askedMs))
          this.#violate('a hold holds', `${process.name} took ${tookMs} ms until all requests were settled`);
      },
      (error) => this.#broke(error),
    );
  }

  #heal(): void {
    this.#note('the world is healed');
    this.#faults.isHealed = true;
    this.#source.heal();
    this.#target.heal();
    for (const partition of this.#target.partitions) partition.bytesMax = Number.POSITIVE_INFINITY;
    this.#endTransactions();
  }

  /** One can be ended only where somebody leads, and an election may open it again. */
  #endTransactions(): void {
    for (const feed of this.#feeds) feed.endAll();
    this.#schedule.after(500, () => this.#endTransactions());
  }

  // ---- movers

  #startMover(): void {
    this.#movers += 1;
    const process = new SimProcess(`mover ${this.#movers}`, this.#schedule, startMs);
    this.#note(`${process.name} starts`);
    const plans = this.#feeds.map(({ partition }, number) => ({
      start: this.#starts[number] ?? { source: partition.plan.start, target: 0 },
      end: this.#ends[number] ?? null,
      files: this.#filesOf(process, number),
    }));
    const sending = () => {
      if (this.#faults.strikes('killed-at-a-send')) this.#killProcess(process, 'is killed before it sends');
    };
    const writes = new WritesOf(process.name, {
      epochs: this.#epochs,
      filesOf: (number) => this.#readable(number),
      logOf: (number) => this.#targetOf(number).truth.log,
      logOn: (number, nodeId) => this.#targetOf(number).replicaOn(nodeId)?.log ?? null,
      somethingCameLate: (number) => this.#targetOf(number).arrivedLate !== 'never',
    });
    const wire = {
      source: { sending, answering: () => undefined },
      target: {
        sending: (frame: Uint8Array) => {
          this.#violateAll(writes.sent(frame));
          if (run.hold?.isSettled === true && writes.isWrite(frame))
            this.#violate('a hold holds', `${process.name} writes while it is held`);
          sending();
        },
        answering: (request: Uint8Array, response: Uint8Array, nodeId: number) =>
          writes.answered(request, response, nodeId),
      },
    };
    const clusters = { source: this.#source, target: this.#target };
    const run = startMover(process, this.#scenario, clusters, plans, this.#mutation, wire);
    const before = this.#current;
    if (before !== null && !before.hasEnded)
      for (const partition of run.partitions) partition.takeOver(process.clock.monotonic());
    this.#current = run;
    this.#runs.push(run);
    this.#leaseUntilMs = run.leaseUntilMs;
    this.#renew(run);
    run.mover.run().then(
      () => {
        run.hasEnded = true;
        this.#checkProgress(run);
        this.#note(`${process.name} ends: ${endsOf(run).join(', ')}`);
      },
      (error) => this.#broke(error),
    );
  }

  #filesOf(process: SimProcess, number: number) {
    const disk = this.#disks[number];
    if (disk === undefined) throw new Error(`there is no disk for partition ${number}`);
    return disk.files(process, (perform) => {
      if (process.isDead) return;
      const holder = this.#current?.process;
      if (holder !== undefined && numberOf(holder) > numberOf(process))
        this.#violate('the lease holds', `${process.name} writes a ledger that ${holder.name} has`);
      const strikes = this.#faults.strikes('killed-at-a-write');
      const isBefore = strikes && this.#faults.randomOf('killed-at-a-write').chance(0.5);
      if (isBefore) this.#killProcess(process, 'is killed before it writes');
      else perform();
      if (strikes && !isBefore) this.#killProcess(process, 'is killed after it has written');
    });
  }

  /** A process that cannot renew its lease any more ends itself, as soon as it notices. */
  #renew(run: MoverRun): void {
    run.process.after(renewMs, () => {
      if (this.#current !== run) {
        this.#killProcess(run.process, 'has lost its lease, and ends');
        return;
      }
      run.leaseUntilMs = this.#schedule.nowMs + this.#scenario.leaseMs;
      this.#leaseUntilMs = run.leaseUntilMs;
      this.#renew(run);
    });
  }

  #kill(run: MoverRun, how: string): void {
    this.#killProcess(run.process, how);
  }

  #killProcess(process: SimProcess, how: string): void {
    if (process.isDead) return;
    this.#note(`${process.name} ${how}`);
    process.die();
  }

  #cutPower(run: MoverRun): void {
    this.#powerWasCut = true;
    this.#killProcess(run.process, 'loses its power');
    for (const disk of this.#disks) disk.cutPower(this.#faults.randomOf('power-cut'));
  }

  /** The machine of the mover is gone. Whoever comes after it knows nothing, waits for what may still come, and asks both sides. */
  #loseLedger(run: MoverRun): void {
    this.#killProcess(run.process, 'is gone, and its ledger with it');
    this.#ledgerLost = 'now';
    const endsNow = () => this.#target.partitions.map(({ truth }) => truth.highWatermark).join();
    const ends = endsNow();
    this.#schedule.after(this.#scenario.deadlineMs, () => {
      const adopting = ends === endsNow() ? this.#adopt() : Promise.resolve('somebody writes to the target');
      adopting.then(
        (why) => {
          this.#note(why === null ? 'the ledger is made of what stands on both sides' : `not adopted: ${why}`);
          this.#ledgerLost = 'once';
          this.#startMover();
        },
        (error) => this.#broke(error),
      );
    });
  }

  /** Null: it is done. Else why not, and then somebody has found the ledger again. */
  async #adopt(): Promise<string | null> {
    const pairs = this.#feeds.map(({ partition }, number) => [partition, this.#targetOf(number)] as const);
    const { segmentBytesMax } = this.#scenario;
    const process = new SimProcess('adopter', this.#schedule, startMs);
    const adopted = await adoptAll(pairs, { process, segmentBytesMax, mutation: this.#mutation });
    if (typeof adopted === 'string') return adopted;
    for (const [number, { disk, begin, lines }] of adopted.entries()) {
      this.#violateAll(wrongsOfAdoption(lines, this.#readable(number)));
      this.#disks[number] = disk;
      this.#starts[number] = begin;
    }
    return null;
  }

  #supervise(): void {
    this.#schedule.after(250, () => {
      const run = this.#current;
      if (run !== null && !run.hasEnded) this.#watch(run);
      else this.#goOn();
      this.#supervise();
    });
  }

  #watch(run: MoverRun): void {
    const nowMs = this.#schedule.nowMs;
    if (this.#ledgerLost === 'now') return;
    if (nowMs > this.#leaseUntilMs) {
      this.#startMover();
      return;
    }
    if (run.process.isDead || run.process.standsStill) return;
    for (const partition of run.partitions) {
      const { phase } = partition.writer;
      if (phase.kind !== 'refused' || phase.refusal !== 'too-large') continue;
      const target = this.#target.partitions[partition.plan.partition];
      if (target !== undefined) target.bytesMax = Number.POSITIVE_INFINITY;
      run.process.enter(() => run.mover.remedied(partition));
    }
    if (this.#faults.isHealed && this.#scenario.isFollowed && this.#hasAll(run)) void run.mover.stop();
  }

  #hasAll({ partitions, mover }: MoverRun): boolean {
    return partitions.every((partition) => {
      const { phase, settled } = partition.writer;
      if (phase.kind === 'damaged' || phase.kind === 'refused' || mover.stopped.has(partition)) return true;
      const source = this.#source.partitions[partition.plan.partition];
      if (source === undefined || this.#feeds[partition.plan.partition]?.isOpen === true) return false;
      const { leader } = source;
      const isWhole = leader !== null && leader.highWatermark === leader.log.end;
      return isWhole && phase.kind === 'writing' && settled.source >= leader.log.end;
    });
  }

  /** The last one looks once more, after everything that was on its way has arrived. */
  #goOn(): void {
    if (!this.#faults.isHealed || this.#schedule.nowMs < this.#scenario.healAtMs + stalledMsMax + 2000) return;
    if (this.#isFinal) {
      this.#schedule.stop();
      return;
    }
    this.#isFinal = true;
    this.#startMover();
  }

  // ---- checks

  #checkLine({ partition }: Place, sent: Uint8Array): void {
    if (this.#powerWasCut || this.#ledgerLost !== 'never' || (seenOf(sent)?.producerId ?? 0n) < 2n ** 62n) return;
    const files = this.#readable(partition.plan.number);
    const line = lineOf(files, recordCount(sent, 0), recordsCrcOf(sent, 0));
    if (line !== null) {
      const past = this.#feeds[partition.plan.number]?.history.at(line.from);
      this.#delaysMs.push(this.#target.wallMs() - (past?.appendedAtMs ?? 0));
      return;
    }
    this.#violate('the line comes before the batch', `a batch of ${recordCount(sent, 0)} has no line in the ledger`);
  }

  /** What was told last is where it has ended. */
  #checkProgress({ partitions, events }: MoverRun): void {
    for (const { plan, writer, settledBytes: bytes } of partitions) {
      const of = events.filter(({ kind, partition }) => kind === 'progress' && partition === plan.partition);
      const { source, target } = writer.settled;
      const ended = JSON.stringify({ source, target, records: target - plan.start.target, bytes });
      const last = of.at(-1);
      const told = last?.kind === 'progress' ? last : null;
      const found = { source: told?.source, target: told?.target, records: told?.records, bytes: told?.bytes };
      if (JSON.stringify(found) === ended) continue;
      this.#violate(
        'offsets account exactly',
        `partition ${plan.partition} is told as ${JSON.stringify(found)}: ${ended}`,
      );
    }
  }

  /** Who has come to an end by itself has waited for what it had given up. */
  #checkEnd(process: SimProcess, number: number, { givenUpMs }: Late): void {
    const run = this.#runs.find((one) => one.process === process);
    if (run?.hasEnded !== true || run.partitions[number]?.isDone !== true || givenUpMs > this.#scenario.deadlineMs)
      return;
    this.#violate(
      'the end is sure',
      `${process.name} had ended, and ${givenUpMs} ms before given up what is written now`,
    );
  }

  #targetOf(number: number): SimPartition {
    const partition = this.#target.partitions[number];
    if (partition === undefined) throw new Error(`the target has no partition ${number}`);
    return partition;
  }

  #readable(number: number): SegmentFiles {
    const disk = this.#disks[number];
    if (disk === undefined) throw new Error(`there is no disk for partition ${number}`);
    return disk.files(new SimProcess('checker', this.#schedule, startMs), (perform) => perform());
  }

  #violateAll(wrongs: readonly Wrong[]): void {
    for (const { check, text } of wrongs) this.#violate(check, text);
  }

  #check(): void {
    const run = this.#current;
    if (run === null) return;
    for (const [number, feed] of this.#feeds.entries()) {
      const [partition, target] = [run.partitions[number], this.#target.partitions[number]];
      if (partition === undefined || target === undefined) continue;
      const files = this.#readable(number);
      const verdict = verdictOf({
        scenario: this.#scenario,
        plan: this.#scenario.feeds[number] ?? null,
        partition,
        stopped: run.mover.stopped.get(partition) ?? null,
        source: feed,
        target,
        told: this.#runs.flatMap(({ events }) => events.filter((event) => event.partition === number)),
        movers: this.#movers,
        files,
        account: () => new PartitionLedger(files, { ...ledgerKey, partition: number }, partition.plan.start).account,
      });
      if (verdict !== null) this.#violate(verdict.check, `partition ${number}: ${verdict.text}`);
    }
  }

  #whatIsLeft(): string {
    const run = this.#current;
    if (run === null) return 'no mover has started';
    const waiting = [...run.mover.waiting].map(([{ plan }, { why }]) => `${plan.partition} waits: ${why}`);
    const logs = this.#source.partitions.map(({ truth }) => `${truth.highWatermark} of ${truth.log.end}`);
    return `${run.process.name}: ${[...endsOf(run), ...waiting].join('; ')}; source: ${logs.join(', ')}`;
  }

  #broke(error: unknown): void {
    this.#violate('the mover goes on', error instanceof Error ? (error.stack ?? '') : String(error));
  }

  /** The first one counts. */
  #violate(check: CheckName, text: string): void {
    if (this.#violation !== null) return;
    this.#violation = { check, atMs: this.#schedule.nowMs, text };
    this.#schedule.stop();
  }

  #note(text: string): void {
    this.#happenings.push({ atMs: this.#schedule.nowMs, text });
  }

  #outcome(): KafkaOutcome {
    const records = this.#target.partitions.reduce((sum, { truth, plan }) => sum + truth.log.end - plan.start, 0);
    return {
      scenario: this.#scenario,
      violation: this.#violation,
      simulatedMs: this.#schedule.nowMs,
      records,
      movers: this.#movers,
      ends: this.#current === null ? [] : endsOf(this.#current),
      struck: this.#faults.struck,
      happenings: this.#happenings,
      delaysMs: this.#delaysMs,
    };
  }
}

/** What is promised of a hold. */
const holdMsMax = 1000;
const settleMs = 500;
const renewMs = 2000;
/** At the lowest rate the longest backlog takes a quarter of an hour. */
const endMsMax = 3_600_000;
