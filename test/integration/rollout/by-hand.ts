import type { AdminState } from '../../../src/core/observed/backend.ts';
import { HaproxyBackend } from '../../../src/io/balancer/haproxy/backend.ts';
import type { Site, World } from './site.ts';

/** Weights that somebody sets at the first balancer, behind Drover's back. */
export async function writeWeights(site: Site, weights: Readonly<Record<string, number>>): Promise<void> {
  await backendOf(site).setWeights(weights, AbortSignal.timeout(20_000));
}

/** States that somebody sets there. */
export async function writeStates(site: Site, states: Readonly<Record<string, AdminState>>): Promise<void> {
  await backendOf(site).setStates(states, AbortSignal.timeout(20_000));
}

/** Makes the servers as they were at some time, and ready, behind Drover's back: as if nobody had taken anything back yet. */
export async function writeByHand(site: Site, world: World): Promise<void> {
  const servers = Object.entries(world);
  await writeWeights(site, Object.fromEntries(servers.map(([name, { weight }]) => [name, weight])));
  await writeStates(site, Object.fromEntries(servers.map(([name]) => [name, 'ready' as const])));
}

function backendOf({ haproxies }: Site): HaproxyBackend {
  return new HaproxyBackend({ socket: haproxies[0]?.socket ?? '', backend: 'web', configFile: null });
}
