import { backReason, decideBack, goBack } from './decide-back.ts';
import { decideFinished } from './decide-finished.ts';
import { decideForward } from './decide-forward.ts';
import type { Decision } from './decision.ts';
import { factsOf } from './facts.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';
import type { Watch } from './watch.ts';

/**
 * What to do now. Pure and total: everything it knows comes from the folded journal (`state`), from what this controller
 * has seen (`watch`) and from the newest observation. Effects follow from `state.intended`, which is journalled already;
 * only the way back is performed before it is journalled, because every step's intent authorises it in advance.
 */
export function decide(state: RolloutState, watch: Watch, observation: Observation): Decision {
  const facts = factsOf(state, watch, observation);
  const back = backReason(state, watch, observation, facts);
  if (back !== null) return goBack(state, watch, observation, facts, back);
  switch (state.stage.kind) {
    case 'cutting':
    case 'restoring':
      return decideBack(state, watch, observation, facts);
    case 'rolled-back':
    case 'completed':
      return decideFinished(state, observation);
    case 'preparing':
    case 'drill-shifting':
    case 'drill-back':
    case 'drill-restoring':
    case 'growing':
    case 'shifting':
    case 'judging':
    case 'finishing':
      return decideForward(state, watch, observation, facts);
    default:
      return unreachable(state.stage);
  }
}

function unreachable(stage: never): never {
  throw new Error(`no decision for stage ${JSON.stringify(stage)}`);
}
