import type { GroupConfig, ServiceConfig } from '../core/fleet/config.ts';
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

/**
 * Instances of a service that run and do not listen where the configuration has them, a sentence each: they were started with other
 * `ports`, and whoever takes them over waits for ever. One that has only just started does not listen yet either.
 */
export async function movedPorts(
  context: Context,
  service: Pick<ServiceConfig, 'name' | 'origin' | 'destination'>,
  stateDirectory: string,
): Promise<{ readonly what: string; readonly remedy: string }[]> {
  const sides = (['origin', 'destination'] as const).filter((side) => service[side].local !== null);
  if (sides.length === 0) return [];
  const running = await context.world.startedHere(stateDirectory);
  return sides.flatMap((side) => {
    const group = `${service.name}.${side}`;
    const first = service[side].local?.firstPort ?? 0;
    return running.flatMap(({ kind, of, name, pid }) => {
      const number = Number(name.slice(group.length + 1));
      if (kind !== 'instance' || of !== group || !Number.isInteger(number)) return [];
      const port = first + number - 1;
      if (context.world.portHolder(port, stateDirectory)?.isOwn === true) return [];
      return [
        {
          what: `${name} (process ${pid}) runs, and nothing of Drover's listens on port ${port}, where drover.yaml has it: unless it has only just started, it was started with other \`ports\`, and nobody reaches it there`,
          remedy: `\`drover stop ${service.name}\` ends it, and \`drover apply\` starts it anew`,
        },
      ];
    });
  });
}

export function holderNamed(pid: number | null): string {
  return pid === null ? 'a process of another user' : `process ${pid}, which Drover did not start`;
}
