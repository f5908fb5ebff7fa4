import { overridePolicy } from '../policy.ts';
import type { PolicyFields } from '../policy-grammar.ts';
import { percent } from '../quantities.ts';
import { type Field, valueIn } from '../shape.ts';
import { type Checking, servicesOf } from './checking.ts';
import { checkStepsFit, checkStepsRise, readSteps } from './steps.ts';

/** Values of the policy that exclude each other, for the file and for each service with its own keys. */
export function checkPolicies(checking: Checking): void {
  const common = valueIn(checking.file.rollout);
  if (common === undefined) return;
  checkPolicy(checking, common);
  for (const { name, fields } of servicesOf(checking.file)) {
    const policy = overridePolicy(common, valueIn(fields.rollout));
    checkPolicy(checking, policy);
    checkStepsFit(checking, name, fields, policy);
  }
  checkObjectives(checking, common);
}

function checkPolicy(checking: Checking, policy: PolicyFields): void {
  checkRatios(checking, policy);
  const steps = readSteps(policy);
  checkStepsRise(checking, steps);
  const controlShare = valueIn(policy['control-share']);
  if (controlShare !== undefined) checkControlShare(checking, steps, controlShare);
}

function checkRatios(checking: Checking, policy: PolicyFields): void {
  const judge = valueIn(policy.judge);
  if (judge === undefined) return;
  const [tolerate, bad] = [valueIn(judge.tolerate), valueIn(judge.bad)];
  if (tolerate === undefined || bad === undefined || tolerate < bad) return;
  const written: Field<number> = judge.bad.state === 'given' ? judge.bad : judge.tolerate;
  checking.problem({
    ...written.at,
    message: 'rollout.judge: what is tolerated cannot be bad at the same time',
    expected: '"tolerate" below "bad"',
    found: `tolerate ${tolerate}, bad ${bad}`,
  });
}

function checkControlShare(checking: Checking, steps: ReturnType<typeof readSteps>, controlShare: number): void {
  const shareMax = 1 - controlShare;
  for (const step of steps) {
    if (step.share === undefined || step.share <= shareMax + 1e-9) continue;
    const whole =
      step.share === 1 ? '100% comes by itself once the last judged step is promoted: remove this step' : null;
    checking.problem({
      ...step.shareAt,
      message: 'rollout.steps: a judged step has to leave the control share at the origin, or nothing can be compared',
      expected: `at most ${percent(shareMax)} (control-share is ${percent(controlShare)})`,
      found: percent(step.share),
      suggestion: whole ?? `write ${percent(shareMax)}, or lower control-share`,
    });
  }
}

/** Without an objective a service that never fails could never be promoted. */
function checkObjectives(checking: Checking, common: PolicyFields): void {
  const waves = valueIn(checking.file.waves) ?? [];
  const moving = new Set(waves.flatMap(({ value }) => (valueIn(value.services) ?? []).map((item) => item.value)));
  const allMove = checking.file.waves.state === 'missing' && common.steps.state === 'given';
  for (const { name, at, fields } of servicesOf(checking.file)) {
    if (fields.objective.state !== 'missing') continue;
    const own = valueIn(fields.rollout);
    const moves = allMove || moving.has(name) || (own !== undefined && own.steps.state === 'given');
    const message = `services.${name}.objective is missing`;
    const suggestion = 'for example objective: { failures: 1% }; `drover observe` shows the rate of today';
    if (moves) {
      const expected =
        'the failure rate that its users accept, since it is to be rolled out: without one a perfect service could never be promoted';
      checking.problem({ ...at, message, expected, found: 'nothing', suggestion });
    } else checking.warn({ ...at, message: `${message}: it can be observed, but not rolled out`, suggestion });
  }
}
