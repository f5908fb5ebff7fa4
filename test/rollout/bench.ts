import type { AdminState, BackendReading, Health, ServerReading } from '../../src/core/observed/backend.ts';
import type { GroupReading, InstanceState } from '../../src/core/observed/group.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { Decision, Effect } from '../../src/core/rollout/decision.ts';
import type { RolloutEvent, ServerTarget, Started } from '../../src/core/rollout/events.ts';
import type { Observation, OperatorRequest } from '../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { fold, type IntendedState, type RolloutState } from '../../src/core/rollout/state.ts';
import { type RolloutStatus, statusOf } from '../../src/core/rollout/status.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madePlan } from '../made/plan.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const origin = ['old-1', 'old-2'];
const usualRps = 100;

type Setup = {
  readonly backends?: readonly string[];
  readonly destination?: readonly string[];
  readonly originWeight?: number;
  /** Requests per second at each backend. */
  readonly rps?: number;
};

/**
 * A rollout without a loop: one backend or several that are alike, two servers on each side. A test changes the world, has one decision made in it
 * (`pass`), and appends of that what it wants. Traffic follows the weights; nothing fails.
 */
export class Bench {
  weights: Record<string, number> = {};
  admin: Record<string, AdminState> = {};
  process = 'edge/1';
  marker: string | null = null;
  isReadable = true;
  /** Backends that alone do not answer. */
  unreadable: readonly string[] = [];
  originHealthy = 2;
  /** Where it is not the same at every backend. */
  originHealthyAt: Record<string, number> = {};
  /** What the balancer says of a server; `up` unless named here or of an origin that is not healthy. */
  health: Record<string, Health> = {};
  /** What the provider says of an instance; `healthy` unless named here. null: it does not know of it. */
  instances: Record<string, InstanceState | null> = {};
  /** How often the provider has started an instance again, and what it wrote last. */
  restarts: Record<string, number> = {};
  wrote: Record<string, readonly string[]> = {};
  /** When an instance was started, where it is not long ago. */
  startedAtMs: Record<string, number> = {};
  isGroupReadable = true;
  /** What runs at the destination. */
  build = 'build-2';
  drill: Observation['drill'] = null;
  algorithm = 'roundrobin';
  /** Configured weights other than 100 at the origin and 0 at the destination. */
  configured: Record<string, number> = {};
  /** The part of all requests that goes to the origin's first server whatever its weight. */
  sticky = 0;
  /** How many times what its weight says a server really gets. */
  astray: Record<string, number> = {};
  state: RolloutState;
  watch: Watch;
  nowMs = 1_000_000;
  readonly #backends: readonly string[];
  #requests: OperatorRequest[] = [];
  #attempts: Record<string, number> = {};

  readonly destination: readonly string[];
  #names: readonly string[];
  readonly #rps: number;

  /** At the beginning: the destination waits at weight 0. */
  constructor({
    backends = ['edge'],
    destination = ['new-1', 'new-2'],
    originWeight = 100,
    rps = usualRps,
  }: Setup = {}) {
    this.#rps = rps;
    this.#backends = backends;
    this.destination = destination;
    this.#names = [...origin, ...destination];
    for (const name of origin) this.weights[name] = originWeight;
    this.state = fold(null, this.#entry(1, started(backends, destination, originWeight)));
    this.watch = startWatch(this.state);
  }

  /** In the middle of the first step: every server carries the same, and that is confirmed. */
  static judging(setup: Setup = {}): Bench {
    const bench = new Bench(setup);
    bench.carry(bench.destination);
    bench.append([{ kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 }]);
    for (let index = 0; index < 5; index++) bench.pass();
    return bench;
  }

  /** These of the destination carry, and that is confirmed. */
  carry(servers: readonly string[]): void {
    const left: ServerTarget = { weight: 100, admin: null };
    const targets: Record<string, ServerTarget> = { 'old-1': left, 'old-2': left };
    for (const name of this.destination) {
      this.weights[name] = servers.includes(name) ? 100 : 0;
      targets[name] = { weight: this.weights[name] ?? 0, admin: 'ready' };
    }
    const floor = { min: 2, desired: null, exact: false };
    const target = {
      requestedShare: null,
      traffic: Object.fromEntries(this.#backends.map((id) => [id, targets])),
      origin: floor,
      destination: floor,
    };
    this.append([{ kind: 'intended', target, why: 'step 1' }]);
    const intent = this.state.seq;
    this.append(this.#backends.map((backend) => ({ kind: 'confirmed', backend, process: this.process, intent })));
  }

  /** The judge has seen enough, and the step is baked. */
  evidenceToPromote(): void {
    this.watch = { ...this.watch, judge: { ...this.watch.judge, decided: 'promote' } };
    this.state = { ...this.state, stageSinceMs: this.state.stageSinceMs - 300_000 };
  }

  /** A reload of the balancer with other server lines: weights and states as configured, these servers there too or gone. */
  reload(configured: Readonly<Record<string, number>>, gone: readonly string[] = []): void {
    this.process = `${this.process}+`;
    this.#attempts = {};
    this.admin = {};
    Object.assign(this.configured, configured);
    this.#names = [...new Set([...this.#names, ...Object.keys(configured)])].filter((name) => !gone.includes(name));
    for (const name of this.#names) this.weights[name] = this.#configuredWeight(name);
  }

  clearCounters(): void {
    this.#attempts = {};
  }

  /** What the balancer says of one server. */
  says(server: string, health: Health): void {
    this.health[server] = health;
  }

  status(): RolloutStatus {
    return statusOf(this.state, this.watch, this.observe(), []);
  }

  intended(): IntendedState {
    if (this.state.intended === null) throw new Error('nothing is intended');
    return this.state.intended;
  }

  ask(request: OperatorRequest): void {
    this.#requests.push(request);
  }

  append(events: readonly RolloutEvent[]): void {
    for (const event of events) this.state = fold(this.state, this.#entry(this.state.seq + 1, event));
  }

  /** Two seconds of traffic, one observation, one decision. Nothing of it is performed or appended. */
  pass(): Decision {
    this.nowMs += 2000;
    this.#serve(2 * this.#rps);
    const observation = this.observe();
    this.#requests = [];
    this.watch = watch(this.watch, this.state, observation);
    return decide(this.state, this.watch, observation);
  }

  /** The same, appended or performed, as a loop would do it. */
  follow(): readonly RolloutEvent[] {
    const { events, effects } = this.pass();
    this.append(events);
    for (const effect of events.length > 0 ? [] : effects) this.#perform(effect);
    return events;
  }

  #perform(effect: Effect): void {
    if (effect.kind === 'traffic') {
      Object.assign(this.weights, effect.weights);
      Object.assign(this.admin, effect.states);
    }
    if (effect.kind !== 'drill') return;
    for (const { server } of effect.servers) this.admin[server] = 'maint';
    this.drill = known({ attempts: 0, acknowledgedMs: 1, lastAttemptMs: 1, spacingMs: 5, rps: 0 });
  }

  #serve(attempts: number): void {
    const carried = (name: string) =>
      (this.admin[name] ?? 'ready') === 'ready' && !this.#isDown(name, '')
        ? (this.weights[name] ?? 0) * (this.astray[name] ?? 1)
        : 0;
    const total = this.#names.reduce((sum, name) => sum + carried(name), 0);
    for (const name of this.#names) {
      this.#attempts[name] =
        (this.#attempts[name] ?? 0) + (attempts * (1 - this.sticky) * carried(name)) / (total || 1);
    }
    this.#attempts['old-1'] = (this.#attempts['old-1'] ?? 0) + attempts * this.sticky;
  }

  /** What is there now, without any traffic since. */
  observe(): Observation {
    const timed = <T>(value: T) => ({ atMs: this.nowMs, reading: known(value) });
    const backend = (id: string) =>
      this.isReadable && !this.unreadable.includes(id)
        ? timed(this.#backend(id))
        : { atMs: this.nowMs, reading: unknown('it does not answer') };
    return {
      nowMs: this.nowMs,
      leased: true,
      backends: Object.fromEntries(this.#backends.map((id) => [id, backend(id)])),
      origin: timed(this.#group('old', 'build-1')),
      destination: this.isGroupReadable
        ? timed(this.#group('new', this.build))
        : { atMs: this.nowMs, reading: unknown('the provider does not answer') },
      marker: known(this.marker),
      requests: this.#requests,
      drill: this.drill,
    };
  }

  #backend(id: string): BackendReading {
    const servers = this.#names.map((name) => this.#server(name, id));
    return madeReading(servers, { process: this.process, traits: { algorithm: known(this.algorithm) } });
  }

  #server(name: string, id: string): ServerReading {
    const attempts = Math.round(this.#attempts[name] ?? 0);
    return madeServer(name, {
      weight: this.weights[name] ?? 0,
      configuredWeight: this.#configuredWeight(name),
      admin: this.admin[name] ?? 'ready',
      health: this.health[name] ?? (this.#isDown(name, id) ? 'down' : 'up'),
      counters: { attempts, rsp2xx: attempts },
    });
  }

  #configuredWeight(name: string): number {
    return this.configured[name] ?? (name.startsWith('old') ? 100 : 0);
  }

  #isDown(name: string, backend: string): boolean {
    const healthy = this.originHealthyAt[backend] ?? this.originHealthy;
    return this.health[name] === 'down' || (name.startsWith('old') && Number(name.at(-1)) > healthy);
  }

  #group(prefix: string, build: string): GroupReading {
    const instances = this.#names
      .filter((name) => name.startsWith(prefix) && this.instances[name] !== null)
      .map((name) => ({
        id: name,
        server: name,
        state: this.instances[name] ?? ('healthy' as const),
        restarts: this.restarts[name] ?? 0,
        build: null,
        startedAtMs: this.startedAtMs[name] ?? 0,
        lastOutput: this.wrote[name] ?? [],
      }));
    return { size: { min: 2, max: 4, desired: 2 }, instances, build: known(build) };
  }

  #entry(seq: number, body: RolloutEvent) {
    return { operation: 'move', seq, previous: '', hash: '', actor: 'kim', atMs: this.nowMs, rules: 1, body };
  }
}

function started(backends: readonly string[], destination: readonly string[], weight: number): Started {
  const old = { side: 'origin', weight, admin: 'ready' } as const;
  const young = { side: 'destination', weight: 0, admin: 'ready' } as const;
  const servers = { 'old-1': old, 'old-2': old, ...Object.fromEntries(destination.map((name) => [name, young])) };
  return {
    kind: 'started',
    plan: { ...plan, backends: backends.map((id) => ({ id, origin: 'old-*', destination: 'new-*' })) },
    planHash: '0'.repeat(64),
    asFound: {
      backends: Object.fromEntries(backends.map((id) => [id, servers])),
      origin: { min: 2, max: 4, desired: 2 },
      destination: { min: 2, max: 4, desired: 2 },
    },
    builds: { origin: 'build-1', destination: 'build-2' },
    earlierAttempts: {},
    reason: null,
  };
}

const resizable = { size: { min: 2, max: 4 }, capacityRps: usualRps * 0.7 };

export const plan: RolloutPlan = {
  ...madePlan,
  origin: { environment: 'classic', ...resizable },
  destination: { environment: 'vpc', ...resizable },
};
