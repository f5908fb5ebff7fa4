import type { GroupConfig, ServiceConfig, Step } from '../fleet/config.ts';
import type { BackendPlan, GroupPlan, RolloutPlan } from './plan.ts';

/** The balancer processes that carry one entry of a service's `traffic`, in its order. */
export type BackendsOfTraffic = readonly (readonly Pick<BackendPlan, 'id' | 'address'>[])[];

/** The rollout that a service's configuration asks for, with the backends that were opened for each entry of `traffic`. */
export function rolloutPlan(service: ServiceConfig, opened: BackendsOfTraffic): RolloutPlan {
  const { judge, reserve, settleMsMax, capacityMsMax, drainMsMax, drill, attemptMsMax } = service.rollout;
  const steps = judgedSteps(service);
  return {
    service: service.name,
    owner: service.owner,
    origin: groupPlan(service.origin),
    destination: groupPlan(service.destination),
    backends: backendPlans(service, opened),
    steps,
    objective: service.objective?.failureRate ?? null,
    policy: {
      judge,
      reserve,
      settleMsMax,
      capacityMsMax,
      drainMsMax,
      drill,
      attemptMsMax,
      // The whole share is watched as long as the last step that could still be compared.
      finalBakeMs: steps.at(-1)?.bakeMs ?? 0,
    },
  };
}

/** The configured steps; the last judged one always leaves the control share at the origin, because 100 % compares nothing. */
export function judgedSteps(service: Pick<ServiceConfig, 'rollout'>): readonly Step[] {
  const { steps, controlShare } = service.rollout;
  const last = steps.at(-1);
  const share = 1 - controlShare;
  if (last?.kind === 'weight' && last.share >= share - 1e-9) return steps;
  return [...steps, { kind: 'weight', share, instances: null, bakeMs: last?.bakeMs ?? 0 }];
}

function backendPlans(service: ServiceConfig, opened: BackendsOfTraffic): BackendPlan[] {
  return service.traffic.flatMap(({ origin, destination }, index) =>
    (opened[index] ?? []).map(({ id, address }) => ({
      ...{ id, origin, destination },
      ...(address === undefined ? {} : { address }),
    })),
  );
}

function groupPlan({ environment, size, capacityRps }: GroupConfig): GroupPlan {
  return { environment, size, capacityRps };
}
