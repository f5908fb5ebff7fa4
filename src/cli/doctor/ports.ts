import type { BalancerConfig, GroupConfig } from '../../core/fleet/config.ts';
import type { Context } from '../context.ts';
import { type Check, trouble, warning } from './diagnosis.ts';

/** Ports of a local group that somebody else serves: an instance is never started on one. `desired`: as many are wanted now. */
export function portChecks(
  context: Context,
  title: string,
  { local, size }: GroupConfig,
  desired: number,
  stateDirectory: string,
): Check[] {
  if (local === null || size === null) return [];
  const first = local.firstPort;
  return Array.from({ length: size.max }, (_, index) => index).flatMap((index) => {
    const holder = context.world.portHolder(first + index, stateDirectory);
    if (holder === null || holder.isOwn) return [];
    // Not needed at first: it keeps the group from growing that far.
    const level = index < Math.max(1, desired) ? trouble : warning;
    const what = `${title}: port ${first + index} of instance ${index + 1} is in use by ${named(holder.pid)}`;
    return [level(what, `free the port, or give the group other \`ports\` in drover.yaml`)];
  });
}

/** Of an embedded balancer that does not run: whether it could listen. */
export function listenChecks(context: Context, balancer: BalancerConfig, stateDirectory: string): Check[] {
  if (balancer.kind !== 'embedded') return [];
  const port = Number(balancer.listen.slice(balancer.listen.lastIndexOf(':') + 1));
  const holder = context.world.portHolder(port, stateDirectory);
  if (holder === null) return [];
  const what = `${balancer.listen}, where it is to listen, is in use by ${named(holder.pid)}`;
  return [trouble(what, 'free the port, or let it `listen` elsewhere in drover.yaml')];
}

function named(pid: number | null): string {
  return pid === null ? 'a process of another user' : `process ${pid}, which Drover did not start`;
}
