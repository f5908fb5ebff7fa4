import { HaproxyBackend } from '../../../src/io/balancer/haproxy/backend.ts';
import type { Site, World } from './site.ts';

/** Weights that somebody sets at the first balancer, behind Drover's back. */
export async function writeWeights(site: Site, weights: Readonly<Record<string, number>>): Promise<void> {
  const socket = site.haproxies[0]?.socket ?? '';
  const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
  await backend.setWeights(weights, AbortSignal.timeout(20_000));
}

/** Makes the servers as they were at some time, and ready, behind Drover's back: as if nobody had taken anything back yet. */
export async function writeByHand(site: Site, world: World): Promise<void> {
  const socket = site.haproxies[0]?.socket ?? '';
  const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
  const signal = AbortSignal.timeout(20_000);
  const servers = Object.entries(world);
  await writeWeights(site, Object.fromEntries(servers.map(([name, { weight }]) => [name, weight])));
  await backend.setStates(Object.fromEntries(servers.map(([name]) => [name, 'ready' as const])), signal);
}
