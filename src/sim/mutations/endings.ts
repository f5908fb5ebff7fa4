import { hasEnded, type RolloutState } from '../../core/rollout/state.ts';
import type { Decider } from '../engine.ts';

/** Has no word for one stage, as after a rule was taken out that something still leads to. */
export function wordless(stage: RolloutState['stage']['kind']) {
  return (real: Decider): Decider => ({
    ...real,
    decide: (state, watch, observation) => {
      if (state.stage.kind === stage) throw new TypeError(`no rule for ${stage}`);
      return real.decide(state, watch, observation);
    },
  });
}

/** Leaves as soon as the last request has left the destination, and forgets to write that it does. */
export function leavesWithoutAWord(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      return hasEnded(state) || state.stage.kind !== 'restoring' ? decision : { ...decision, events: [], ended: true };
    },
  };
}

/** Takes the last judged step for the whole share. */
export function completesOneStepEarly(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      const isWhole = decision.events.some(
        (event) =>
          event.kind === 'stage-entered' &&
          event.stage.kind === 'growing' &&
          event.stage.step > state.plan.steps.length,
      );
      if (!isWhole) return decision;
      return { ...decision, events: [{ kind: 'completed', share: 1, counted: watch.counted }] };
    },
  };
}

/** Goes back, and never finds that everything is as it was. */
export function neverBackForGood(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      const events = decision.events.filter((event) => event.kind !== 'rolled-back');
      return state.stage.kind === 'restoring' ? { ...decision, events, wakeAtMs: null } : decision;
    },
  };
}

/** Writes down again after every reading that a balancer is as it was written down before. */
export function neverSilent(real: Decider): Decider {
  return {
    ...real,
    decide: (state, watch, observation) => {
      const decision = real.decide(state, watch, observation);
      const [row] = Object.entries(state.confirmed);
      if (row === undefined || decision.events.length > 0 || state.back !== null || hasEnded(state)) return decision;
      const [backend, confirmed] = row;
      return { ...decision, events: [{ kind: 'confirmed', backend, ...confirmed }], wakeAtMs: observation.nowMs };
    },
  };
}
