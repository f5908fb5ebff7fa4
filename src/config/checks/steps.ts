import type { ServiceFields } from '../grammar.ts';
import type { PolicyFields } from '../policy-grammar.ts';
import type { Position } from '../problem.ts';
import { percent, type Size } from '../quantities.ts';
import { valueIn } from '../shape.ts';
import type { Checking } from './checking.ts';

/** A step as far as it could be read. `share` only of weight steps; `instances` where they are written. */
export type StepReading = {
  readonly kind: 'capacity' | 'weight';
  readonly share: number | undefined;
  readonly shareAt: Position;
  readonly instances: number | undefined;
  readonly instancesAt: Position;
};

export function readSteps(policy: PolicyFields): StepReading[] {
  return (valueIn(policy.steps) ?? []).map(({ value: step }) => {
    const kind = step.capacity.state === 'missing' ? 'weight' : 'capacity';
    const instances = kind === 'capacity' ? step.capacity : step.instances;
    return {
      kind,
      share: valueIn(step.weight),
      shareAt: step.weight.at,
      instances: valueIn(instances),
      instancesAt: instances.at,
    };
  });
}

/** Confidence grows from step to step: neither the share nor the size of the destination goes down, and something rises. */
export function checkStepsRise(checking: Checking, path: string, steps: readonly StepReading[]): void {
  let instances: number | undefined;
  let share: number | undefined;
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    if (step.instances !== undefined && instances !== undefined && step.instances < instances) {
      reportFall(
        checking,
        path,
        step.instancesAt,
        'the destination would shrink',
        `at least ${instances} instances`,
        `${step.instances}`,
      );
    } else if (
      before?.kind === 'capacity' &&
      step.kind === 'capacity' &&
      step.instances !== undefined &&
      step.instances === before.instances
    ) {
      reportFall(
        checking,
        path,
        step.instancesAt,
        'the step is the same as the one before',
        `more than ${instances} instances`,
        `${step.instances}`,
      );
    }
    if (step.share !== undefined && share !== undefined && step.share < share) {
      reportFall(
        checking,
        path,
        step.shareAt,
        'the share would go down',
        `at least ${percent(share)}`,
        percent(step.share),
      );
    } else if (before?.share !== undefined && step.share === before.share && !growsFrom(before, step)) {
      reportFall(
        checking,
        path,
        step.shareAt,
        'the step is the same as the one before',
        `more than ${percent(step.share)}`,
        percent(step.share),
      );
    }
    instances = step.instances ?? instances;
    share = step.share ?? share;
  }
}

function growsFrom(before: StepReading, step: StepReading): boolean {
  return step.instances !== undefined && before.instances !== undefined && step.instances > before.instances;
}

function reportFall(
  checking: Checking,
  path: string,
  at: Position,
  what: string,
  expected: string,
  found: string,
): void {
  checking.problem({ ...at, message: `${path}: ${what}`, expected, found });
}

/** The steps against the sizes of one service's groups. */
export function checkStepsFit(
  checking: Checking,
  path: string,
  service: string,
  fields: ServiceFields,
  policy: PolicyFields,
): void {
  const [origin, destination] = [valueIn(fields.origin), valueIn(fields.destination)];
  const destinationSize = destination === undefined ? undefined : valueIn(destination.size);
  const originSize = origin === undefined ? undefined : valueIn(origin.size);
  const steps = readSteps(policy);
  if (destination !== undefined && destinationSize !== undefined) {
    for (const step of steps) {
      if (step.instances === undefined || step.instances <= destinationSize.max) continue;
      checking.problem({
        ...step.instancesAt,
        message: `${path}: the destination of ${service} cannot become this large`,
        expected: `at most ${destinationSize.max} instances (its size on line ${destination.size.at.line})`,
        found: `${step.instances}`,
      });
    }
  }
  if (originSize !== undefined) checkMixedSteps(checking, path, service, steps, originSize);
}

/**
 * A capacity step's share lies between instances / (instances + largest origin) and the same with the smallest origin. Only
 * what goes down for certain is reported: the plan shows the range.
 */
function checkMixedSteps(
  checking: Checking,
  path: string,
  service: string,
  steps: readonly StepReading[],
  origin: Size,
): void {
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    if (before === undefined || before.kind === step.kind) continue;
    const capacity = step.kind === 'capacity' ? step : before;
    const share = step.share ?? before.share;
    if (capacity.instances === undefined || share === undefined) continue;
    const least = capacity.instances / (capacity.instances + origin.max);
    const most = capacity.instances / (capacity.instances + origin.min);
    const falls = step.kind === 'capacity' ? most < share : share < least;
    if (!falls) continue;
    checking.problem({
      ...(step.kind === 'capacity' ? step.instancesAt : step.shareAt),
      message: `${path}: the share of ${service} would go down`,
      expected: step.kind === 'capacity' ? `instances for at least ${percent(share)}` : `at least ${rounded(least)}`,
      found: step.kind === 'capacity' ? `at most ${rounded(most)} by ${capacity.instances} instances` : percent(share),
    });
  }
}

function rounded(share: number): string {
  return percent(Math.round(share * 1_000) / 1_000);
}
