import type { Config } from '../../core/fleet/config.ts';
import { CliError, type Context, type OpenGroup } from '../context.ts';
import type { Stage } from './stage.ts';

const healthyMsMax = 60_000;

/** Starts every service of the fleet in the environment that it will leave, and lets go of it: what runs, runs on. */
export async function startFleet(
  context: Context,
  { config, stateDirectory }: Stage,
  signal: AbortSignal,
): Promise<void> {
  const opened = Object.values(config.services).map((service) => ({
    name: service.name,
    wanted: service.origin.size?.min ?? 0,
    open: context.world.openGroup(service, 'origin', { stateDirectory, mode: 'control', addresses: async () => [] }),
  }));
  try {
    await Promise.all(opened.map(({ name, wanted, open }) => untilHealthy(context, name, open, wanted, signal)));
  } finally {
    await Promise.all(opened.map(({ open }) => open.close()));
  }
  for (const { name, wanted } of opened) await untilBalanced(context, config, name, wanted, signal);
}

/** Users would see it if they came before the balancer had seen what is there. */
async function untilBalanced(context: Context, config: Config, name: string, wanted: number, signal: AbortSignal) {
  const deadline = context.clock.monotonic() + healthyMsMax;
  const traffic = config.services[name]?.traffic[0];
  const balancer = traffic === undefined ? undefined : config.balancers[traffic.balancer];
  if (traffic === undefined || balancer === undefined) throw new Error(`the example has no traffic of ${name}`);
  for (const { id, backend } of context.world.openBackends(balancer, traffic)) {
    for (;;) {
      const { servers } = await backend.read(signal);
      if (servers.filter((one) => one.health === 'up' && one.weight > 0).length >= wanted) break;
      if (context.clock.monotonic() > deadline) throw new CliError(`${id} does not see the instances of ${name}`);
      await context.clock.sleep(100, signal);
      signal.throwIfAborted();
    }
  }
}

async function untilHealthy(
  context: Context,
  name: string,
  { group }: OpenGroup,
  wanted: number,
  signal: AbortSignal,
): Promise<void> {
  const deadline = context.clock.monotonic() + healthyMsMax;
  for (;;) {
    const { instances } = await group.read(signal);
    if (instances.filter((one) => one.state === 'healthy').length >= wanted) return;
    if (context.clock.monotonic() > deadline) {
      const lines = instances.flatMap((one) => one.lastOutput.slice(-3));
      throw new CliError(`${name} does not come up: ${lines.join('; ') || 'it said nothing'}`);
    }
    await context.clock.sleep(100, signal);
    signal.throwIfAborted();
  }
}

/** The size of each service's origin, for the words on screen. */
export function instancesOf(config: Config): string {
  return Object.values(config.services)
    .map((service) => `${service.origin.size?.min ?? 0} ${service.name}`)
    .join(', ');
}
