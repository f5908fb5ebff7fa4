import type { Entry } from '../core/journal/entry.ts';
import type { Decision } from '../core/rollout/decision.ts';
import type { Observation } from '../core/rollout/observation.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import type { Watch } from '../core/rollout/watch.ts';
import type { OperationPorts } from '../engine/operation-ports.ts';
import type { CheckName } from './checks/violation.ts';
import type { FaultName, OperatorAct } from './faults.ts';

/** The part of the product that a mutation may replace: what `runOperation` takes as its decider. */
export type Decider = {
  decide(state: RolloutState, watch: Watch, observation: Observation): Decision;
  watch(before: Watch, state: RolloutState, observation: Observation): Watch;
  fold(state: RolloutState | null, entry: Entry): RolloutState;
};

/**
 * A fault of the product, planted to prove that a checker sees it. `decider` for what is decided, `ports` for what the engine
 * does with it; both leave the product's code alone.
 */
export type Mutation = {
  readonly name: string;
  /** Worlds without any of these faults cannot show it, and are passed over. Empty: every world may. */
  readonly shownBy: readonly (FaultName | OperatorAct)[];
  /** A seed that showed it when this was written: the first to be tried, before all others in order. */
  readonly seenIn: number;
  /** What has to find it: a violation of anything else is no catch. */
  readonly caughtBy: readonly CheckName[];
  readonly decider?: (real: Decider) => Decider;
  readonly ports?: (ports: OperationPorts) => OperationPorts;
};
