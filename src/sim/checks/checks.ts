import { hashOf } from '../../core/journal/chain.ts';
import { type Entry, emptyHead } from '../../core/journal/entry.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Reading, Write } from '../controller.ts';
import type { FaultName, OperatorAct } from '../faults.ts';
import { sha256 } from '../hash.ts';
import { type Durable, textOf } from '../stores.ts';
import type { World } from '../world/world.ts';
import { checkAnchors, checkStartAnchored } from './anchored.ts';
import { BadBuildChecks } from './bad-build.ts';
import { Chain } from './chain.ts';
import { DrainedChecks } from './drained.ts';
import { checkEnd } from './end.ts';
import { EvidenceChecks } from './evidence.ts';
import { HalfDownChecks } from './half-down.ts';
import { JournalledChecks } from './journalled.ts';
import { LastServerChecks } from './last-server.ts';
import { PromptnessChecks } from './promptness.ts';
import { Vantage } from './vantage.ts';
import type { CheckName, Report, Violation } from './violation.ts';
import { WayBackChecks } from './way-back.ts';
import { WireChecks } from './wires.ts';
import { WriteChecks } from './writes.ts';

export type Fold = (state: RolloutState | null, entry: Entry) => RolloutState;

const blaming = /^somebody (took|lowered|set) /;
/** A reload brings what is configured, which was somebody's hand as well where a server had been put aside. */
const hands: readonly (FaultName | OperatorAct)[] = [
  'weights-by-hand',
  'server-out',
  'offline-back',
  'back',
  'back-all',
  'balancer-reload',
  'server-lines',
];

/** Many times what the longest of honest operations writes. */
const entriesMax = 10_000;

/** All safety checkers of one world. They read the world and the durable chain, never a controller. */
export class Checks {
  readonly chain = new Chain();
  readonly writes: WriteChecks;
  readonly promptness: PromptnessChecks;
  readonly lastServer: LastServerChecks;
  violation: Violation | null = null;
  /** The fold of the durable chain so far. */
  state: RolloutState | null = null;
  readonly #world: World;
  readonly #vantage: Vantage;
  readonly #evidence: EvidenceChecks;
  readonly #halfDown: HalfDownChecks;
  readonly #wires: WireChecks;
  readonly #wayBack: WayBackChecks;
  readonly #drained: DrainedChecks;
  readonly #badBuild: BadBuildChecks;
  readonly #journalled: JournalledChecks;
  readonly #fold: Fold;
  readonly #fleet: Entry[] = [];
  #tick = 0;

  constructor(world: World, fold: Fold, durable: Durable) {
    this.#world = world;
    this.#fold = fold;
    const report: Report = (check, text) => this.fail(check, text);
    this.#vantage = new Vantage(world);
    this.#evidence = new EvidenceChecks(world, report);
    this.#halfDown = new HalfDownChecks(world, this.chain, report);
    this.promptness = new PromptnessChecks(world, this.#vantage, report);
    this.#wires = new WireChecks(world, this.chain, this.promptness, report);
    this.#badBuild = new BadBuildChecks(world, this.chain, this.promptness, report);
    this.lastServer = new LastServerChecks(world, report);
    this.#wayBack = new WayBackChecks(world, this.chain, this.#vantage, this.lastServer, report);
    this.#drained = new DrainedChecks(world, report);
    this.#journalled = new JournalledChecks(world.scenario, report);
    this.writes = new WriteChecks(world, this.chain, this.#vantage, durable, report);
    world.onChange(() => this.#onChange());
  }

  fail(check: CheckName, text: string): void {
    this.violation ??= { check, atMs: this.#world.schedule.nowMs, text };
    this.#world.schedule.stop();
  }

  onWrite(write: Write, moment: 'before' | 'after'): void {
    this.writes.onWrite(write, moment);
    this.lastServer.onWrite(write, moment);
    this.#wayBack.onWrite(write, moment);
  }

  onRead({ by, leased, ...read }: Reading): void {
    if (read.kind === 'backend') {
      this.#halfDown.onBackendRead(by.holder, read.balancer, read.reading);
      this.#wires.onBackendRead(by, leased, read.balancer, read.reading);
      this.#badBuild.onBackendRead(by, leased, read.balancer);
      this.#wayBack.onBackendRead(by, leased, read.balancer);
      this.#drained.onBackendRead(by.holder, read.balancer, read.reading);
      return;
    }
    if (read.side !== 'destination') return;
    this.#halfDown.onGroupRead(by.holder, read.reading);
    this.#wires.onDestinationRead(by, leased, read.reading);
  }

  onFleetEntry(entry: Entry): void {
    this.#fleet.push(entry);
  }

  onEntry(entry: Entry): void {
    const last = this.chain.entries.at(-1) ?? emptyHead(entry.operation);
    if (entry.seq !== last.seq + 1 || ('hash' in last && entry.previous !== last.hash)) {
      this.fail('journal', `entry ${entry.seq} does not follow entry ${last.seq}`);
    }
    if (entry.seq > entriesMax) this.fail('everything ends', `its journal has more than ${entriesMax} entries`);
    const event = this.chain.add(entry, this.#world.schedule.nowMs);
    this.state = this.#fold(this.state, entry);
    this.#evidence.onEvent(event);
    this.#journalled.onEvent(event, { entryMs: entry.atMs, durableMs: this.#world.schedule.nowMs });
    this.#wires.onEvent(event);
    this.#badBuild.onEvent(event);
    if (
      event.kind === 'held' &&
      blaming.test(event.why) &&
      !hands.some((fault) => fault in this.#world.scenario.faults)
    )
      this.fail('nobody is blamed without a hand', `it is held in a world without hands: ${event.why}`);
    if (event.kind === 'drained') this.#drained.onDrained();
    if (event.kind === 'back-performed') {
      this.promptness.onBackPerformed(event.all);
      this.#wayBack.onBackPerformed(event.all);
    }
    if (event.kind === 'promoted' && !losesEntries(this.#world))
      checkStartAnchored(this.#fleet, (check, text) => this.fail(check, text));
    if (event.kind === 'rolled-back' || event.kind === 'completed')
      checkEnd(this.#world, this.chain, (check, text) => this.fail(check, text));
  }

  /** After the run: it is anchored, the chain verifies, and what was kept as text folds to the same state again. That is costly: for every fourth seed. */
  atEnd(): void {
    checkAnchors(this.#fleet, this.chain, (check, text) => this.fail(check, text));
    if (this.#world.scenario.seed % 4 !== 0) return;
    let state: RolloutState | null = null;
    for (const entry of this.chain.entries) {
      if (hashOf(entry, sha256) !== entry.hash) this.fail('journal', `the hash of entry ${entry.seq} is wrong`);
      state = this.#fold(state, JSON.parse(JSON.stringify(entry)) as Entry);
    }
    if (state === null || this.state === null) return;
    if (textOf(state) !== textOf(this.state))
      this.fail('journal', 'the journal, read back from text, folds to another state');
  }

  #onChange(): void {
    this.#vantage.look();
    this.lastServer.look();
    this.#wayBack.look();
    const tick = Math.floor(this.#world.schedule.nowMs / 10_000);
    this.#evidence.look(tick !== this.#tick);
    this.#tick = tick;
  }
}

/** While the disk takes nothing an anchor has to wait, and the operation goes on without it. */
function losesEntries({ scenario: { faults } }: World): boolean {
  return 'disk-full' in faults || 'journal-stalls' in faults;
}
