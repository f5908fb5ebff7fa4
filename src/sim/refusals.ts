import { PortError } from '../engine/ports.ts';
import type { Balancer } from './world/balancer.ts';
import type { Fleet } from './world/fleet.ts';

/** What the real ones refuse before they change anything, the simulated ones refuse too: test/contract/ holds both to it. */
export function expectServers(balancer: Balancer, names: readonly string[]): void {
  const missing = names.find((name) => !balancer.server(name)?.present);
  if (missing === undefined) return;
  throw new PortError('not-found', `${balancer.id} has no server ${missing}`, { retriable: false });
}

export function refuseWeights(balancer: Balancer, weights: Readonly<Record<string, number>>): void {
  for (const [name, weight] of Object.entries(weights)) {
    if (Number.isInteger(weight) && weight >= 0 && weight <= 256) continue;
    const message = `weight ${weight} for ${name} at ${balancer.id} is not a whole number from 0 to 256`;
    throw new PortError('refused', message, { retriable: false });
  }
}

export function refuseSize(fleet: Fleet, size: { readonly min?: number; readonly desired?: number }): void {
  if (!fleet.resizable) {
    const message = `the ${fleet.side} has no provider: its size is not to be changed from here`;
    throw new PortError('refused', message, { retriable: false });
  }
  for (const value of [size.min, size.desired]) {
    if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= fleet.size.max)) continue;
    const message = `${value} is no size for the ${fleet.side}: it has to be a whole number from 0 to ${fleet.size.max}`;
    throw new PortError('refused', message, { retriable: false });
  }
}
