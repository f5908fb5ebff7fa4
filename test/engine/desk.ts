import type { Entry } from '../../src/core/journal/entry.ts';
import type { AdminState, BackendReading } from '../../src/core/observed/backend.ts';
import { known } from '../../src/core/observed/reading.ts';
import type { Decision } from '../../src/core/rollout/decision.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import { fold, type RolloutState } from '../../src/core/rollout/state.ts';
import { watch } from '../../src/core/rollout/watch.ts';
import { startOperation } from '../../src/engine/anchors.ts';
import { openChain } from '../../src/engine/chain.ts';
import { createInbox } from '../../src/engine/inbox.ts';
import { type Decider, type Glance, runOperation } from '../../src/engine/operation.ts';
import type { OperationPorts } from '../../src/engine/operation-ports.ts';
import { type Backend, type Group, PortError } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { Schedule } from '../../src/sim/schedule.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import { madeInstance, madeStart } from '../made/rollout.ts';
import { type VirtualTime, virtualTime } from '../sim/contract/virtual-time.ts';

export const operation = 'move';
export const timing = { pollMs: 2000, callMs: 3000, leaseMs: 12_000 };

/** Something that has changed in the world, when, and whether the back marker was there by then. */
export type Landed = { readonly atMs: number; readonly what: string; readonly marked: boolean };

type CallName = 'read' | 'setWeights' | 'setStates' | 'append' | 'acquire' | 'marker.write' | 'resize' | 'journal.read';

/**
 * One operation's loop between simulated ports, in virtual time. Every call is answered a millisecond later, but those that
 * `hanging` names by no one; what the rules say is the test's own.
 */
export class Desk {
  readonly schedule = new Schedule();
  readonly time: VirtualTime = virtualTime(this.schedule);
  readonly journal = openMemoryJournal();
  readonly inbox = createInbox();
  readonly landed: Landed[] = [];
  readonly hanging = new Set<string>();
  /** Calls that are refused, with these words. */
  readonly refusing = new Map<string, string>();
  readonly told: Entry[] = [];
  readonly glances: Glance[] = [];
  marker: string | null = null;
  wallOffsetMs = 1_000_000;
  weights: Record<string, number> = { 'old-1': 100, 'old-2': 100, 'new-1': 0, 'new-2': 0 };
  admin: Record<string, AdminState> = {};
  attempts = 0;
  readonly #stop = new AbortController();

  async begin(backends: readonly string[] = ['edge']): Promise<void> {
    const { plan, asFound, ...start } = madeStart();
    const plans = backends.map((id) => ({ id, origin: 'old-*', destination: 'new-*' }));
    const found = Object.fromEntries(backends.map((id) => [id, asFound.backends['edge'] ?? {}]));
    const started = { ...start, plan: { ...plan, backends: plans }, asFound: { ...asFound, backends: found } };
    await this.time.during(startOperation(this.ports('first'), operation, started, 'kim'));
  }

  get nowMs(): number {
    return this.schedule.nowMs;
  }

  ports(holder: string): OperationPorts {
    const group = (side: string): Group => ({
      read: () =>
        this.#answer('read', side, () => ({
          size: { min: 2, max: 4, desired: 2 },
          instances: [madeInstance(`${side}-1`)],
          build: known('build'),
        })),
      resize: (size) => this.#answer('resize', side, () => this.#land(`${side} ${JSON.stringify(size)}`)),
    });
    return {
      clock: {
        now: () => this.wallOffsetMs + this.nowMs,
        monotonic: () => this.nowMs,
        sleep: (ms, signal) => this.#sleep(ms, signal),
      },
      journal: {
        append: (expected, entries) => this.#answer('append', holder, () => this.journal.append(expected, entries)),
        read: (chain, afterSeq) => this.#answer('journal.read', holder, () => this.journal.read(chain, afterSeq)),
        heads: () => this.journal.heads(),
        close: () => this.journal.close(),
      },
      leases: {
        acquire: (...asked) => this.#answer('acquire', holder, () => this.journal.leases.acquire(...asked)),
        release: (...asked) => this.journal.leases.release(...asked),
        holderOf: (...asked) => this.journal.leases.holderOf(...asked),
      },
      samples: this.journal.samples,
      backends: { edge: this.#backend('edge'), rim: this.#backend('rim') },
      origin: group('origin'),
      destination: group('destination'),
      marker: {
        read: () => Promise.resolve(this.marker),
        write: (_operation, who) =>
          this.#answer('marker.write', holder, () => {
            this.marker = who;
          }),
        remove: () => Promise.resolve(),
      },
      sha256,
      holder,
      timing,
      tell: (entry) => void this.told.push(entry),
    };
  }

  /** Runs a controller by these rules for so long, and stops it. */
  async run(forMs: number, decide: Decider['decide'], holder = 'one', rules: Partial<Decider> = {}): Promise<string> {
    this.schedule.after(forMs, () => this.#stop.abort(new Error('the test is over')));
    const decider = { decide, watch, fold, ...rules };
    const glance = (one: Glance) => void this.glances.push(one);
    const work = runOperation(this.ports(holder), operation, this.inbox, this.#stop.signal, decider, glance);
    return (await this.time.during(work)).end;
  }

  /** Another controller writes, and takes the lease for it. */
  async writtenByAnother(events: readonly RolloutEvent[], atMs = this.nowMs + this.wallOffsetMs): Promise<void> {
    const chain = openChain(this.journal, operation, sha256);
    await chain.catchUp(never);
    await chain.append(
      events.map((body) => ({ body, actor: 'drover', atMs, rules: 1 })),
      never,
    );
  }

  async kinds(): Promise<string[]> {
    return (await this.journal.read(operation, 0)).map(({ body }) => body.kind);
  }

  #backend(id: string): Backend {
    return {
      read: () => this.#answer('read', id, () => this.#reading()),
      attempts: (names) =>
        this.#answer('read', id, () => Object.fromEntries(names.map((name) => [name, this.attempts]))),
      setWeights: (weights) =>
        this.#answer('setWeights', id, () => {
          Object.assign(this.weights, weights);
          this.#land(`${id} weights ${JSON.stringify(weights)}`);
        }),
      setStates: (states) =>
        this.#answer('setStates', id, () => {
          Object.assign(this.admin, states);
          this.#land(`${id} states ${JSON.stringify(states)}`);
        }),
    };
  }

  #reading(): BackendReading {
    return madeReading(
      Object.entries(this.weights).map(([name, weight]) =>
        madeServer(name, { weight, admin: this.admin[name] ?? 'ready', counters: { attempts: this.attempts } }),
      ),
    );
  }

  #land(what: string): void {
    this.landed.push({ atMs: this.nowMs, what, marked: this.marker !== null });
  }

  #answer<T>(call: CallName, whom: string, perform: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.hanging.has(call) || this.hanging.has(`${call} ${whom}`)) return;
      const refusal = this.refusing.get(call) ?? this.refusing.get(`${call} ${whom}`);
      this.schedule.after(1, () => {
        if (refusal !== undefined) reject(new PortError('refused', refusal, { retriable: true }));
        else resolve(perform());
      });
    });
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const planned = this.schedule.after(ms, () => {
        signal.removeEventListener('abort', over);
        resolve();
      });
      const over = () => {
        planned.cancelled = true;
        resolve();
      };
      signal.addEventListener('abort', over, { once: true });
    });
  }
}

const never = new AbortController().signal;

/** Nothing to write, nothing to do, at the usual pace. */
export const quiet: Decision = { events: [], effects: [], back: [], wakeAtMs: null, ended: false };

export type Rule = (state: RolloutState, observation: Observation) => Partial<Decision>;

/** A rule that says what is not quiet. */
export function ruled(rule: Rule): Decider['decide'] {
  return (state, _watch, observation) => ({ ...quiet, ...rule(state, observation) });
}
