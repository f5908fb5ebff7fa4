import { HaproxyBackend } from '../../../src/io/balancer/haproxy/backend.ts';
import type { Site, World } from './site.ts';

/** Makes the servers as they were at some time, and ready, behind Drover's back: as if nobody had taken anything back yet. */
export async function writeByHand(site: Site, world: World): Promise<void> {
  const socket = site.haproxies[0]?.socket ?? '';
  const backend = new HaproxyBackend({ socket, backend: 'web', configFile: null });
  const signal = AbortSignal.timeout(20_000);
  const servers = Object.entries(world);
  await backend.setWeights(Object.fromEntries(servers.map(([name, { weight }]) => [name, weight])), signal);
  await backend.setStates(Object.fromEntries(servers.map(([name]) => [name, 'ready' as const])), signal);
}
