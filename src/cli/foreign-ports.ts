import type { GroupConfig } from '../core/fleet/config.ts';
import type { Context } from './context.ts';

/** A port of a local group that somebody else serves: an instance is never started on one. `index` counts from 0. */
export type ForeignPort = { readonly index: number; readonly what: string; readonly remedy: string };

/** By the machine's own tables; whether it answers health checks is not asked. */
export function foreignPorts(
  context: Context,
  title: string,
  { local, size }: GroupConfig,
  stateDirectory: string,
): ForeignPort[] {
  if (local === null || size === null) return [];
  const first = local.firstPort;
  return Array.from({ length: size.max }, (_, index) => index).flatMap((index) => {
    const holder = context.world.portHolder(first + index, stateDirectory);
    if (holder === null || holder.isOwn) return [];
    return [
      {
        index,
        what: `${title}: port ${first + index} of instance ${index + 1} is in use by ${holderNamed(holder.pid)}`,
        remedy: 'free the port, or give the group other `ports` in drover.yaml',
      },
    ];
  });
}

export function holderNamed(pid: number | null): string {
  return pid === null ? 'a process of another user' : `process ${pid}, which Drover did not start`;
}
