import { createHash } from 'node:crypto';
import type { AdminState, BackendReading, ServerReading } from '../../src/core/observed/backend.ts';
import { zeroCounters } from '../../src/core/observed/backend.ts';
import type { GroupReading } from '../../src/core/observed/group.ts';
import { known } from '../../src/core/observed/reading.ts';
import type { RolloutEvent, ServerTarget, Started } from '../../src/core/rollout/events.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import type { Backend, Group } from '../../src/engine/ports.ts';
import { traitsOf } from '../../src/sim/world/servers.ts';

const backendId = 'edge/web';
const rpsPerServer = 10;
const attemptMsMax = 30_000;

/** One service in a provider that answers at once: two groups of so many instances, each of which gets the same traffic. */
export class SteadyProvider {
  readonly backends: Readonly<Record<string, Backend>>;
  readonly origin: Group;
  readonly destination: Group;
  /** The last command that took servers away, and what stops a call from being answered. */
  takenAtMs: number | null = null;
  hangs = false;
  readonly #names: { readonly origin: readonly string[]; readonly destination: readonly string[] };
  readonly #weights = new Map<string, number>();
  readonly #admin = new Map<string, AdminState>();
  readonly #nowMs: () => number;
  readonly #startedMs: number;

  constructor(perGroup: number, nowMs: () => number) {
    const names = (prefix: string) => Array.from({ length: perGroup }, (_, index) => `${prefix}-${index + 1}`);
    this.#names = { origin: names('old'), destination: names('new') };
    for (const name of this.#all()) this.#weights.set(name, 100);
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    this.backends = { [backendId]: this.#backend() };
    this.origin = this.#group('origin', 'build-1');
    this.destination = this.#group('destination', 'build-2');
  }

  /** Of a rollout that stands at half of the traffic and is judged: its first entries, in order. */
  entries(): readonly RolloutEvent[] {
    const { origin, destination } = this.#names;
    const size = { min: destination.length, max: destination.length, desired: destination.length };
    const found = Object.fromEntries([
      ...origin.map((name) => [name, { side: 'origin', weight: 100, admin: 'ready' }] as const),
      ...destination.map((name) => [name, { side: 'destination', weight: 0, admin: 'ready' }] as const),
    ]);
    const started: Started = {
      kind: 'started',
      plan: this.#plan(),
      planHash: '0'.repeat(64),
      asFound: { backends: { [backendId]: found }, origin: size, destination: size },
      builds: { origin: 'build-1', destination: 'build-2' },
      earlierAttempts: {},
      reason: null,
    };
    const targets: Record<string, ServerTarget> = {};
    for (const name of origin) targets[name] = { weight: 100, admin: null };
    for (const name of destination) targets[name] = { weight: 100, admin: 'ready' };
    const floor = { min: destination.length, desired: null, exact: false };
    const target = { requestedShare: 0.5, traffic: { [backendId]: targets }, origin: floor, destination: floor };
    return [
      started,
      { kind: 'intended', target, why: 'step 1' },
      { kind: 'confirmed', backend: backendId, process: 'edge/1', intent: 2 },
      { kind: 'stage-entered', stage: { kind: 'judging', step: 1 }, attempt: 1 },
    ];
  }

  #all(): readonly string[] {
    return [...this.#names.origin, ...this.#names.destination];
  }

  #plan(): RolloutPlan {
    const count = this.#names.origin.length;
    const size = { min: count, max: count };
    return {
      service: 'web',
      owner: 'bench',
      origin: { environment: 'classic', size, capacityRps: 10 * rpsPerServer },
      destination: { environment: 'vpc', size, capacityRps: 10 * rpsPerServer },
      backends: [{ id: backendId, origin: 'old-*', destination: 'new-*' }],
      // Never over: a rollout that stands and is judged is what a controller has before it nearly all of the time.
      steps: [{ kind: 'weight', share: 0.5, instances: null, bakeMs: 86_400_000 }],
      objective: 0.01,
      policy: {
        judge: { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 3 },
        reserve: 0.2,
        settleMsMax: 60_000,
        capacityMsMax: 600_000,
        drainMsMax: 60_000,
        drill: { requests: 20, ms: 60_000, boundMs: 1000 },
        attemptMsMax,
        finalBakeMs: 300_000,
      },
    };
  }

  #backend(): Backend {
    return {
      read: async () => this.#answer(() => this.#reading()),
      attempts: async (names) => this.#answer(() => Object.fromEntries(names.map((name) => [name, this.#attempts()]))),
      setWeights: async (weights) =>
        this.#answer(() => {
          for (const [name, weight] of Object.entries(weights)) this.#weights.set(name, weight);
        }),
      setStates: async (states) =>
        this.#answer(() => {
          for (const [name, admin] of Object.entries(states)) this.#admin.set(name, admin);
          if (Object.values(states).includes('maint')) this.takenAtMs ??= this.#nowMs();
        }),
    };
  }

  async #answer<T>(answer: () => T): Promise<T> {
    if (this.hangs) return await new Promise<never>(() => undefined);
    return answer();
  }

  #attempts(): number {
    return Math.round(((this.#nowMs() - this.#startedMs) / 1000) * rpsPerServer);
  }

  /** 1 in 200 requests fails, on both sides. */
  #reading(): BackendReading {
    const attempts = this.#attempts();
    const rsp5xx = Math.floor(attempts / 200);
    const servers = this.#all().map((name): ServerReading => {
      const isOld = name.startsWith('old');
      return {
        name,
        address: null,
        weight: this.#weights.get(name) ?? 0,
        configuredWeight: isOld ? 100 : 0,
        admin: this.#admin.get(name) ?? 'ready',
        configuredAdmin: known('ready'),
        health: 'up',
        features: [],
        counters: { ...zeroCounters, attempts, rsp2xx: attempts - rsp5xx, rsp5xx },
      };
    });
    return { process: 'edge/1', servers, traits: traitsOf(attemptMsMax) };
  }

  #group(side: 'origin' | 'destination', build: string): Group {
    const names = this.#names[side];
    return {
      read: async (): Promise<GroupReading> => ({
        size: { min: names.length, max: names.length, desired: names.length },
        instances: names.map((name) => ({
          id: name,
          server: name,
          state: 'healthy',
          restarts: 0,
          build: null,
          startedAtMs: 0,
          lastOutput: [],
        })),
        build: known(build),
      }),
      resize: async () => undefined,
    };
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
