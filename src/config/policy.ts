import type { PolicyConfig, Step } from '../core/fleet/config.ts';
import type { DrillFields, JudgeFields, PolicyFields, StepFields } from './policy-grammar.ts';
import { type Field, settled, valueIn } from './shape.ts';

/** The policy of one service: its own keys where it has them, those of the file otherwise, defaults last. */
export function overridePolicy(common: PolicyFields, own: PolicyFields | undefined): PolicyFields {
  if (own === undefined) return common;
  return {
    keyAt: own.keyAt,
    steps: override(common.steps, own.steps),
    judge: overrideInside(common.judge, own.judge, overrideJudge),
    'control-share': override(common['control-share'], own['control-share']),
    reserve: override(common.reserve, own.reserve),
    settle: override(common.settle, own.settle),
    grow: override(common.grow, own.grow),
    drain: override(common.drain, own.drain),
    attempt: override(common.attempt, own.attempt),
    drill: overrideInside(common.drill, own.drill, overrideDrill),
  };
}

function overrideJudge(common: JudgeFields, own: JudgeFields): JudgeFields {
  return {
    keyAt: own.keyAt,
    alpha: override(common.alpha, own.alpha),
    beta: override(common.beta, own.beta),
    tolerate: override(common.tolerate, own.tolerate),
    bad: override(common.bad, own.bad),
    dispersion: override(common.dispersion, own.dispersion),
  };
}

function overrideDrill(common: DrillFields, own: DrillFields): DrillFields {
  return {
    keyAt: own.keyAt,
    requests: override(common.requests, own.requests),
    time: override(common.time, own.time),
    bound: override(common.bound, own.bound),
  };
}

function override<T>(common: Field<T>, own: Field<T>): Field<T> {
  return own.state === 'given' || own.state === 'invalid' ? own : common;
}

function overrideInside<T>(common: Field<T>, own: Field<T>, merge: (common: T, own: T) => T): Field<T> {
  const [commonValue, ownValue] = [valueIn(common), valueIn(own)];
  if (own.state !== 'given' || commonValue === undefined || ownValue === undefined) return override(common, own);
  return { state: 'given', at: own.at, value: merge(commonValue, ownValue) };
}

/** Only for a policy without problems. */
export function policyConfig(fields: PolicyFields): PolicyConfig {
  const judge = settled(fields.judge);
  const drill = settled(fields.drill);
  return {
    steps: settled(fields.steps).map((step) => stepConfig(step.value)),
    judge: {
      alpha: settled(judge.alpha),
      beta: settled(judge.beta),
      tolerate: settled(judge.tolerate),
      bad: settled(judge.bad),
      dispersion: settled(judge.dispersion),
    },
    controlShare: settled(fields['control-share']),
    reserve: settled(fields.reserve),
    settleMsMax: settled(fields.settle),
    capacityMsMax: settled(fields.grow),
    drainMsMax: settled(fields.drain),
    drill: { requests: settled(drill.requests), ms: settled(drill.time), boundMs: settled(drill.bound) },
    attemptMsMax: settled(fields.attempt),
  };
}

function stepConfig(step: StepFields): Step {
  const bakeMs = settled(step.bake);
  const instances = valueIn(step.capacity);
  if (instances !== undefined) return { kind: 'capacity', instances, bakeMs };
  return { kind: 'weight', share: settled(step.weight), instances: valueIn(step.instances) ?? null, bakeMs };
}
