import type { ServerReading } from '../../src/core/observed/backend.ts';
import type { GroupReading, InstanceReading } from '../../src/core/observed/group.ts';
import { known } from '../../src/core/observed/reading.ts';
import type { ForwardStage, RolloutEvent, Started, Target } from '../../src/core/rollout/events.ts';
import { serversThatCame, targetWithAll } from '../../src/core/rollout/latecomers.ts';
import type { RecentLoad, Tally } from '../../src/core/rollout/load.ts';
import type { Observation } from '../../src/core/rollout/observation.ts';
import type { RolloutPlan } from '../../src/core/rollout/plan.ts';
import type { ShareSeen } from '../../src/core/rollout/share-seen.ts';
import { fold, type RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch, type Watch } from '../../src/core/rollout/watch.ts';
import { madePlan } from './plan.ts';
import { madeReading, madeServer } from './readings.ts';

/** The moment of every entry, and the one at which the world is looked at. */
export const sinceMs = 1_000_000;
export const nowMs = sinceMs + 600_000;

const resizable = { size: { min: 2, max: 4 }, capacityRps: 70 };

/** Two servers on each side behind one balancer, 70 requests/s each. What a test is about stands in the test. */
export const sizedPlan: RolloutPlan = {
  ...madePlan,
  origin: { environment: 'classic', ...resizable },
  destination: { environment: 'vpc', ...resizable },
};

/** Every server carries the same. */
export const halfTarget: Target = {
  requestedShare: 0.5,
  traffic: {
    edge: {
      'old-1': { weight: 100, admin: null },
      'old-2': { weight: 100, admin: null },
      'new-1': { weight: 100, admin: 'ready' },
      'new-2': { weight: 100, admin: 'ready' },
    },
  },
  origin: { min: 2, desired: null, exact: false },
  destination: { min: 2, desired: null, exact: false },
};

/** Nothing carries on the side of the destination. */
export const waitingTarget: Target = {
  ...halfTarget,
  requestedShare: 0,
  traffic: {
    edge: {
      ...halfTarget.traffic['edge'],
      'new-1': { weight: 0, admin: 'ready' },
      'new-2': { weight: 0, admin: 'ready' },
    },
  },
};

export type Beginning = Partial<
  Pick<Started, 'plan' | 'asFound' | 'builds' | 'earlierAttempts' | 'takenBack' | 'reason'>
>;

export function madeStart(beginning: Beginning = {}): Started {
  const old = { side: 'origin', weight: 100, admin: 'ready' } as const;
  const young = { side: 'destination', weight: 0, admin: 'ready' } as const;
  return {
    kind: 'started',
    plan: sizedPlan,
    planHash: '0'.repeat(64),
    asFound: {
      backends: { edge: { 'old-1': old, 'old-2': old, 'new-1': young, 'new-2': young } },
      origin: { min: 2, max: 4, desired: 2 },
      destination: { min: 2, max: 4, desired: 2 },
    },
    builds: { origin: 'build-1', destination: 'build-2' },
    earlierAttempts: {},
    reason: null,
    ...beginning,
  };
}

/** The state that a journal of these entries folds to. */
export function madeState(events: readonly RolloutEvent[], beginning: Beginning = {}): RolloutState {
  return foldedOnto(null, [madeStart(beginning), ...events]);
}

export function foldedOnto(state: RolloutState | null, events: readonly RolloutEvent[]): RolloutState {
  let next = state;
  for (const body of events) {
    const seq = (next?.seq ?? 0) + 1;
    const entry = { operation: 'move', seq, previous: '', hash: '', actor: 'kim', atMs: sinceMs, rules: 1, body };
    next = fold(next, entry);
  }
  if (next === null) throw new Error('no entry, no state');
  return next;
}

/** What a controller that sees this for the first time journals of servers that came, read back as they are targeted. */
export function learned(state: RolloutState, observation: Observation): RolloutState {
  const came = foldedOnto(state, serversThatCame(state, observation));
  const all = foldedOnto(came, targetWithAll(came, observation));
  return foldedOnto(all, [{ kind: 'confirmed', backend: 'edge', process: 'edge/1', intent: all.intended?.seq ?? 0 }]);
}

/** In the middle of a stage, with a target that was read back. */
export function stateAt(stage: ForwardStage, target: Target = halfTarget, beginning: Beginning = {}): RolloutState {
  return madeState(
    [
      { kind: 'intended', target, why: 'a test' },
      { kind: 'confirmed', backend: 'edge', process: 'edge/1', intent: 2 },
      { kind: 'stage-entered', stage, attempt: stage.kind === 'judging' ? 1 : 0 },
    ],
    beginning,
  );
}

type Seen = Partial<Omit<Observation, 'origin' | 'destination' | 'backends'>> & {
  readonly servers?: Readonly<Record<string, Partial<ServerReading>>>;
  readonly process?: string;
  readonly origin?: Partial<GroupReading>;
  readonly destination?: Partial<GroupReading>;
  readonly backends?: Observation['backends'];
};

/** The world as `halfTarget` wants it. */
export function madeObservation({
  servers = {},
  process = 'edge/1',
  origin,
  destination,
  ...seen
}: Seen = {}): Observation {
  const names = new Set(['old-1', 'old-2', 'new-1', 'new-2', ...Object.keys(servers)]);
  const readings = [...names].map((name) =>
    madeServer(name, { configuredWeight: name.startsWith('old') ? 100 : 0, ...servers[name] }),
  );
  const timed = <T>(value: T) => ({ atMs: seen.nowMs ?? nowMs, reading: known(value) });
  const backends = seen.backends ?? { edge: timed(madeReading(readings, { process })) };
  // Each server has an instance that runs: no balancer knows of one that its provider does not.
  const told = Object.values(backends).flatMap(({ reading }) => (reading.known ? reading.value.servers : []));
  for (const { name } of told) names.add(name);
  return {
    nowMs,
    leased: true,
    backends,
    origin: timed({ ...madeGroup([...names], 'old', 'build-1'), ...origin }),
    destination: timed({ ...madeGroup([...names], 'new', 'build-2'), ...destination }),
    marker: known(null),
    requests: [],
    drill: null,
    ...seen,
  };
}

function madeGroup(names: readonly string[], prefix: string, build: string): GroupReading {
  return {
    size: { min: 2, max: 4, desired: 2 },
    instances: names.filter((name) => name.startsWith(prefix)).map((name) => madeInstance(name)),
    build: known(build),
  };
}

export function madeInstance(id: string, made: Partial<InstanceReading> = {}): InstanceReading {
  return { id, server: id, state: 'healthy', restarts: 0, build: null, startedAtMs: 0, lastOutput: [], ...made };
}

/** The present intent is confirmed, and so many attempts were seen under it, where its weights made this share. */
export function madeShare(state: RolloutState, origin: number, destination: number, low = 0.5, high = low): ShareSeen {
  const range = { low, high };
  return {
    intent: state.intended?.seq ?? 0,
    latest: range,
    spans: [{ toMs: nowMs, origin, destination, ...range }],
  };
}

const none: Tally = { attempts: 0, failures: 0 };

type Watched = {
  readonly origin?: Tally;
  readonly destination?: Tally;
  /** Readings in a row without an attempt at the destination. */
  readonly idleReadings?: number;
  readonly inFlight?: number;
  readonly lower?: number;
} & Partial<Watch>;

/** So much in each of the last two times ten seconds. */
export function madeLoad(origin: Tally, destination: Tally): RecentLoad {
  const window = (fromMs: number) => ({ fromMs, toMs: fromMs + 10_000, origin, destination });
  return { edge: [window(nowMs - 20_000), window(nowMs - 10_000)] };
}

/** A controller that has looked on from the beginning and counted this in the last ten seconds. */
export function madeWatch(state: RolloutState, watched: Watched = {}): Watch {
  const { origin = none, destination = none, idleReadings = 0, inFlight = 0, lower = 0, ...changes } = watched;
  return {
    ...startWatch(state),
    sinceMs: 0,
    recent: { edge: [{ fromMs: nowMs - 10_000, toMs: nowMs, origin, destination }] },
    load: madeLoad(origin, destination),
    backends: {
      edge: {
        process: 'edge/1',
        idleReadings,
        destinationInFlight: inFlight,
        lower,
        written: {},
        weights: {},
        fallen: [],
        isServed: true,
      },
    },
    ...changes,
  };
}
