import { fleetOperation } from '../../core/journal/fleet.ts';
import { decideMove } from '../../core/move/operation/decide.ts';
import type { MoveEffect } from '../../core/move/operation/decision.ts';
import { type MoveEvent, moveRules } from '../../core/move/operation/events.ts';
import type { MoveRequest } from '../../core/move/operation/observation.ts';
import type { CopyPlan } from '../../core/move/operation/plan.ts';
import { foldMove, hasMoveEnded, isUnderWay, type MoveState } from '../../core/move/operation/state.ts';
import { startOperation } from '../../engine/anchors.ts';
import { inboxFor } from '../../engine/inbox.ts';
import { type MoveDecider, runMove } from '../../engine/move-operation.ts';
import { recordMove } from '../../engine/move-record.ts';
import type { Inbox } from '../../engine/operation-ports.ts';
import { PortError } from '../../engine/ports.ts';
import { epochMs } from '../controller.ts';
import { Random } from '../random.ts';
import { Schedule } from '../schedule.ts';
import { Durable } from '../stores.ts';
import { CopyChecks } from './checks/checks.ts';
import type { Violation } from './checks/violation.ts';
import { CopyController, type CopyWrite } from './controller.ts';
import { Happenings } from './happenings.ts';
import { plantMisfortunes } from './misfortunes.ts';
import { SimMovers } from './movers.ts';
import type { Mutation } from './mutation.ts';
import { plantOperators } from './operators.ts';
import { planFor } from './plan.ts';
import { type CopyPoint, type Label, labelOf } from './points.ts';
import { type CopyScenario, noAcls, type Strike } from './scenario.ts';
import { SimTarget } from './target.ts';

export type CopyOutcome = {
  readonly scenario: CopyScenario;
  readonly violation: Violation | null;
  readonly state: MoveState | null;
  readonly simulatedMs: number;
  readonly entries: number;
  readonly controllers: number;
  /** Appends that controllers have made, and writes to the target. */
  readonly appends: number;
  readonly struck: Readonly<Partial<Record<Strike, number>>>;
  /** Where controllers have died, `label × point`. */
  readonly deaths: readonly string[];
  readonly labels: readonly Label[];
  /** Topics of the target at the end: their settings and the ends of their logs, by name. */
  readonly target: Readonly<Record<string, { readonly own: object; readonly ends: readonly number[] }>>;
  /** Its ACLs at the end. */
  readonly acls: readonly string[];
  readonly happenings: readonly { readonly atMs: number; readonly text: string }[];
};

export const operation = 'copy-1';
const minuteMs = 60_000;
/** After a world is healed its copy has to end within that. */
const endsWithinMs = 90 * minuteMs;
/** What has ended is watched so long: nothing may be done any more. */
const afterlifeMs = minuteMs;

/** Runs the world of a scenario to its end, or to the first violation. Depends on nothing but its arguments. */
export async function simulateOperation(
  scenario: CopyScenario,
  mutation: Mutation | null = null,
): Promise<CopyOutcome> {
  const run = new CopyRun(scenario, mutation);
  await run.toTheEnd();
  return run.outcome();
}

type Seat = {
  name: string;
  controller: CopyController | null;
  inbox: Inbox<MoveRequest> | null;
  stop: AbortController;
};

/** One world with its controllers, its people and its checkers. */
export class CopyRun {
  readonly scenario: CopyScenario;
  readonly schedule = new Schedule();
  readonly durable = new Durable();
  readonly target: SimTarget;
  readonly movers: SimMovers;
  readonly sourcePartitions: Map<string, number>;
  readonly happenings: Happenings;
  readonly checks: CopyChecks;
  readonly plan: CopyPlan;
  readonly controllers = new Map<string, CopyController>();
  readonly #mutation: Mutation | null;
  readonly #decider: MoveDecider;
  readonly #random: Random;
  readonly #seats: Seat[] = [];
  readonly #pending: MoveRequest[] = [];
  readonly #deaths: string[] = [];
  readonly #labels = new Set<Label>();
  readonly #visits = new Map<string, number>();
  isHealed = false;
  isDiskFull = false;
  stalledUntilMs = 0;
  wallOffsetMs = 0;
  #label: Label = 'preparing';
  #appends = 0;
  #isOver = false;

  constructor(scenario: CopyScenario, mutation: Mutation | null) {
    [this.scenario, this.#mutation] = [scenario, mutation];
    const real = { decide: decideMove, fold: foldMove };
    this.#decider = mutation?.decider?.(real) ?? real;
    this.#random = new Random(scenario.seed).fork('run');
    this.happenings = new Happenings(this.schedule, scenario, this.#random.fork('faults'), () => this.isHealed);
    const note = (text: string) => this.happenings.note(text);
    this.target = new SimTarget(() => this.schedule.nowMs);
    for (const { name, there } of scenario.topics) if (there !== null) this.target.make(name, 'others', there);
    const { acls = noAcls } = scenario;
    for (const acl of acls.target) this.target.acls.makeByHand(acl);
    this.plan = planFor(scenario, this.target);
    for (const acl of acls.meanwhile) this.target.acls.makeByHand(acl);
    this.sourcePartitions = new Map(scenario.topics.map(({ name, ends }) => [name, ends.length]));
    this.movers = new SimMovers({
      ...{ schedule: this.schedule, scenario, target: this.target, note },
      ...{ random: this.#random.fork('movers'), sourcePartitions: this.sourcePartitions },
      strikes: (fault) => this.happenings.strikes(fault),
      hosted: mutation?.host ?? ((host) => host),
      sending: (child, topic) => this.checks.sends.sending(child, topic),
    });
    this.checks = new CopyChecks(this);
    this.durable.onEntry = (entry) => {
      if (entry.operation !== operation) return;
      this.checks.onEntry(entry);
      const { state } = this.checks.chain;
      if (state === null) return;
      this.#label = labelOf(state);
      this.#labels.add(this.#label);
      note(`[${entry.seq}] ${wordsOf(entry.body as MoveEvent)}`);
      if (hasMoveEnded(state)) this.schedule.after(1, () => this.#afterTheEnd());
    };
    this.durable.onLease = (holder, ttlMs) => this.checks.sends.leased(holder, ttlMs);
    this.durable.onRelease = (holder) => this.checks.givenBack(holder);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get state(): MoveState | null {
    return this.checks.chain.state;
  }

  async toTheEnd(): Promise<void> {
    const { healAtMs } = this.scenario;
    plantMisfortunes(this, this.#random.fork('misfortunes'));
    plantOperators(this, this.#random.fork('operators'));
    this.schedule.at(healAtMs, () => this.#heal());
    this.#seat('one', 0);
    if ('second-controller' in this.scenario.faults) {
      this.happenings.count('second-controller');
      this.#seat('two', this.#random.fork('second').integer(1000, healAtMs));
    }
    try {
      const how = await this.schedule.run(healAtMs + endsWithinMs);
      if (how !== 'stopped') this.checks.fail('everything ends', `it stands at ${this.#label} (${how})`);
      this.#isOver = true;
      if (this.checks.violation === null) this.checks.atEnd();
    } catch (error) {
      this.checks.fail('the controller goes on', `the world broke: ${error instanceof Error ? error.stack : error}`);
    }
    for (const { process } of this.controllers.values()) process.alive = false;
    for (const { process } of this.movers.living()) process.die();
  }

  outcome(): CopyOutcome {
    const topics = [...this.target.topics.values()];
    return {
      ...{ scenario: this.scenario, violation: this.checks.violation, state: this.state },
      ...{ simulatedMs: this.schedule.nowMs, entries: this.checks.chain.entries.length },
      ...{ controllers: this.controllers.size, appends: this.#appends, deaths: this.#deaths },
      ...{ struck: this.happenings.struck, labels: [...this.#labels], happenings: this.happenings.all },
      acls: [...this.target.acls.standing.keys()].sort(),
      target: Object.fromEntries(
        topics.map(({ name, own, partitions }) => [
          name,
          { own: Object.fromEntries([...own].sort()), ends: partitions.map(({ end }) => end) },
        ]),
      ),
    };
  }

  wallMs(): number {
    return epochMs + this.schedule.nowMs + this.wallOffsetMs;
  }

  /** Controllers that would answer at once. */
  awake(): CopyController[] {
    return this.#seats.flatMap(({ controller }) =>
      controller?.process.alive && controller.process.pausedUntilMs <= this.schedule.nowMs ? [controller] : [],
    );
  }

  /** Somebody asks: of a controller that answers; where there is none he becomes one, or writes it down (`hold`). */
  ask(request: MoveRequest): void {
    if (this.#isOver || this.state === null) return;
    const awake = this.#seats.filter(({ controller }) => controller !== null && this.awake().includes(controller));
    const holder = this.durable.leaseHolder(operation, this.wallMs());
    const seat = awake.find(({ controller }) => controller?.process.holder === holder) ?? awake[0];
    this.happenings.note(`somebody asks ${seat?.controller?.process.holder ?? 'nobody'}: ${JSON.stringify(request)}`);
    if (seat?.controller !== undefined && seat.controller !== null && seat.inbox !== null) {
      this.checks.asked(seat.controller, request);
      seat.inbox.push(request);
    } else if (request.kind === 'hold') this.#record(request);
    else {
      this.#pending.push(request);
      const empty = this.#seats.find(({ controller }) => controller === null);
      if (empty !== undefined) this.#launch(empty);
    }
  }

  /** As at a terminal: one controller is asked to end. */
  stopOne(): void {
    const seat = this.#seats.find(({ controller }) => controller?.process.alive === true);
    if (seat === undefined) return;
    this.happenings.note(`${seat.controller?.process.holder} is asked to end`);
    seat.stop.abort('its controller was asked to end');
  }

  #record(request: Extract<MoveRequest, { kind: 'hold' }>): void {
    const { by, why } = request;
    const { ports, process } = this.#controller('operator');
    const held: MoveEvent = { kind: 'copy-held', by, why };
    recordMove(ports, operation, by, (state) => (isUnderWay(state) && state.held === null ? [held] : [])).then(
      (end) => this.happenings.note(`${process.holder}: ${end}`),
      (error: unknown) => this.#threw(process.holder, process.alive, error),
    );
  }

  #seat(name: string, delayMs: number): void {
    const seat = { name, controller: null, inbox: null, stop: new AbortController() };
    this.#seats.push(seat);
    this.schedule.after(delayMs, () => this.#launch(seat));
  }

  #launch(seat: Seat): void {
    if (this.#isOver || seat.controller !== null) return;
    const controller = this.#controller(seat.name);
    const urgent = inboxFor<MoveRequest>(({ kind }) => kind === 'hold' || kind === 'abort' || kind === 'back');
    const inbox = this.#mutation?.inbox?.(urgent) ?? urgent;
    Object.assign(seat, { controller, inbox, stop: new AbortController() });
    const { holder } = controller.process;
    this.happenings.note(`controller ${holder} starts`);
    for (const request of this.#pending.splice(0)) inbox.push(request);
    const ports = this.#mutation?.ports?.(controller.ports) ?? controller.ports;
    const work = async () => {
      const started = { kind: 'copy-started', plan: this.plan, rate: null } as const;
      if (this.durable.head(operation).seq === 0) await startOperation(ports, operation, started, 'kim', moveRules);
      const { end } = await runMove(ports, operation, inbox, seat.stop.signal, () => undefined, this.#decider);
      this.#left(seat, controller, end);
    };
    work().catch((error: unknown) => {
      if (!controller.process.alive) return;
      this.#threw(holder, true, error);
      this.#gone(seat, controller, 10_000);
    });
  }

  #controller(name: string): CopyController {
    const holder = `${name}.${this.controllers.size + 1}`;
    const note = (text: string) => this.happenings.note(text);
    const controller = new CopyController(holder, {
      ...{ schedule: this.schedule, durable: this.durable, operation, scenario: this.scenario, note },
      ...{ target: this.target, movers: this.movers, random: this.#random.fork(`controller ${holder}`) },
      strikes: (fault) => this.happenings.strikes(fault),
      crashes: (point) => this.#crashes(holder, point),
      diskFull: () => this.isDiskFull,
      stalledUntilMs: () => this.stalledUntilMs,
      wallMs: () => this.wallMs(),
      onWrite: (write) => this.#perform(write),
    });
    this.controllers.set(holder, controller);
    return controller;
  }

  #left(seat: Seat, controller: CopyController, end: 'ended' | 'stopped'): void {
    const { holder } = controller.process;
    this.happenings.note(`controller ${holder} leaves: ${end}`);
    const { state } = this;
    if (end === 'ended' && (state === null || (!hasMoveEnded(state) && state.left === null)))
      this.checks.fail('journal', `${holder} says that it has ended, and the journal does not`);
    const random = this.#random.fork(`after ${holder}`);
    this.#gone(seat, controller, Math.round(random.spread(1000, 2 * minuteMs)));
  }

  #threw(holder: string, isAlive: boolean, error: unknown): void {
    if (!isAlive) return;
    if (error instanceof PortError) this.happenings.note(`${holder} gives up: ${error.message}`);
    else this.checks.fail('the controller goes on', `${holder} threw ${error instanceof Error ? error.stack : error}`);
  }

  /** Whoever went is followed by another one as long as there is something to do. */
  #gone(seat: Seat, { process }: CopyController, delayMs: number): void {
    process.alive = false;
    this.movers.orphan(process.holder);
    seat.controller = null;
    seat.inbox = null;
    this.schedule.after(delayMs, () => {
      if (this.state === null || !hasMoveEnded(this.state) || this.#pending.length > 0) this.#launch(seat);
    });
  }

  #crashes(holder: string, point: CopyPoint): boolean {
    if (point === 'journal.append/before') this.#appends += 1;
    const { killed } = this.scenario;
    const isKilled = killed !== null && point === `journal.append/${killed.when}` && killed.append === this.#appends;
    const pair = `${this.#label} × ${point}`;
    const visit = (this.#visits.get(pair) ?? 0) + 1;
    this.#visits.set(pair, visit);
    const isPlanned =
      !this.isHealed &&
      this.scenario.deaths.some((one) => `${one.label} × ${one.point}` === pair && one.visit === visit);
    if (!isKilled && !isPlanned && !this.happenings.isDoomed()) return false;
    this.#deaths.push(pair);
    this.happenings.count('crash');
    this.schedule.after(0, () => {
      const seat = this.#seats.find(({ controller }) => controller?.process.holder === holder);
      const controller = this.controllers.get(holder);
      const random = this.#random.fork(`restart of ${holder}`);
      if (seat !== undefined && controller !== undefined)
        this.#gone(seat, controller, random.chance(0.3) ? 1000 : Math.round(random.spread(2000, 3 * minuteMs)));
    });
    return true;
  }

  #perform(write: CopyWrite): string | null {
    this.happenings.note(`${write.by}: ${effectWords(write.effect)}`);
    this.checks.writes.landing(write);
    return this.#done(write.effect);
  }

  #done(effect: MoveEffect): string | null {
    const { target } = this;
    switch (effect.kind) {
      case 'make-topic': {
        if (target.topics.has(effect.topic)) return null;
        return target.make(effect.topic, 'copy', { partitions: effect.partitions, own: effect.settings }).id;
      }
      case 'make-partitions': {
        const topic = target.topics.get(effect.topic);
        if (topic === undefined) throw new PortError('refused', 'no such topic', { retriable: true });
        target.grow(topic, effect.partitions);
        return null;
      }
      case 'change-settings':
        target.change(effect.changes);
        return null;
      case 'make-acls':
        target.acls.make(effect.acls);
        return null;
      case 'delete-acls':
        target.acls.delete(effect.acls);
        return null;
      case 'delete-topic': {
        const topic = target.byId.get(effect.topicId);
        if (topic !== undefined) target.delete(topic);
        return null;
      }
      default:
        return effect satisfies never;
    }
  }

  #heal(): void {
    this.happenings.note('the world is healed');
    this.isHealed = true;
    this.isDiskFull = false;
    this.stalledUntilMs = 0;
    this.target.isRefusing = false;
    this.target.isAway = false;
  }

  /** People look at what is there; some have it removed. Then nothing happens any more. */
  #afterTheEnd(): void {
    const { state } = this;
    if (this.#isOver || state === null || !hasMoveEnded(state)) return;
    const endedAt = state.stageSinceMs;
    const isRemoved = state.stage.kind === 'removed';
    this.schedule.after(isRemoved || !this.scenario.isRemovedAfterwards ? afterlifeMs : 5000, () => {
      const now = this.state;
      if (now === null || now.stageSinceMs !== endedAt || this.#isOver) return;
      if (isRemoved || !this.scenario.isRemovedAfterwards) return this.#finish();
      this.ask({ kind: 'back', by: 'kim', reason: 'not needed' });
      this.#afterTheEnd();
    });
  }

  /** Whoever wrote the end may have died before its anchor: somebody looks once more. */
  #finish(looks = 5): void {
    const isAnchored = this.checks.isEndAnchored(this.durable.read(fleetOperation, 0));
    const seat = this.#seats.find(({ controller }) => controller === null);
    // While controllers die it may take more looks than a few.
    if (isAnchored || looks === 0) return this.schedule.stop();
    if (seat !== undefined) this.#launch(seat);
    this.schedule.after(afterlifeMs, () => this.#finish(this.isHealed ? looks - 1 : looks));
  }
}

function wordsOf(event: MoveEvent): string {
  const { kind, ...rest } = event;
  return kind === 'copy-started' || kind === 'copy-checkpoint' || kind === 'caught-up'
    ? kind
    : `${kind} ${JSON.stringify(rest)}`;
}

function effectWords(effect: MoveEffect): string {
  if (effect.kind !== 'change-settings') return JSON.stringify(effect);
  return effect.changes.map(({ topic, key, value }) => `${topic} ${key}=${value}`).join(', ');
}
