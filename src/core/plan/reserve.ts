import { instancesFor } from '../rollout/capacity.ts';
import type { Observation } from '../rollout/observation.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import { holdingEverywhere, isAble } from '../rollout/servers.ts';

/**
 * Why nothing would go forward at the present load, because the way back could not carry it (ROLLOUT.md §4), with what helps;
 * null: nothing is known that speaks against it. `loadRps` null: the load is not known.
 */
export function reserveInTheWay(plan: RolloutPlan, observation: Observation, loadRps: number | null): string | null {
  const instanceRps = plan.origin.capacityRps;
  const group = observation.origin.reading;
  const size = group.known ? group.value.size : null;
  if (instanceRps === null) return size === null ? undeclared : null;
  if (loadRps === null) return null;
  const able = ableAtOrigin(plan, observation);
  const most = size?.max ?? able;
  const need = instancesFor(loadRps, instanceRps, plan.policy.reserve);
  if (most === null || need <= most) return null;
  const reserve = Math.round(plan.policy.reserve * 100);
  const have = size === null ? `${most} can carry` : `its maximum is ${most}`;
  return `the reserve cannot be met: ${Math.round(loadRps)} requests/s plus ${reserve} % need ${need} origin instances of ${instanceRps} requests/s, and ${have}. \`drover apply\` would wait ${plan.policy.capacityMsMax / 1000} s for it and give up; add origin instances, or declare a higher \`capacity\` where one carries more`;
}

const undeclared =
  'no `capacity` is declared for the origin, which nobody can grow: the reserve then shows only while the load is well below the highest one seen, and until then nothing goes forward; declare it';

/** Origin servers that can carry in every backend that has them; null: not every backend can be read. */
function ableAtOrigin(plan: RolloutPlan, observation: Observation): number | null {
  const able = holdingEverywhere(
    plan.backends,
    observation.backends,
    'origin',
    (server) => server.admin === 'ready' && isAble(server, observation.origin.reading),
  );
  return able.known ? able.value.length : null;
}
