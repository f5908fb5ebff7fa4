import type { BalancerConfig, GroupConfig } from '../../core/fleet/config.ts';
import type { Context } from '../context.ts';
import { foreignPorts, holderNamed } from '../foreign-ports.ts';
import { type Check, trouble, warning } from './diagnosis.ts';

/** `desired`: as many instances are wanted now. */
export function portChecks(
  context: Context,
  title: string,
  group: GroupConfig,
  desired: number,
  stateDirectory: string,
): Check[] {
  return foreignPorts(context, title, group, stateDirectory).map(({ index, what, remedy }) => {
    // Not needed at first: it keeps the group from growing that far.
    const level = index < Math.max(1, desired) ? trouble : warning;
    return level(what, remedy);
  });
}

/** Of an embedded balancer that does not run: whether it could listen. */
export function listenChecks(context: Context, balancer: BalancerConfig, stateDirectory: string): Check[] {
  if (balancer.kind !== 'embedded') return [];
  const port = Number(balancer.listen.slice(balancer.listen.lastIndexOf(':') + 1));
  const holder = context.world.portHolder(port, stateDirectory);
  if (holder === null) return [];
  const what = `${balancer.listen}, where it is to listen, is in use by ${holderNamed(holder.pid)}`;
  return [trouble(what, 'free the port, or let it `listen` elsewhere in drover.yaml')];
}
