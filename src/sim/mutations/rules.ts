import type { ServerReading } from '../../core/observed/backend.ts';
import type { Observation } from '../../core/rollout/observation.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Watch } from '../../core/rollout/watch.ts';
import type { OperationPorts } from '../../engine/operation-ports.ts';
import type { Backend } from '../../engine/ports.ts';
import type { Decider, Mutation } from '../engine.ts';
import { changingBackends } from './backends.ts';

/** Products in which one rule of rollouts is left out that says nothing of the world at that moment. */
export const withoutARule: readonly Mutation[] = [
  {
    name: 'every attempt the first',
    seenIn: 45,
    shownBy: [],
    caughtBy: ['less β for every attempt'],
    decider: firstAttemptAlways,
  },
  {
    name: 'a drill of any length',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['no way on from a failed drill'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) => real.decide(withoutDrillBound(state), watch, observation),
    }),
    // Where it is shown: hardly any world has a drill that takes so long.
    ports: slowToAcknowledge,
  },
  {
    name: 'a failed drill ignored',
    seenIn: 18,
    shownBy: ['acknowledged-late'],
    caughtBy: ['no way on from a failed drill'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) => real.decide(drillPassed(state), watch, observation),
    }),
  },
  {
    name: 'idle at once',
    seenIn: 8,
    shownBy: [],
    caughtBy: ['drained is drained'],
    decider: (real) => ({
      ...real,
      watch: (before, state, observation) => idleAtOnce(real.watch(before, state, observation)),
    }),
  },
  {
    name: 'bake time ignored',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['no way on before the bake time'],
    decider: (real) => ({
      ...real,
      watch: (before, state, observation) => real.watch(before, withoutBake(state), observation),
      decide: (state, watch, observation) => real.decide(withoutBake(state), watch, observation),
    }),
  },
  {
    name: 'servers that came are nobody’s',
    seenIn: 389,
    shownBy: ['server-lines'],
    caughtBy: ['whole share after completion'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) => real.decide(state, watch, asItBegan(state, observation)),
    }),
  },
  {
    name: 'what is not reached yet taken for somebody’s doing',
    seenIn: 1,
    shownBy: [],
    caughtBy: ['nobody is blamed without a hand'],
    decider: (real) => ({
      ...real,
      watch: (before, state, observation) =>
        blamingWhatIsNotReached(before, real.watch(before, state, observation), state),
    }),
  },
  {
    name: 'the drill’s server its own for ever',
    seenIn: 506,
    shownBy: ['server-out'],
    caughtBy: ['what is taken out stays out'],
    decider: (real) => ({
      ...real,
      fold: (state, entry) => {
        const next = real.fold(state, entry);
        return { ...next, drilled: { ...state?.drilled, ...next.drilled } };
      },
    }),
  },
  {
    name: 'the marker not awaited',
    seenIn: 8,
    shownBy: [],
    caughtBy: ['the marker comes first'],
    ports: markerNotAwaited,
  },
  {
    name: 'the lease taken for granted',
    seenIn: 4,
    shownBy: ['second-controller'],
    caughtBy: ['no raise without the lease'],
    ports: leaseTakenForGranted,
  },
];

/** Counts no attempts: evidence to promote begins anew with all of β. */
function firstAttemptAlways(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      const events = decision.events.map((event) =>
        event.kind === 'stage-entered' && event.stage.kind === 'judging' ? { ...event, attempt: 1 } : event,
      );
      return { ...decision, events };
    },
  };
}

/** Without the server lines that were not there when it began. */
function asItBegan(state: RolloutState, observation: Observation): Observation {
  const backends = Object.fromEntries(
    Object.entries(observation.backends).map(([id, { atMs, reading }]) => {
      const found = state.asFound.backends[id] ?? {};
      const isOld = ({ name }: ServerReading) => found[name] !== undefined;
      const known = reading.known
        ? { ...reading, value: { ...reading.value, servers: reading.value.servers.filter(isOld) } }
        : reading;
      return [id, { atMs, reading: known }];
    }),
  );
  return { ...observation, backends };
}

/** Any drill is fast enough. */
function withoutDrillBound(state: RolloutState): RolloutState {
  const { policy } = state.plan;
  const drill = { ...policy.drill, boundMs: Number.POSITIVE_INFINITY };
  return { ...state, plan: { ...state.plan, policy: { ...policy, drill } } };
}

function drillPassed(state: RolloutState): RolloutState {
  return state.drill === null ? state : { ...state, drill: { ...state.drill, passed: true } };
}

/** Nobody has to have seen that no request comes any more. */
function idleAtOnce(watch: Watch): Watch {
  return changingBackends(watch, () => ({ idleReadings: 99 }));
}

/** Evidence is enough, however young it is. */
function withoutBake(state: RolloutState): RolloutState {
  const steps = state.plan.steps.map((step) => ({ ...step, bakeMs: 0 }));
  return { ...state, plan: { ...state.plan, steps, policy: { ...state.plan.policy, finalBakeMs: 0 } } };
}

/** States are taken at once, and acknowledged after longer than a drill may last. */
function slowToAcknowledge(ports: OperationPorts): OperationPorts {
  const backends = Object.entries(ports.backends).map(([id, backend]): [string, Backend] => [
    id,
    {
      ...backend,
      async setStates(states, signal) {
        await backend.setStates(states, signal);
        await ports.clock.sleep(1200, signal);
      },
    },
  ]);
  return { ...ports, backends: Object.fromEntries(backends) };
}

/** Says that the marker is written and goes on, while it is not. */
function markerNotAwaited(ports: OperationPorts): OperationPorts {
  const never = new AbortController().signal;
  const write: OperationPorts['marker']['write'] = (operation, who) => {
    ports.clock
      .sleep(500, never)
      .then(() => ports.marker.write(operation, who))
      .catch(() => undefined);
    return Promise.resolve();
  };
  return { ...ports, marker: { ...ports.marker, write } };
}

/** Asks for the lease and acts as if it were given. */
function leaseTakenForGranted(ports: OperationPorts): OperationPorts {
  const acquire: OperationPorts['leases']['acquire'] = async (operation, holder, nowMs, ttlMs) => {
    const lease = await ports.leases.acquire(operation, holder, nowMs, ttlMs);
    return lease.held ? lease : { held: true, fence: 1, expiresAtMs: nowMs + ttlMs };
  };
  return { ...ports, leases: { ...ports.leases, acquire } };
}

function blamingWhatIsNotReached(before: Watch, watch: Watch, state: RolloutState): Watch {
  return changingBackends(watch, (_seen, id) => {
    const isReached = state.intended === null || state.confirmed[id]?.intent === state.intended.seq;
    return isReached ? {} : { lower: (before.backends[id]?.lower ?? 0) + 1 };
  });
}
