import type { AdminState, BackendReading, ServerReading } from '../../src/core/observed/backend.ts';
import type { GroupReading } from '../../src/core/observed/group.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { Decision } from '../../src/core/rollout/decision.ts';
import type { RolloutEvent, ServerTarget, Started } from '../../src/core/rollout/events.ts';
import type { Observation, OperatorRequest } from '../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import { fold, type IntendedState, type RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch, type Watch, watch } from '../../src/core/rollout/watch.ts';
import { madePlan } from '../made/plan.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const names = ['old-1', 'old-2', 'new-1', 'new-2'];
const rps = 100;

/**
 * A rollout without a loop: one backend, two servers on each side. A test changes the world, has one decision made in it
 * (`pass`), and appends of that what it wants. Traffic follows the weights; nothing fails.
 */
export class Bench {
  weights: Record<string, number> = { 'old-1': 100, 'old-2': 100, 'new-1': 100, 'new-2': 100 };
  admin: Record<string, AdminState> = {};
  process = 'edge/1';
  marker: string | null = null;
  isReadable = true;
  originHealthy = 2;
  algorithm = 'roundrobin';
  /** Configured weights other than 100 at the origin and 0 at the destination. */
  configured: Record<string, number> = {};
  /** How many times what its weight says a server really gets. */
  astray: Record<string, number> = {};
  state: RolloutState;
  watch: Watch;
  nowMs = 1_000_000;
  #requests: OperatorRequest[] = [];
  #attempts: Record<string, number> = {};

  constructor() {
    this.state = fold(null, this.#entry(1, started()));
    this.watch = startWatch(this.state);
  }

  /** In the middle of the first step: every server carries the same, and that is confirmed. */
  static judging(): Bench {
    const bench = new Bench();
    const ready: ServerTarget = { weight: 100, admin: 'ready' };
    const left: ServerTarget = { weight: 100, admin: null };
    const traffic = { edge: { 'old-1': left, 'old-2': left, 'new-1': ready, 'new-2': ready } };
    const target = {
      requestedShare: 0.5,
      traffic,
      origin: { min: 2, desired: null, exact: false },
      destination: { min: 2, desired: null, exact: false },
    };
    bench.append([
      { kind: 'intended', target, why: 'step 1' },
      { kind: 'confirmed', backend: 'edge', process: 'edge/1', intent: 2 },
      { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 },
    ]);
    for (let index = 0; index < 5; index++) bench.pass();
    return bench;
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
    this.#serve(2 * rps);
    const observation = this.observe();
    this.#requests = [];
    this.watch = watch(this.watch, this.state, observation);
    return decide(this.state, this.watch, observation);
  }

  #serve(attempts: number): void {
    const carried = (name: string) =>
      (this.admin[name] ?? 'ready') === 'ready' && !this.#isDown(name)
        ? (this.weights[name] ?? 0) * (this.astray[name] ?? 1)
        : 0;
    const total = names.reduce((sum, name) => sum + carried(name), 0);
    for (const name of names) {
      this.#attempts[name] = (this.#attempts[name] ?? 0) + Math.round((attempts * carried(name)) / total);
    }
  }

  /** What is there now, without any traffic since. */
  observe(): Observation {
    const timed = <T>(value: T) => ({ atMs: this.nowMs, reading: known(value) });
    const backend = this.isReadable
      ? timed(this.#backend())
      : { atMs: this.nowMs, reading: unknown('it does not answer') };
    return {
      nowMs: this.nowMs,
      leased: true,
      backends: { edge: backend },
      origin: timed(this.#group('old', 'build-1')),
      destination: timed(this.#group('new', 'build-2')),
      marker: known(this.marker),
      requests: this.#requests,
      drill: null,
    };
  }

  #backend(): BackendReading {
    const servers = names.map((name) => this.#server(name));
    return madeReading(servers, { process: this.process, traits: { algorithm: known(this.algorithm) } });
  }

  #server(name: string): ServerReading {
    const attempts = this.#attempts[name] ?? 0;
    return madeServer(name, {
      weight: this.weights[name] ?? 0,
      configuredWeight: this.configured[name] ?? (name.startsWith('old') ? 100 : 0),
      admin: this.admin[name] ?? 'ready',
      health: this.#isDown(name) ? 'down' : 'up',
      counters: { lbtot: attempts, rsp2xx: attempts },
    });
  }

  #isDown(name: string): boolean {
    return name.startsWith('old') && Number(name.at(-1)) > this.originHealthy;
  }

  #group(prefix: string, build: string): GroupReading {
    const instances = names
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({
        id: name,
        server: name,
        state: 'healthy' as const,
        restarts: 0,
        startedAtMs: 0,
        lastOutput: [],
      }));
    return { size: { min: 2, max: 4, desired: 2 }, instances, build: known(build) };
  }

  #entry(seq: number, body: RolloutEvent) {
    return { operation: 'move', seq, previous: '', hash: '', actor: 'kim', atMs: this.nowMs, rules: 1, body };
  }
}

function started(): Started {
  const old = { side: 'origin', weight: 100, admin: 'ready' } as const;
  const young = { side: 'destination', weight: 0, admin: 'ready' } as const;
  return {
    kind: 'started',
    plan,
    planHash: '0'.repeat(64),
    asFound: {
      backends: { edge: { 'old-1': old, 'old-2': old, 'new-1': young, 'new-2': young } },
      origin: { min: 2, max: 4, desired: 2 },
      destination: { min: 2, max: 4, desired: 2 },
    },
    builds: { origin: 'build-1', destination: 'build-2' },
    earlierAttempts: {},
    reason: null,
  };
}

const resizable = { size: { min: 2, max: 4 }, capacityRps: rps * 0.7 };

export const plan: RolloutPlan = {
  ...madePlan,
  origin: { environment: 'classic', ...resizable },
  destination: { environment: 'vpc', ...resizable },
};
