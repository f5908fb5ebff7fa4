import { controllability } from '../fleet/controllability.ts';
import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { GroupReading } from '../observed/group.ts';
import type { AsFound, Builds, ServerFound } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan, RolloutPlan } from './plan.ts';
import { othersOf, type Side, serversOf, sideOf } from './servers.ts';
import { partsOf } from './taken-back.ts';

/** Why a rollout must not start, and what should be known before it does; each a sentence with its remedy. */
export type StartCheck = { readonly refusals: readonly string[]; readonly warnings: readonly string[] };

/**
 * What has to hold before a rollout may start: everything can be read, the destination waits at weight 0 in the world and in
 * the configuration (a reload would undo a roll back otherwise, unwatched), the share can be controlled and failures counted.
 */
export function checkStart(plan: RolloutPlan, observation: Observation): StartCheck {
  const refusals: string[] = [];
  const warnings: string[] = [];
  if (plan.objective === null) {
    refusals.push(
      `${plan.service} has no objective, and without one a service that never fails could never be promoted; set "objective: { failures: … }"`,
    );
  }
  for (const side of ['origin', 'destination'] as const) {
    const group = observation[side].reading;
    if (!group.known) refusals.push(`the ${side} cannot be read: ${group.why}`);
    // A group that has no instances yet has no build that could be seen: the destination's come with the steps, and those of an
    // origin whose size is ours with the controller, which waits for them.
    else if (!group.value.build.known && side === 'origin' && !isStartedByUs(group.value))
      refusals.push(`the build of the ${side} is unknown: ${group.value.build.why}`);
  }
  warnings.push(...mixed(observation));
  for (const backend of plan.backends) checkBackend(plan, backend, observation, refusals, warnings);
  return { refusals, warnings };
}

/** Builds that run beside each other are told as one, joined with ` + `. */
function mixed(observation: Observation): string[] {
  return (['origin', 'destination'] as const).flatMap((side) => {
    const group = observation[side].reading;
    const build = group.known && group.value.build.known ? group.value.build.value : '';
    const builds = partsOf(build).filter((one) => one !== '');
    if (builds.length < 2) return [];
    return [
      `the ${side} runs ${builds.join(' and ')} at once (${build}): evidence counts for such a mixture only, and begins anew when it changes; finish that deployment first`,
    ];
  });
}

function isStartedByUs({ size, instances }: GroupReading): boolean {
  return size !== null && instances.length === 0;
}

function checkBackend(
  plan: RolloutPlan,
  backend: BackendPlan,
  observation: Observation,
  refusals: string[],
  warnings: string[],
): void {
  const reading = observation.backends[backend.id]?.reading;
  if (!reading?.known) {
    refusals.push(`${backend.id} cannot be read: ${reading?.why ?? 'it was not asked'}`);
    return;
  }
  const { traits, servers } = reading.value;
  const ours = servers.filter((server) => sideOf(backend, server.name) !== null);
  for (const finding of controllability(traits, ours)) {
    const text = `${backend.id}: ${finding.what}. ${finding.why} ${finding.remedy}`;
    (finding.severity === 'refuse' ? refusals : warnings).push(text);
  }
  for (const side of ['origin', 'destination'] as const) {
    const group = serversOf(backend, reading.value, side);
    if (group.length === 0) {
      refusals.push(`${backend.id}: no server matches the ${side} "${backend[side]}"; it has ${namesOf(servers)}`);
    } else if (group.every(isPutAside)) {
      refusals.push(
        `${backend.id}: every server of the ${side} is put aside (${statesOf(group)}), and a rollout never touches such servers; "set server … state ready" wakes them`,
      );
    }
  }
  const origin = serversOf(backend, reading.value, 'origin').filter((server) => !isPutAside(server));
  if (origin.length > 0 && origin.every(({ weight }) => weight === 0)) {
    refusals.push(
      `${backend.id}: every server of the origin has weight 0 (${namesOf(origin)}): nothing is there to be moved, and nothing to go back to; give them their weights`,
    );
  }
  warnings.push(...leftOut(backend, servers));
  const destination = serversOf(backend, reading.value, 'destination');
  const weighted = configuredToCarry(backend, reading.value);
  if (weighted !== null) refusals.push(weighted);
  const loaded = destination.filter((server) => server.weight !== 0 && server.configuredWeight === 0);
  if (loaded.length > 0)
    refusals.push(
      `${backend.id}: traffic goes already to ${namesOf(loaded)} (weight is not 0); set the weight to 0 first`,
    );
  // A balancer checks nothing in maint, so that nothing follows from its silence there.
  const unseen = ours.filter((server) => server.health === 'unchecked' && !isPutAside(server));
  if (unseen.length > 0 && plan.destination.size === null) {
    refusals.push(
      `${backend.id}: ${namesOf(unseen)} have no health check, so nobody knows whether they can carry traffic; add "check" to their server lines`,
    );
  }
  const lasts = traits.attemptMsMax;
  if (lasts.known && lasts.value > plan.policy.attemptMsMax) {
    refusals.push(
      `${backend.id}: an attempt can last ${lasts.value / 1000} s (connect and server time-out), the policy says ${plan.policy.attemptMsMax / 1000} s; late failures would be judged at the wrong share`,
    );
  }
}

/** Destination servers to which the balancer's configuration gives traffic, and what that means; null: there are none. */
export function configuredToCarry(backend: BackendPlan, reading: BackendReading): string | null {
  const weighted = serversOf(backend, reading, 'destination').filter((server) => server.configuredWeight !== 0);
  if (weighted.length === 0) return null;
  const have = weighted.length === 1 ? 'has' : 'have';
  // As it is where a rollout has completed, its lines were committed, and it was taken back: a reload would leave nobody any weight.
  const bare = serversOf(backend, reading, 'origin').filter((one) => one.weight > 0 && one.configuredWeight === 0);
  const first = bare.map(({ name, weight }) => `"weight ${weight}" on the line of ${name}, `).join('');
  return `${backend.id}: ${namesOf(weighted)} ${have} a configured weight that is not 0: a reload would bring it back and undo a roll back, unwatched; write ${first}"weight 0" on ${bare.length === 0 ? 'their server lines' : `those of ${namesOf(weighted)}`} and reload`;
}

/** Servers that a rollout leaves alone, and what that means. */
function leftOut(backend: BackendPlan, servers: readonly ServerReading[]): string[] {
  const aside = servers.filter((server) => sideOf(backend, server.name) !== null && isPutAside(server));
  const others = othersOf(backend, servers);
  const texts: string[] = [];
  if (aside.length > 0) {
    texts.push(
      `${backend.id}: put aside by somebody: ${statesOf(aside)}. A rollout never touches such servers, and does not count on them; "set server … state ready" wakes them`,
    );
  }
  if (others.length > 0) {
    texts.push(
      `${backend.id}: servers of neither group: ${namesOf(others)}. They keep their weights and their traffic, which is not moved, not judged and in no share`,
    );
  }
  return texts;
}

function isPutAside({ admin }: ServerReading): boolean {
  return admin !== 'ready';
}

function statesOf(servers: readonly ServerReading[]): string {
  return listed(servers.map(({ name, admin }) => `${name} is in ${admin}`));
}

/** What stands before the first change: what the way back restores. */
export function asFoundOf(plan: RolloutPlan, observation: Observation): AsFound {
  const backends: Record<string, Record<string, ServerFound>> = {};
  for (const backend of plan.backends) {
    const reading = observation.backends[backend.id]?.reading;
    const found: Record<string, ServerFound> = {};
    if (reading?.known) {
      for (const server of reading.value.servers) {
        const side = sideOf(backend, server.name);
        if (side !== null) found[server.name] = serverFound(side, server, server.weight);
      }
    }
    backends[backend.id] = found;
  }
  const { origin, destination } = observation;
  return {
    backends,
    origin: origin.reading.known ? origin.reading.value.size : null,
    destination: destination.reading.known ? destination.reading.value.size : null,
  };
}

/** `weight`: the one that it goes back to. */
export function serverFound(side: Side, { admin, configuredWeight }: ServerReading, weight: number): ServerFound {
  return { side, weight, admin, ...(configuredWeight === weight ? {} : { configured: configuredWeight }) };
}

/** The builds at the start; the destination's may be unknown while it has no instances. */
export function buildsOf(observation: Observation): { readonly [Side in keyof Builds]: string | null } {
  const of = (side: 'origin' | 'destination') => {
    const group = observation[side].reading;
    return group.known && group.value.build.known ? group.value.build.value : null;
  };
  return { origin: of('origin'), destination: of('destination') };
}

function namesOf(servers: readonly { readonly name: string }[]): string {
  return listed(servers.map((server) => server.name));
}

function listed(items: readonly string[]): string {
  if (items.length === 0) return 'none';
  return items.length <= 6 ? items.join(', ') : `${items.slice(0, 5).join(', ')} and ${items.length - 5} more`;
}
