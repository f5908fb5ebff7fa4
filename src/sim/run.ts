import { fleetOperation } from '../core/journal/fleet.ts';
import { decide } from '../core/rollout/decide.ts';
import type { Started } from '../core/rollout/events.ts';
import { fold, type RolloutState } from '../core/rollout/state.ts';
import { watch } from '../core/rollout/watch.ts';
import { startOperation } from '../engine/anchors.ts';
import { createInbox } from '../engine/inbox.ts';
import { runOperation } from '../engine/operation.ts';
import type { Inbox } from '../engine/operation-ports.ts';
import { PortError } from '../engine/ports.ts';
import { Checks } from './checks/checks.ts';
import type { Violation } from './checks/violation.ts';
import { Controller, epochMs, type Surroundings } from './controller.ts';
import { type Coverage, count, crashKey, labelOf, newCoverage, type StateLabel } from './coverage.ts';
import { Crashes } from './crashes.ts';
import type { Decider, Mutation } from './engine.ts';
import type { FaultName } from './faults.ts';
import { plantOperators } from './operators.ts';
import { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { Schedule } from './schedule.ts';
import { Durable } from './stores.ts';
import { heal, plantMisfortunes } from './world/misfortunes.ts';
import { World } from './world/world.ts';

export type Outcome = {
  readonly scenario: Scenario;
  readonly violation: Violation | null;
  readonly end: 'rolled-back' | 'completed' | null;
  /** Why it went back, if it did. */
  readonly cause: string | null;
  readonly simulatedMs: number;
  readonly entries: number;
  readonly coverage: Coverage;
  readonly run: Run;
};

export const operation = 'move-query';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** After the world is healed and operators have lost patience, an operation must end within this. */
const endsWithinMs = 2 * hourMs;
/** What has ended is watched for this long: nothing may be written any more. */
const afterlifeMs = 2 * minuteMs;

const realDecider: Decider = { decide, watch, fold };

/** Runs the world of a scenario to its end, or to the first violation. Depends on nothing but its arguments. */
export async function simulate(scenario: Scenario, mutation: Mutation | null = null): Promise<Outcome> {
  const run = new Run(scenario, mutation);
  await run.toTheEnd();
  return run.outcome();
}

/** One world with its controllers, its operators and its checkers. */
export class Run {
  readonly scenario: Scenario;
  readonly schedule = new Schedule();
  readonly world: World;
  readonly durable = new Durable();
  readonly checks: Checks;
  readonly coverage = newCoverage();
  readonly #mutation: Mutation | null;
  readonly #decider: Decider;
  readonly #random: Random;
  readonly #crashes: Crashes;
  #label: StateLabel = 'not started';
  #diskFull = false;
  #stalledUntilMs = 0;
  #wallOffsetMs = 0;
  #seats: Seat[] = [];
  #ended = false;
  #controllers = 0;

  constructor(scenario: Scenario, mutation: Mutation | null) {
    this.scenario = scenario;
    this.#mutation = mutation;
    this.#decider = mutation?.decider?.(realDecider) ?? realDecider;
    this.#random = new Random(scenario.seed).fork('run');
    this.world = new World(scenario, this.schedule, this.#random.fork('world'));
    this.checks = new Checks(this.world, fold, this.durable);
    this.#crashes = new Crashes(this.#random.fork('crashes'), scenario.deaths);
    this.durable.onEntry = (entry) => {
      if (entry.operation === fleetOperation) this.checks.onFleetEntry(entry);
      if (entry.operation !== operation) return;
      this.checks.onEntry(entry);
      this.#relabel(this.checks.state);
    };
  }

  async toTheEnd(): Promise<void> {
    const { scenario, world } = this;
    const suffered = (name: string): void => count(this.coverage.faults, name);
    world.suffered = suffered;
    plantMisfortunes(world, this.#random.fork('misfortunes'), suffered);
    this.#plantOwnFaults(this.#random.fork('controllers'));
    plantOperators(
      {
        world,
        held: () => this.checks.state?.held?.why ?? null,
        goingBack: () => this.checks.chain.back !== null,
        ended: () => this.#ended,
        ask: (request) => this.#ask(request),
        backOffline: (byMarkerAlone) => this.#backOffline(byMarkerAlone),
        suffered,
      },
      this.#random.fork('operators'),
    );
    this.schedule.at(scenario.healAtMs, () => {
      this.#crashes.stop();
      this.#diskFull = false;
      this.#stalledUntilMs = 0;
      heal(world);
    });
    this.#seat('one', 0);
    const untilMs = scenario.healAtMs + scenario.patienceMs + endsWithinMs;
    const how = await this.schedule.run(untilMs);
    if (how !== 'stopped')
      this.checks.fail('everything ends', `it stands at ${this.#label}: nobody could end it (${how})`);
    for (const seat of this.#seats) if (seat.controller !== null) seat.controller.alive = false;
    this.checks.atEnd();
  }

  outcome(): Outcome {
    const { chain, violation } = this.checks;
    const cause = this.checks.state?.back?.cause ?? null;
    return {
      scenario: this.scenario,
      violation,
      end: chain.end,
      cause: cause === null ? null : cause.kind === 'tripwire' ? `tripwire: ${cause.wire}` : cause.kind,
      simulatedMs: this.schedule.nowMs,
      entries: chain.entries.length,
      coverage: this.coverage,
      run: this,
    };
  }

  #relabel(state: RolloutState | null): void {
    const label = labelOf(state);
    if (label === this.#label) return;
    this.#label = label;
    count(this.coverage.states, label);
  }

  /** A place where a controller runs; another one is started there when it has died. */
  #seat(name: string, delayMs: number): void {
    const seat: Seat = { name, controller: null, inbox: null };
    this.#seats.push(seat);
    this.schedule.after(delayMs, () => this.#launch(seat));
  }

  #launch(seat: Seat): void {
    if (this.#ended) return;
    const controller = new Controller(`${seat.name}.${++this.#controllers}`, this.#around());
    const ports = this.#mutation?.ports?.(controller.ports) ?? controller.ports;
    const inbox = createInbox();
    seat.controller = controller;
    seat.inbox = inbox;
    this.world.note(`controller ${controller.holder} starts`);
    const signal = new AbortController().signal;
    const work = async (): Promise<void> => {
      if (this.durable.head(operation).seq === 0) await startOperation(ports, operation, this.#started(), 'kim');
      const { end } = await runOperation(ports, operation, inbox, signal, this.#decider);
      this.#onEnd(seat, controller, end);
    };
    work().catch((error: unknown) => this.#onThrow(seat, controller, error));
  }

  #onEnd(seat: Seat, controller: Controller, end: 'ended' | 'lost-lease' | 'stopped'): void {
    this.world.note(`controller ${controller.holder} leaves: ${end}`);
    seat.controller = null;
    if (end !== 'ended') {
      this.schedule.after(5000, () => this.#launch(seat));
      return;
    }
    if (this.checks.chain.end === null) {
      this.checks.fail('journal', `controller ${controller.holder} says that it has ended; the journal does not`);
    }
    this.#finish();
  }

  #onThrow(seat: Seat, controller: Controller, error: unknown): void {
    if (!controller.alive) return;
    seat.controller = null;
    controller.alive = false;
    const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (!(error instanceof PortError)) {
      this.checks.fail('the controller goes on', `controller ${controller.holder} threw ${words}`);
      return;
    }
    this.world.note(`controller ${controller.holder} gives up: ${error.message}`);
    this.schedule.after(10_000, () => this.#launch(seat));
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.schedule.after(afterlifeMs, () => this.schedule.stop());
  }

  #around(): Surroundings {
    return {
      world: this.world,
      durable: this.durable,
      operation,
      random: this.#random.fork(`controller ${this.#controllers}`),
      onWrite: (write, moment) => this.checks.onWrite(write, moment),
      onRead: (reading) => this.checks.onRead(reading),
      suffered: (fault: FaultName) => count(this.coverage.faults, fault),
      crashes: (point) => {
        if (!this.world.healed) this.coverage.pairs[crashKey(this.#label, point)] = 1;
        if (!this.#crashes.strikes(this.#label, point)) return false;
        count(this.coverage.crashes, crashKey(this.#label, point));
        count(this.coverage.faults, 'crash');
        this.schedule.after(0, () => this.#revive());
        return true;
      },
      diskFull: () => this.#diskFull,
      stalledUntilMs: () => this.#stalledUntilMs,
      wallMs: () => this.#wallMs(),
    };
  }

  /** Whoever died is started again: at once, soon, or when somebody has noticed. */
  #revive(): void {
    for (const seat of this.#seats) {
      if (seat.controller === null || seat.controller.alive) continue;
      seat.controller = null;
      const random = this.#random.fork(`restart ${this.#controllers}`);
      const delayMs = random.chance(0.3) ? 1000 : random.spread(2000, 5 * minuteMs);
      this.schedule.after(delayMs, () => this.#launch(seat));
    }
  }

  #plantOwnFaults(random: Random): void {
    const { faults } = this.scenario;
    if (faults['second-controller'] !== undefined) {
      count(this.coverage.faults, 'second-controller');
      this.#seat('two', random.fork('second').between(1, 20) * minuteMs);
    }
    this.#every('crash', random, () => this.#crashes.doom(), false);
    this.#every('pause', random, (own) => {
      const living = this.#seats.map((seat) => seat.controller).filter((one) => one !== null);
      if (living.length === 0) return;
      const controller = own.pick(living);
      const { leaseMs } = this.scenario.timing;
      const lastsMs = Math.ceil(own.between(0.3, 3) * leaseMs);
      controller.pausedUntilMs = this.schedule.nowMs + lastsMs;
      this.world.note(`controller ${controller.holder} stands still for ${lastsMs / 1000} s`);
    });
    this.#every('disk-full', random, (own) => {
      this.#diskFull = true;
      this.world.note('the disk that holds the journal is full');
      this.schedule.after(own.between(0.1, 5) * minuteMs, () => {
        if (this.#diskFull) this.world.note('the disk has room again');
        this.#diskFull = false;
      });
    });
    this.#every('journal-stalls', random, (own) => {
      const lastsMs = Math.round(own.spread(2000, 3 * minuteMs));
      this.#stalledUntilMs = this.schedule.nowMs + lastsMs;
      this.world.note(`the disk that holds the journal answers nobody for ${lastsMs / 1000} s`);
    });
    this.#every('clock-steps', random, (own) => {
      const stepMs = own.chance(0.6) ? -hourMs : Math.round(own.spread(minuteMs, hourMs));
      this.#wallOffsetMs += stepMs;
      this.world.note(`the wall clock is set ${stepMs < 0 ? 'back' : 'forward'} by ${Math.abs(stepMs) / 1000} s`);
    });
  }

  #wallMs(): number {
    return epochMs + this.schedule.nowMs + this.#wallOffsetMs;
  }

  #every(fault: FaultName, random: Random, strike: (own: Random) => void, counts = true): void {
    const perHour = this.scenario.faults[fault];
    if (perHour === undefined) return;
    const own = random.fork(fault);
    const next = (): void => {
      this.schedule.after(own.exponential(hourMs / perHour), () => {
        if (this.world.healed || this.#ended) return;
        strike(own);
        if (counts) count(this.coverage.faults, fault);
        next();
      });
    };
    next();
  }

  #ask(request: Parameters<Inbox['push']>[0]): boolean {
    const nowMs = this.schedule.nowMs;
    const awake = this.#seats.filter((seat) => seat.controller?.alive && seat.controller.pausedUntilMs <= nowMs);
    const holder = this.durable.leaseHolder(operation, this.#wallMs());
    const seat = awake.find((one) => one.controller?.holder === holder) ?? awake[0];
    if (seat?.inbox === undefined || seat.inbox === null) return false;
    this.world.note(`an operator asks ${seat.controller?.holder}: ${JSON.stringify(request)}`);
    seat.inbox.push(request);
    if (request.kind === 'back' && request.all) this.checks.lastServer.isAllAsked = true;
    if (request.kind === 'back' && seat.controller !== null)
      this.checks.promptness.onBackAsked(seat.controller, request.all);
    return true;
  }

  /** `drover back --offline`: the marker first, then maint wherever a balancer can be reached and the origin is up, again and again. */
  #backOffline(byMarkerAlone: boolean): void {
    if (this.#ended || this.checks.chain.back !== null) return;
    this.world.note(
      `an operator takes the way back by hand: the marker${byMarkerAlone ? ', and is cut off before the first command' : ', then maint everywhere'}`,
    );
    if (!this.durable.marker.has(operation)) this.durable.marker.set(operation, 'kim, by hand');
    this.checks.writes.backOutsideMs ??= this.schedule.nowMs;
    if (byMarkerAlone) return;
    for (const balancer of this.world.balancers.values()) this.#cutByHand(balancer.id);
  }

  #cutByHand(id: string): void {
    const balancer = this.world.balancers.get(id);
    if (balancer === undefined || this.checks.chain.back !== null) return;
    if (!balancer.reachable || !balancer.hasOrigin()) {
      this.schedule.after(5000, () => this.#cutByHand(id));
      return;
    }
    for (const server of balancer.servers) {
      if (server.side === 'destination') balancer.write(server.name, { admin: 'maint' }, this.schedule.nowMs);
    }
    this.world.changed();
  }

  #started(): Started {
    const { world, scenario } = this;
    const backends: Record<string, Started['asFound']['backends'][string]> = {};
    for (const balancer of world.balancers.values()) {
      backends[balancer.id] = Object.fromEntries(
        balancer.servers.flatMap(({ name, side, weight, admin }) =>
          side === 'other' ? [] : [[name, { side, weight, admin }]],
        ),
      );
    }
    return {
      kind: 'started',
      plan: scenario.plan,
      planHash: '0'.repeat(64),
      asFound: { backends, origin: world.origin.read().size, destination: world.destination.read().size },
      builds: { origin: world.origin.buildsRunning(), destination: world.destination.buildsRunning() },
      earlierAttempts: {},
      takenBack: scenario.takenBack ?? {},
      reason: null,
    };
  }
}

type Seat = { readonly name: string; controller: Controller | null; inbox: Inbox | null };
