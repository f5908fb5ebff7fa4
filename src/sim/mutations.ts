import type { BackendReading, ServerReading } from '../core/observed/backend.ts';
import type { GroupReading } from '../core/observed/group.ts';
import { known } from '../core/observed/reading.ts';
import type { Observation, Timed } from '../core/rollout/observation.ts';
import { sideOf } from '../core/rollout/servers.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import type { Watch } from '../core/rollout/watch.ts';
import type { Decider, Mutation } from './engine.ts';
import { blindToAnchors, withoutAnchors } from './mutations/anchors.ts';
import { changingBackends } from './mutations/backends.ts';
import { believedAtOnce, believedCounts } from './mutations/believed.ts';
import { goesBackToAnybody } from './mutations/blind.ts';
import {
  completesOneStepEarly,
  leavesWithoutAWord,
  neverBackForGood,
  neverSilent,
  wordless,
} from './mutations/endings.ts';
import { backLate } from './mutations/late.ts';
import { partialBack } from './mutations/partial.ts';
import { soundAsleep, wallClockOnly, writeBehind } from './mutations/ports.ts';
import { withoutARule } from './mutations/rules.ts';

/**
 * Known-bad products, each made of the real one by changing what its decider is told, what it says, or what its ports promise.
 * Every one of them must be caught by a checker; the product itself has no branch for them.
 */
export const mutations: readonly Mutation[] = [
  {
    name: 'requested share as evidence',
    seenIn: 398,
    shownBy: ['share-drifts'],
    caughtBy: ['evidence from observed traffic'],
    decider: seeing(believedCounts),
  },
  {
    name: 'unknown taken as healthy',
    seenIn: 353,
    shownBy: ['balancer-unreachable', 'reading-missing', 'call-lost'],
    caughtBy: ['capacity before traffic', 'reserve', 'no raise after a way back', 'evidence from observed traffic'],
    decider: (real) => rememberingHealthy(real),
  },
  {
    name: 'effect before journal',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['no effect without its intent'],
    ports: writeBehind,
  },
  {
    name: 'missing failures taken as none',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['evidence from observed traffic'],
    decider: seeing((observation) => mapServers(observation, withoutFailures)),
  },
  {
    name: 'writing is believing',
    seenIn: 7,
    shownBy: [],
    caughtBy: ['as found after a way back', 'whole share after completion'],
    decider: seeing(asTargeted),
  },
  {
    name: 'capacity not awaited',
    seenIn: 45,
    shownBy: ['instance-never-healthy', 'instance-dies', 'partial-capacity', 'scale-in-by-others'],
    caughtBy: ['capacity before traffic'],
    decider: seeing(destinationUp),
  },
  {
    name: 'reserve forgotten',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['reserve'],
    decider: standing((state) => ({ ...state, plan: withoutReserve(state.plan) })),
  },
  {
    name: 'hold ignored',
    seenIn: 4,
    shownBy: ['hold'],
    caughtBy: ['no raise while held'],
    decider: standing((state) => ({ ...state, held: null })),
  },
  {
    name: 'marker ignored',
    seenIn: 63,
    shownBy: ['offline-back'],
    caughtBy: ['no raise after a way back'],
    decider: seeing((observation) => ({ ...observation, marker: known(null) })),
  },
  {
    name: 'builds ignored',
    seenIn: 159,
    shownBy: ['deployment', 'bad-deployment'],
    caughtBy: ['evidence from observed traffic'],
    decider: seeing(sameBuilds),
  },
  {
    name: 'builds that were taken back come in without a word',
    seenIn: 336,
    shownBy: ['deployment', 'bad-deployment'],
    caughtBy: ['a build that was taken back needs a reason'],
    decider: standing((state) => ({ ...state, takenBack: {} })),
  },
  {
    name: 'scale-in on the configured weight',
    seenIn: 379,
    shownBy: ['hung-requests', 'balancer-unreachable', 'call-lost'],
    caughtBy: ['nothing shrinks under traffic'],
    decider: watching(allIdle),
  },
  {
    name: 'servers put aside are taken along',
    seenIn: 13,
    shownBy: [],
    caughtBy: ['only what is ours'],
    decider: standing(nothingPutAside),
  },
  {
    name: 'sizes kept after a way back',
    seenIn: 8,
    shownBy: [],
    caughtBy: ['as found after a way back'],
    decider: standing(grownFromTheStart),
  },
  {
    name: 'way back not remembered',
    seenIn: 9,
    shownBy: ['back', 'back-all'],
    caughtBy: ['no raise after a way back'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) =>
        real.decide(goesOnAfterBack(state), watch, { ...observation, marker: known(null) }),
    }),
  },
  {
    name: 'lowered by hand, raised again',
    seenIn: 54,
    shownBy: ['weights-by-hand'],
    caughtBy: ['no raise against a hand'],
    decider: watching(neverLowered),
  },
  {
    name: 'lowered by hand before it was read back, raised',
    seenIn: 3184,
    shownBy: ['weights-by-hand'],
    caughtBy: ['no raise against a hand'],
    decider: (real) => ({ ...real, watch: (before, ...rest) => real.watch(withoutWeights(before), ...rest) }),
  },
  {
    name: 'a guess taken for capacity',
    seenIn: 19,
    shownBy: [],
    caughtBy: ['reserve'],
    decider: watching(guessedCapacity),
  },
  {
    name: 'a load believed at once',
    seenIn: 3394,
    shownBy: [],
    caughtBy: ['reserve'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) => real.decide(state, believedAtOnce(watch), observation),
    }),
  },
  {
    name: 'asleep when asked',
    seenIn: 33,
    shownBy: ['back-all'],
    caughtBy: ['the way back comes at once'],
    ports: soundAsleep,
  },
  {
    name: 'back to an origin that is down',
    seenIn: 399,
    shownBy: ['origin-dies'],
    caughtBy: ['the way back leaves users a server'],
    decider: goesBackToAnybody,
  },
  {
    name: 'a failed check taken for a slow start',
    seenIn: 169,
    shownBy: ['instance-dies', 'instance-flaps', 'scale-in-by-others'],
    caughtBy: ['half down is answered'],
    decider: seeing((observation) => stillStarting(observation)),
  },
  {
    name: 'an anchor that nobody writes',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['anchors'],
    ports: withoutAnchors,
  },
  {
    name: 'an anchor for whoever comes by',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['anchors'],
    ports: blindToAnchors,
  },
  {
    name: 'durations by the wall clock',
    seenIn: 3652,
    shownBy: ['clock-steps'],
    caughtBy: [
      'no effect without its intent',
      'no raise without the lease',
      'nothing shrinks under traffic',
      'everything ends',
    ],
    ports: wallClockOnly,
  },
  {
    name: 'no rule for a stage',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['the controller goes on'],
    decider: wordless('finishing'),
  },
  {
    name: 'ended without an entry',
    seenIn: 8,
    shownBy: [],
    caughtBy: ['journal'],
    decider: leavesWithoutAWord,
  },
  {
    name: 'entries hashed in a way of its own',
    seenIn: 8,
    shownBy: [],
    caughtBy: ['journal'],
    ports: (ports) => ({ ...ports, sha256: (text) => ports.sha256(`${text}\n`) }),
  },
  {
    name: 'one step short of the whole share',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['whole share after completion'],
    decider: completesOneStepEarly,
  },
  {
    name: 'the whole share not read back',
    seenIn: 84,
    shownBy: ['balancer-reload'],
    caughtBy: ['whole share after completion'],
    decider: notReadBack,
  },
  {
    name: 'a way back that is never over',
    seenIn: 8,
    shownBy: [],
    caughtBy: ['everything ends'],
    decider: neverBackForGood,
  },
  {
    name: 'an entry for every reading',
    seenIn: 7,
    shownBy: [],
    caughtBy: ['everything ends'],
    decider: neverSilent,
  },
  ...withoutARule,
  ...backLate,
  ...partialBack,
];

export function mutationNamed(name: string): Mutation {
  const mutation = mutations.find((one) => one.name === name);
  if (mutation !== undefined) return mutation;
  throw new Error(`no mutation is called "${name}"; there are: ${mutations.map((one) => one.name).join(', ')}`);
}

/** A decider that is shown something else than what was observed. */
function seeing(show: (observation: Observation, state: RolloutState, before: Watch | null) => Observation) {
  return (real: Decider): Decider => ({
    ...real,
    watch: (before, state, observation) => real.watch(before, state, show(observation, state, before)),
    decide: (state, watch, observation) => real.decide(state, watch, show(observation, state, null)),
  });
}

/** A decider that is told that something else stands in the journal. */
function standing(change: (state: RolloutState) => RolloutState) {
  return (real: Decider): Decider => ({
    ...real,
    decide: (state, watch, observation) => real.decide(change(state), watch, observation),
  });
}

function watching(change: (watch: Watch) => Watch) {
  return (real: Decider): Decider => ({
    ...real,
    watch: (before, state, observation) => change(real.watch(before, state, observation)),
  });
}

/** What could not be read is taken to be as it was last, and in good health. */
function rememberingHealthy(real: Decider): Decider {
  const memory = new WeakMap<Watch, Observation>();
  const complete = (observation: Observation, last: Observation | undefined): Observation => {
    if (last === undefined) return observation;
    const backends: Record<string, Timed<BackendReading>> = {};
    for (const [id, timed] of Object.entries(observation.backends)) {
      const older = last.backends[id]?.reading;
      backends[id] =
        timed.reading.known || !older?.known ? timed : { atMs: timed.atMs, reading: known(allUp(older.value)) };
    }
    return {
      ...observation,
      backends,
      origin: completeGroup(observation.origin, last.origin),
      destination: completeGroup(observation.destination, last.destination),
      marker: observation.marker.known ? observation.marker : known(null),
    };
  };
  let lastShown: Observation | undefined;
  return {
    ...real,
    watch: (before, state, observation) => {
      const shown = complete(observation, memory.get(before));
      const next = real.watch(before, state, shown);
      memory.set(next, shown);
      lastShown = shown;
      return next;
    },
    decide: (state, watch, observation) =>
      real.decide(state, watch, complete(observation, memory.get(watch) ?? lastShown)),
  };
}

function completeGroup(timed: Timed<GroupReading>, last: Timed<GroupReading>): Timed<GroupReading> {
  const { reading } = timed;
  if (reading.known && reading.value.build.known) return timed;
  if (!last.reading.known) return timed;
  if (reading.known) return { ...timed, reading: known({ ...reading.value, build: last.reading.value.build }) };
  const instances = last.reading.value.instances.map((instance) => ({ ...instance, state: 'healthy' as const }));
  return { ...timed, reading: known({ ...last.reading.value, instances }) };
}

function allUp(reading: BackendReading): BackendReading {
  return { ...reading, servers: reading.servers.map((server) => ({ ...server, health: 'up' })) };
}

function mapServers(observation: Observation, change: (server: ServerReading) => ServerReading): Observation {
  const backends: Record<string, Timed<BackendReading>> = {};
  for (const [id, timed] of Object.entries(observation.backends)) {
    const { atMs, reading } = timed;
    backends[id] = reading.known
      ? { atMs, reading: known({ ...reading.value, servers: reading.value.servers.map(change) }) }
      : timed;
  }
  return { ...observation, backends };
}

function withoutFailures(server: ServerReading): ServerReading {
  const { attempts, scur } = server.counters;
  return { ...server, counters: { ...server.counters, rsp2xx: attempts - scur, rsp5xx: 0, econ: 0, eresp: 0 } };
}

function destinationUp(observation: Observation, state: RolloutState): Observation {
  const plan = state.plan.backends[0];
  if (plan === undefined) return observation;
  return mapServers(observation, (server) =>
    sideOf(plan, server.name) === 'destination' && server.health === 'down' ? { ...server, health: 'up' } : server,
  );
}

/** Whatever fails a check at the destination is taken to have come up just now, and not to be through its first one. */
function stillStarting(observation: Observation): Observation {
  const { destination } = observation;
  const shown = mapServers(observation, (server) =>
    server.health === 'down' && server.configuredWeight === 0 ? { ...server, health: 'starting' } : server,
  );
  if (!destination.reading.known) return shown;
  const instances = destination.reading.value.instances.map((one) =>
    one.state === 'unhealthy' ? { ...one, state: 'starting' as const } : one,
  );
  return { ...shown, destination: { ...destination, reading: known({ ...destination.reading.value, instances }) } };
}

/** The balancers are taken to be as the journal wants them. */
function asTargeted(observation: Observation, state: RolloutState): Observation {
  const backends: Record<string, Timed<BackendReading>> = {};
  for (const [id, timed] of Object.entries(observation.backends)) {
    const { atMs, reading } = timed;
    const targets = state.intended?.target.traffic[id] ?? {};
    const age = observation.nowMs - (state.intended?.atMs ?? 0);
    // Long enough for one attempt at writing; after that it is believed.
    if (!reading.known || age < 3000) backends[id] = timed;
    else {
      const servers = reading.value.servers.map((server) => {
        const target = targets[server.name];
        return target === undefined
          ? server
          : { ...server, weight: target.weight, admin: target.admin ?? server.admin };
      });
      backends[id] = { atMs, reading: known({ ...reading.value, servers }) };
    }
  }
  return { ...observation, backends };
}

/** Nor by the requests that still reach the origin. */
function notReadBack(real: Decider): Decider {
  const blind = seeing((observation, state) => (isWhole(state) ? asTargeted(observation, state) : observation))(real);
  return {
    ...blind,
    decide: (state, watch, observation) =>
      blind.decide(state, isWhole(state) ? { ...watch, share: null } : watch, observation),
  };
}

function isWhole({ stage, plan }: RolloutState): boolean {
  return stage.kind === 'finishing' || (stage.kind === 'judging' && stage.step > plan.steps.length);
}

function sameBuilds(observation: Observation, state: RolloutState): Observation {
  const withBuild = (timed: Timed<GroupReading>, build: string): Timed<GroupReading> =>
    timed.reading.known ? { ...timed, reading: known({ ...timed.reading.value, build: known(build) }) } : timed;
  return {
    ...observation,
    origin: withBuild(observation.origin, state.builds.origin),
    destination: withBuild(observation.destination, state.builds.destination),
  };
}

function allIdle(watch: Watch): Watch {
  return changingBackends(watch, () => ({ idleReadings: 99, destinationInFlight: 0 }));
}

function withoutWeights(watch: Watch): Watch {
  return changingBackends(watch, () => ({ weights: {} }));
}

function neverLowered(watch: Watch): Watch {
  return changingBackends(watch, () => ({ lower: 0 }));
}

/** One instance is taken to carry all that the origin ever carried. */
function guessedCapacity(watch: Watch): Watch {
  const { originRpsPerInstanceMax: most, originAble } = watch;
  const instances = Math.max(1, ...originAble.map((one) => one.count));
  return most === null ? watch : { ...watch, originRpsPerInstanceMax: most * instances };
}

function withoutReserve(plan: RolloutState['plan']): RolloutState['plan'] {
  return { ...plan, policy: { ...plan.policy, reserve: -0.9 } };
}

function nothingPutAside(state: RolloutState): RolloutState {
  const backends = Object.fromEntries(
    Object.entries(state.asFound.backends).map(([id, servers]) => [
      id,
      Object.fromEntries(Object.entries(servers).map(([name, found]) => [name, { ...found, admin: 'ready' as const }])),
    ]),
  );
  return { ...state, asFound: { ...state.asFound, backends } };
}

function grownFromTheStart(state: RolloutState): RolloutState {
  const { origin } = state.asFound;
  if (origin === null) return state;
  const min = Math.max(origin.min, state.intended?.target.origin?.min ?? 0);
  return { ...state, asFound: { ...state.asFound, origin: { ...origin, min } } };
}

/** Takes the first way back for a bad dream: what stood before is to be reached again. */
function goesOnAfterBack(state: RolloutState): RolloutState {
  if (state.back === null || state.stage.kind !== 'cutting') return state;
  return { ...state, back: null, stage: { kind: 'growing', step: 1 }, stageSinceMs: state.stageSinceMs };
}
