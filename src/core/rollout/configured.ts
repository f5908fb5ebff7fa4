import type { ServerReading } from '../observed/backend.ts';
import type { AsFound } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isOurs, serversOf } from './servers.ts';
import type { RolloutState } from './state.ts';

/** What a reload would do against a way back that was taken, at one backend. */
export type AgainstBack = {
  readonly backend: string;
  /** What the balancer's configuration says now. */
  readonly says: string;
  /** What it has to say, the origin's lines first: `edge/web: server old-1 … weight 100 (now weight 0)`. */
  readonly lines: readonly string[];
};

/**
 * Both sides are looked at: after a completion its lines may have been committed, and whoever only takes the destination's weights
 * away then leaves nobody with any.
 */
export function againstBack(
  state: Pick<RolloutState, 'plan' | 'asFound' | 'byHand'>,
  { backends }: Pick<Observation, 'backends'>,
): AgainstBack[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = backends[plan.id]?.reading;
    if (!reading?.known) return [];
    const given = serversOf(plan, reading.value, 'destination').filter(({ configuredWeight }) => configuredWeight > 0);
    const bare = bareOrigin(state, plan, serversOf(plan, reading.value, 'origin'));
    if (given.length + bare.length === 0) return [];
    const names = given.map(({ name, configuredWeight }) => `${name} (weight ${configuredWeight})`).join(', ');
    const none = bare.map(({ name }) => name).join(', ');
    const lines = [
      ...bare.map(({ name, weight }) => `${plan.id}: server ${name} … weight ${weight} (now weight 0)`),
      ...given.map(
        ({ name, configuredWeight }) => `${plan.id}: server ${name} … weight 0 (now weight ${configuredWeight})`,
      ),
    ];
    const says = [
      ...(given.length === 0 ? [] : [`traffic to ${names}`]),
      ...(bare.length === 0 ? [] : [`none to ${none}`]),
    ];
    return [{ backend: plan.id, says: `the balancer's configuration gives ${says.join(', and ')}`, lines }];
  });
}

/** By the journal alone: what the configuration had to say at the start, one line for each server of the two groups. */
export function configurationAsFound({ plan, asFound }: Pick<RolloutState, 'plan' | 'asFound'>): string[] {
  return plan.backends.flatMap(({ id }) =>
    Object.entries(asFound.backends[id] ?? {})
      .filter(([, { admin }]) => admin === 'ready')
      .map(([name, { weight, configured = weight }]) => `${id}: server ${name} … weight ${configured}`),
  );
}

/** Origin servers to which the configuration gave a weight when they were found, and gives none now. */
function bareOrigin(
  state: Pick<RolloutState, 'asFound' | 'byHand'>,
  { id }: BackendPlan,
  servers: readonly ServerReading[],
): readonly { readonly name: string; readonly weight: number }[] {
  const found: AsFound['backends'][string] = state.asFound.backends[id] ?? {};
  return servers.flatMap(({ name, configuredWeight }) => {
    const before = found[name];
    const weight = before?.configured ?? before?.weight ?? 0;
    return configuredWeight === 0 && weight > 0 && isOurs(state, id, name) ? [{ name, weight }] : [];
  });
}
