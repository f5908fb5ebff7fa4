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
  checkPolicy(checking, common, () => 'rollout');
  for (const { name, fields } of servicesOf(checking.file)) {
    const own = valueIn(fields.rollout);
    const policy = overridePolicy(common, own);
    const section: SectionOf = (field) => (isOf(own, field) ? `services.${name}.rollout` : 'rollout');
    checkPolicy(checking, policy, section);
    checkStepsFit(checking, `${section(policy.steps)}.steps`, name, fields, policy);
  }
  checkObjectives(checking, common);
}

/** The section of the file in which the value of a policy is written. */
type SectionOf = (field: Field<unknown>) => string;

/** A service's policy takes over its own fields as they are. */
function isOf(own: PolicyFields | undefined, field: Field<unknown>): boolean {
  if (own === undefined) return false;
  const judge = valueIn(own.judge);
  return [own.steps, judge?.bad, judge?.tolerate].some((one) => one === field);
}

function checkPolicy(checking: Checking, policy: PolicyFields, section: SectionOf): void {
  checkRatios(checking, policy, section);
  const steps = readSteps(policy);
  const path = `${section(policy.steps)}.steps`;
  checkStepsRise(checking, path, steps);
  const controlShare = valueIn(policy['control-share']);
  if (controlShare !== undefined) checkControlShare(checking, path, steps, controlShare);
}

function checkRatios(checking: Checking, policy: PolicyFields, section: SectionOf): void {
  const judge = valueIn(policy.judge);
  if (judge === undefined) return;
  const [tolerate, bad] = [valueIn(judge.tolerate), valueIn(judge.bad)];
  if (tolerate === undefined || bad === undefined || tolerate < bad) return;
  const written: Field<number> = judge.bad.state === 'given' ? judge.bad : judge.tolerate;
  checking.problem({
    ...written.at,
    message: `${section(written)}.judge: what is tolerated cannot be bad at the same time`,
    expected: '"tolerate" below "bad"',
    found: `tolerate ${tolerate}, bad ${bad}`,
  });
}

function checkControlShare(
  checking: Checking,
  path: string,
  steps: ReturnType<typeof readSteps>,
  controlShare: number,
): void {
  const shareMax = 1 - controlShare;
  for (const step of steps) {
    if (step.share === undefined || step.share <= shareMax + 1e-9) continue;
    const whole =
      step.share === 1 ? '100% comes by itself once the last judged step is promoted: remove this step' : null;
    checking.problem({
      ...step.shareAt,
      message: `${path}: a judged step has to leave the control share at the origin, or nothing can be compared`,
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
