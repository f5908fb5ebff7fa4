import type { Decision } from '../../core/rollout/decision.ts';
import type { Intended, RolloutEvent } from '../../core/rollout/events.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Decider, Mutation } from '../engine.ts';

/** Products that do not know how to go back to an origin that cannot carry everything. */
export const partialBack: readonly Mutation[] = [
  {
    name: 'everything back, whatever the origin carries',
    seenIn: 3315,
    shownBy: ['origin-short', 'instance-dies', 'scale-in-by-others', 'partial-capacity'],
    caughtBy: ['the way back spares the origin'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) => {
        const decision = real.decide(state, watch, observation);
        return isGoingBack(state, decision) ? real.decide(carryingAnything(state), watch, observation) : decision;
      },
    }),
  },
  {
    name: 'a way back in parts that leaves a backend without anybody',
    seenIn: 733,
    shownBy: [],
    caughtBy: ['the way back leaves no gap'],
    decider: (real) => ({
      ...real,
      decide: (state, watch, observation) => oneBackendFirst(real.decide(state, watch, observation), state),
    }),
  },
  {
    name: 'the origin not grown on the way back',
    seenIn: 1769,
    shownBy: ['origin-short'],
    caughtBy: ['the way back makes room'],
    decider: (real) =>
      changing(real, (event, state) => {
        const origin = state.intended?.target.origin ?? null;
        const grown = { ...event, target: { ...event.target, origin } };
        return isSame(grown, state) ? null : grown;
      }),
  },
  {
    name: 'a part of the way back taken for all of it',
    seenIn: 1155,
    shownBy: ['origin-short', 'instance-dies', 'scale-in-by-others', 'partial-capacity'],
    caughtBy: ['the way back goes on'],
    decider: (real) =>
      changing(
        real,
        (event, state) => {
          const traffic = state.intended?.target.traffic ?? {};
          const kept = { ...event, target: { ...event.target, traffic } };
          return isSame(kept, state) ? null : kept;
        },
        ['intended'],
      ),
  },
];

function isGoingBack(state: RolloutState, { events }: Decision): boolean {
  return state.stage.kind === 'cutting' || events.some(({ kind }) => kind === 'back-performed');
}

/** The first part is one backend where the origin waits at weight 0; its weights come, as those of any part, by the entry after it. */
function oneBackendFirst(decision: Decision, { intended }: RolloutState): Decision {
  const before = intended?.target.traffic ?? {};
  const isOrigin = (id: string, name: string) => before[id]?.[name]?.admin === null;
  const first = Object.keys(before).find((id) =>
    Object.entries(before[id] ?? {}).every(([name, { weight }]) => !isOrigin(id, name) || weight === 0),
  );
  if (first === undefined) return decision;
  const kept = <T>(of: Readonly<Record<string, T>>) => Object.entries(of).filter(([name]) => !isOrigin(first, name));
  const events = decision.events.map((event): RolloutEvent => {
    if (event.kind !== 'back-performed') return event;
    const taken = Object.fromEntries(kept(event.target.traffic[first] ?? {}));
    return { ...event, target: { ...event.target, traffic: { ...before, [first]: { ...before[first], ...taken } } } };
  });
  const back = decision.back
    .filter(({ backend }) => backend === first)
    .map((effect) => ({ ...effect, weights: Object.fromEntries(kept(effect.weights)) }));
  return { ...decision, events, back };
}

function carryingAnything(state: RolloutState): RolloutState {
  const origin = { ...state.plan.origin, capacityRps: Number.MAX_SAFE_INTEGER };
  return { ...state, plan: { ...state.plan, origin } };
}

type Targeting = Extract<RolloutEvent, { readonly kind: 'intended' | 'back-performed' }>;

/** A decider whose targets on the way back, until nothing is left at the destination, are others; null: it sets none. */
function changing(
  real: Decider,
  change: (event: Targeting, state: RolloutState) => Targeting | null,
  kinds: readonly RolloutEvent['kind'][] = ['intended', 'back-performed'],
): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      const isOver = decision.events.some(({ kind }) => kind === 'drained');
      if (!isGoingBack(state, decision) || isOver) return decision;
      const events = decision.events.flatMap((event): RolloutEvent[] => {
        if (!kinds.includes(event.kind) || (event.kind !== 'intended' && event.kind !== 'back-performed'))
          return [event];
        const changed = change(event, state);
        return changed === null ? [] : [changed];
      });
      return { ...decision, events };
    },
  };
}

function isSame(event: Targeting, { intended }: RolloutState): boolean {
  const asText = (target: Intended['target'] | undefined) => JSON.stringify(target);
  return event.kind === 'intended' && asText(event.target) === asText(intended?.target);
}
