import type { FaultName } from '../faults.ts';
import type { Random } from '../random.ts';
import type { Scenario } from '../scenario.ts';
import type { Schedule } from '../schedule.ts';
import { Balancer, type Conditions, type Fate, type Manner } from './balancer.ts';
import { Fleet, type Instance, serverName } from './fleet.ts';
import { newServer, type Server, type Side } from './servers.ts';

/** Who changed something: a controller by name, a person's hand, or the world itself. */
export type Happening = { readonly atMs: number; readonly text: string };

/**
 * Two fleets behind some balancers, the load on them and the origin's own autoscaler. Knows nothing of Drover. `changed` is
 * called after everything that alters what the world can carry or where its traffic goes.
 */
export class World {
  readonly schedule: Schedule;
  readonly scenario: Scenario;
  readonly balancers: ReadonlyMap<string, Balancer>;
  readonly origin: Fleet;
  readonly destination: Fleet;
  /** Failure rate of each build over the baseline. */
  readonly ratios = new Map<string, number>();
  /** How each build fails; `mixed` unless it is named here. */
  readonly manners = new Map<string, Manner>();
  readonly happenings: Happening[] = [];
  /** Told of the faults that strike instances. */
  suffered: (fault: FaultName) => void = () => {};
  loadFactor = 1;
  hangs = 0;
  healed = false;
  loadRps: number;
  #portions = new Map<string, number>();
  readonly #random: Random;
  #listeners: (() => void)[] = [];
  #checkDelay: Random;

  constructor(scenario: Scenario, schedule: Schedule, random: Random) {
    this.scenario = scenario;
    this.schedule = schedule;
    this.#random = random;
    this.#checkDelay = random.fork('health checks');
    this.loadRps = this.#loadNow();
    const balancers = new Map<string, Balancer>();
    for (const drawn of scenario.balancers) {
      this.#portions.set(drawn.id, drawn.portion);
      const servers = serversOf(drawn, scenario);
      const stream = random.fork(`traffic of ${drawn.id}`);
      balancers.set(drawn.id, new Balancer(drawn.id, servers, this.#conditions(drawn), stream, schedule.nowMs));
    }
    this.balancers = balancers;
    this.ratios.set('origin-1', 1).set('destination-1', scenario.ratio);
    this.origin = this.#fleet('origin');
    this.destination = this.#fleet('destination');
    for (const fleet of [this.origin, this.destination]) {
      for (const instance of fleet.instances) this.#setHealth(fleet, instance, 'up');
    }
    this.#tick();
  }

  fleet(side: Side): Fleet {
    return side === 'origin' ? this.origin : this.destination;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  note(text: string): void {
    this.happenings.push({ atMs: this.schedule.nowMs, text });
  }

  advance(): void {
    for (const balancer of this.balancers.values()) balancer.advance(this.schedule.nowMs);
  }

  /** Requests per second that a group's servers take now. */
  rpsOf(side: Side): number {
    let rps = 0;
    for (const balancer of this.balancers.values())
      rps += this.loadRps * this.portion(balancer.id) * balancer.parts()[side];
    return rps;
  }

  portion(balancer: string): number {
    return this.#portions.get(balancer) ?? 0;
  }

  #tick(): void {
    this.advance();
    this.loadRps = this.#loadNow();
    this.#autoscale();
    this.changed();
    this.schedule.after(tickMs, () => this.#tick());
  }

  #loadNow(): number {
    const { baseRps, amplitude, periodMs, phase } = this.scenario.load;
    const wave = 1 + amplitude * Math.sin((2 * Math.PI * this.schedule.nowMs) / periodMs + phase);
    return baseRps * wave * this.loadFactor * this.#random.between(0.98, 1.02);
  }

  /** The origin's group follows its load between its own bounds, as it did before anybody thought of moving it. */
  #autoscale(): void {
    if (Math.round(this.schedule.nowMs / tickMs) % 6 !== 0) return;
    const { size } = this.origin;
    const wanted = Math.ceil((this.rpsOf('origin') * 1.25) / this.scenario.origin.capacityRps);
    const bounded = Math.max(size.min, Math.min(size.max, wanted));
    const next = bounded < size.desired ? size.desired - 1 : bounded;
    if (next === size.desired) {
      this.origin.reconcile();
      return;
    }
    this.note(`the origin scales itself from ${size.desired} to ${next}`);
    this.origin.resize({ desired: next });
  }

  #fleet(side: Side): Fleet {
    const drawn = this.scenario[side];
    const fates = this.#random.fork(`fates of ${side}`);
    const loops = this.#random.fork(`crash loops of ${side}`);
    return new Fleet(
      side,
      {
        ...drawn,
        slots: drawn.size.max,
        build: `${side}-1`,
        fate: () => this.#fate(fates, loops),
        healed: () => this.healed,
      },
      this.schedule,
      this.#random.fork(`starts of ${side}`),
      (instance) => this.#onInstance(side, instance),
    );
  }

  /** Crash loops have a stream of their own: worlds without them are what they were before these existed. */
  #fate(random: Random, loops: Random): Instance['fate'] {
    const { faults } = this.scenario;
    if (this.healed) return 'fine';
    for (const [fault, fate] of fates) {
      if (!random.chance(faults[fault] ?? 0)) continue;
      this.suffered(fault);
      return fate;
    }
    if (!loops.chance(faults['instance-crash-loops'] ?? 0)) return 'fine';
    this.suffered('instance-crash-loops');
    return 'crash-loops';
  }

  /** The balancers' checks notice a change a little later, each on its own. */
  #onInstance(side: Side, instance: Instance | null): void {
    this.advance();
    if (instance !== null) {
      const words = instance.gone
        ? 'is gone'
        : instance.answers
          ? `is ${instance.state}`
          : `(${instance.state}) does not answer`;
      this.note(`${serverName(side, instance.slot)} ${words}, build ${instance.build}`);
      for (const balancer of this.balancers.values()) this.#onCheck(balancer, side, instance);
    }
    this.changed();
  }

  #onCheck(balancer: Balancer, side: Side, instance: Instance): void {
    const fleet = this.fleet(side);
    const delayMs = this.#checkDelay.between(1000, 4000);
    // Who has no check takes the provider's word, which is there at once.
    const isChecked = balancer.ofSlot(side, instance.slot)?.checked ?? true;
    this.schedule.after(isChecked ? delayMs : 0, () => {
      const server = balancer.ofSlot(side, instance.slot);
      if (server === undefined || fleet.instances.some((one) => one !== instance && one.slot === instance.slot)) return;
      balancer.advance(this.schedule.nowMs);
      server.health = this.#isSeenUp(balancer, side, instance) ? 'up' : 'down';
      this.changed();
    });
  }

  /** The way from one balancer to the origin breaks, or is there again; its checks tell a little later, each on its own. */
  loseOrigin(balancer: Balancer, isLost: boolean): void {
    if (balancer.losesOrigin === isLost) return;
    this.advance();
    balancer.losesOrigin = isLost;
    this.note(`${balancer.id} ${isLost ? 'reaches no server of the origin any more' : 'reaches the origin again'}`);
    for (const instance of this.origin.instances) this.#onCheck(balancer, 'origin', instance);
  }

  #isSeenUp(balancer: Balancer, side: Side, instance: Instance): boolean {
    return isUp(instance) && !(side === 'origin' && balancer.losesOrigin);
  }

  #setHealth(fleet: Fleet, instance: Instance, health: 'up' | 'down'): void {
    for (const balancer of this.balancers.values()) {
      const server = balancer.ofSlot(fleet.side, instance.slot);
      if (server !== undefined) server.health = health;
    }
  }

  #conditions({ id, portion }: Scenario['balancers'][number]): Conditions {
    return {
      attemptMsMax: this.scenario.plan.policy.attemptMsMax,
      silentFailures: this.scenario.silentFailures,
      rps: () => this.loadRps * portion,
      fate: (server, rps) =>
        server.side === 'origin' && this.balancers.get(id)?.losesOrigin
          ? refusing
          : this.#serverFate(server, rps / portion),
    };
  }

  /** An instance under more load than it can carry fails the excess; `rps` is what reaches it over all balancers. */
  #serverFate(server: Server, rps: number): Fate {
    if (server.side === 'other' || server.slot === null) return fine;
    const instance = this.fleet(server.side).at(server.slot);
    if (instance === undefined || !instance.answers) return refusing;
    const excess = Math.max(0, 1 - this.scenario[server.side].capacityRps / rps);
    const failure = Math.min(1, this.scenario.baseline * (this.ratios.get(instance.build) ?? 1));
    return {
      failure: excess + (1 - excess) * failure,
      hangs: server.side === 'destination' ? this.hangs : 0,
      refuses: false,
      manner: this.manners.get(instance.build) ?? 'mixed',
    };
  }
}

export const tickMs = 10_000;

const fates = [
  ['instance-never-healthy', 'never-healthy'],
  ['instance-flaps', 'flaps'],
] as const satisfies readonly (readonly [FaultName, Instance['fate']])[];

const fine: Fate = { failure: 0, hangs: 0, refuses: false, manner: 'mixed' };
const refusing: Fate = { failure: 1, hangs: 0, refuses: true, manner: 'mixed' };

function isUp(instance: Instance): boolean {
  return !instance.gone && instance.answers && instance.state === 'healthy';
}

function serversOf(drawn: Scenario['balancers'][number], scenario: Scenario): Server[] {
  const servers: Server[] = [];
  for (let slot = 0; slot < scenario.origin.size.max; slot++) {
    const weight = drawn.originWeights[slot] ?? 100;
    servers.push(newServer(serverName('origin', slot), 'origin', slot, weight, drawn.putAside[slot] ?? 'ready'));
  }
  for (let slot = 0; slot < scenario.destination.size.max; slot++) {
    servers.push(newServer(serverName('destination', slot), 'destination', slot, 0, 'ready', !drawn.unchecked));
  }
  for (const server of servers) server.present = drawn.missing?.includes(server.name) !== true;
  for (let index = 0; index < drawn.others; index++) servers.push(newServer(`batch-${index + 1}`, 'other', null, 1));
  return servers;
}
