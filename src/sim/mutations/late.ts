import type { BackCause } from '../../core/rollout/events.ts';
import type { Observation, OperatorRequest } from '../../core/rollout/observation.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Watch } from '../../core/rollout/watch.ts';
import type { Decider, Mutation } from '../engine.ts';

/** Products that go back late, or for one reason never. */
export const backLate: readonly Mutation[] = [
  {
    name: 'a plain way back waits 20 s',
    seenIn: 202,
    shownBy: ['back'],
    caughtBy: ['the way back comes at once'],
    decider: (real) => hesitating(real, 'asked'),
  },
  {
    name: 'the way back of a tripwire waits 20 s',
    seenIn: 1394,
    shownBy: ['instance-dies', 'hung-requests'],
    caughtBy: ['crash loops are answered', 'hung requests are answered'],
    decider: (real) => hesitating(real, 'tripwire'),
  },
  {
    name: 'the way back of the judge waits 20 s',
    seenIn: 3047,
    shownBy: [],
    caughtBy: ['a bad build is left'],
    decider: (real) => hesitating(real, 'judge'),
  },
  {
    name: 'crash loops not looked at',
    seenIn: 1394,
    shownBy: ['instance-dies'],
    caughtBy: ['crash loops are answered'],
    decider: (real) => ({
      ...real,
      watch: (before, state, observation) => real.watch(before, state, stayingUp(observation)),
      decide: (state, watch, observation) => real.decide(state, watch, stayingUp(observation)),
    }),
  },
  {
    name: 'crash loops looked at under traffic only',
    seenIn: 873,
    shownBy: ['instance-crash-loops'],
    caughtBy: ['crash loops are answered'],
    decider: (real) => ({
      ...real,
      watch: (before, state, observation) => ({ ...real.watch(before, state, observation), loopingSinceMs: null }),
    }),
  },
  {
    name: 'hung requests not looked at',
    seenIn: 958,
    shownBy: ['hung-requests'],
    caughtBy: ['hung requests are answered'],
    decider: (real) => ({
      ...real,
      watch: (before, state, observation) => withoutPast(real.watch(before, state, observation)),
    }),
  },
];

const hesitationMs = 20_000;

/** Has decided to go back, and thinks about it for a while. What `--all` asks for is done at once. */
function hesitating(real: Decider, kind: BackCause['kind']): Decider {
  let asked: OperatorRequest[] = [];
  let sinceMs: number | null = null;
  return {
    ...real,
    decide: (state: RolloutState, watch: Watch, observation: Observation) => {
      // Kept here, because who decides nothing is taken to have heard.
      asked = state.back === null ? [...asked, ...observation.requests.filter((one) => one.kind === 'back')] : [];
      const others = observation.requests.filter((one) => one.kind !== 'back');
      const decision = real.decide(state, watch, { ...observation, requests: [...others, ...asked] });
      const performed = decision.events.find((event) => event.kind === 'back-performed');
      if (performed?.kind !== 'back-performed' || performed.cause.kind !== kind || performed.all) return decision;
      sinceMs ??= observation.nowMs;
      const wakeAtMs = sinceMs + hesitationMs;
      if (observation.nowMs >= wakeAtMs) return decision;
      return { events: [], effects: [], back: [], wakeAtMs, ended: false };
    },
  };
}

/** No instance of the destination has ever ended by itself. */
function stayingUp(observation: Observation): Observation {
  const { atMs, reading } = observation.destination;
  if (!reading.known) return observation;
  const instances = reading.value.instances.map((one) => ({
    ...one,
    restarts: 0,
    state: one.state === 'crash-looping' ? ('starting' as const) : one.state,
  }));
  return { ...observation, destination: { atMs, reading: { ...reading, value: { ...reading.value, instances } } } };
}

/** Remembers no earlier reading, so that no request can be known to be old. */
function withoutPast(watch: Watch): Watch {
  const counting = Object.entries(watch.counting).map(([id, row]) => {
    const servers = Object.entries(row.servers).map(([name, server]) => [name, { ...server, past: [] }] as const);
    return [id, { ...row, servers: Object.fromEntries(servers) }] as const;
  });
  return { ...watch, counting: Object.fromEntries(counting) };
}
