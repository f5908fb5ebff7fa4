import type { Config, ServiceConfig } from '../core/fleet/config.ts';
import { matchesGlob } from '../core/fleet/glob.ts';
import { rolloutPlan } from '../core/rollout/from-config.ts';
import type { Observation } from '../core/rollout/observation.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import { type Observed, observe } from '../engine/observe.ts';
import type { OperationPorts, Timing } from '../engine/operation-ports.ts';
import type { Backend } from '../engine/ports.ts';
import { measureLoad } from '../engine/side-load.ts';
import { CliError, type Context, type Journal, type OpenBackend } from './context.ts';

/** A service with everything opened that its rollout touches. `close` leaves what runs running. */
export type OpenService = ObservedService & { readonly ports: OperationPorts };

/** A service with what can be read of it; needs no journal. */
export type ObservedService = {
  readonly service: ServiceConfig;
  readonly plan: RolloutPlan;
  readonly seen: Observed;
  observe(): Promise<Observation>;
  close(): Promise<void>;
};

export const timing: Timing = { pollMs: 1000, callMs: 3000, leaseMs: 10_000 };

/** `control` runs what the local provider has to run; `watch` touches nothing. */
export function openService(
  context: Context,
  config: Config,
  name: string,
  journal: Journal,
  stateDirectory: string,
  mode: 'control' | 'watch',
): OpenService {
  const observed = openObserved(context, config, name, stateDirectory, mode);
  const ports: OperationPorts = {
    ...observed.seen,
    journal,
    leases: journal.leases,
    samples: journal.samples,
    sha256: context.world.sha256,
    holder: context.world.holder,
    tell: () => undefined,
  };
  return { ...observed, ports };
}

/** The rollout that the configuration asks for now. Touches nothing. Throws CliError where it has no such service. */
export async function plannedNow(
  context: Context,
  config: Config,
  name: string,
  stateDirectory: string,
): Promise<RolloutPlan> {
  const opened = openObserved(context, config, name, stateDirectory, 'watch');
  await opened.close();
  return opened.plan;
}

export function openObserved(
  context: Context,
  config: Config,
  name: string,
  stateDirectory: string,
  mode: 'control' | 'watch',
): ObservedService {
  const service = config.services[name];
  if (service === undefined) throw unknownService(config, name);
  const opened = service.traffic.map((traffic) => openTraffic(context, config, traffic.balancer, traffic));
  const plan = rolloutPlan(service, opened);
  const load = measureLoad(context.clock);
  const backends: Record<string, Backend> = {};
  for (const { id, backend } of opened.flat()) {
    const backendPlan = plan.backends.find((one) => one.id === id);
    if (backendPlan !== undefined) backends[id] = load.counted(backendPlan, backend);
  }
  const openSide = (side: 'origin' | 'destination') =>
    context.world.openGroup(service, side, {
      stateDirectory,
      mode,
      loadRps: () => load.loadRps(side),
      addresses: (signal) => addressesOf(plan, backends, side, signal),
    });
  const origin = openSide('origin');
  const destination = openSide('destination');
  const seen: Observed = {
    clock: context.clock,
    timing,
    backends,
    origin: origin.group,
    destination: destination.group,
    marker: context.world.openMarker(stateDirectory),
  };
  return {
    service,
    plan,
    seen,
    observe: () => observe(seen, plan, 'none', [], null, []),
    async close() {
      await Promise.all([origin.close(), destination.close()]);
    },
  };
}

function openTraffic(
  context: Context,
  config: Config,
  balancer: string,
  traffic: { readonly backend: string },
): readonly OpenBackend[] {
  const configured = config.balancers[balancer];
  if (configured === undefined) throw new CliError(`there is no balancer "${balancer}" in the configuration`);
  return context.world.openBackends(configured, traffic);
}

/**
 * Where the instances of a side can be asked what they run. Those in maint only where there is no other: the drill and the way back
 * put a whole group there, which goes on running, and a build that nobody knows would keep its last server there.
 */
async function addressesOf(
  plan: RolloutPlan,
  backends: Readonly<Record<string, Backend>>,
  side: 'origin' | 'destination',
  signal: AbortSignal,
): Promise<string[]> {
  const [carrying, inMaint] = [new Set<string>(), new Set<string>()];
  for (const backendPlan of plan.backends) {
    const reading = await backends[backendPlan.id]?.read(signal);
    for (const { name, health, admin, address } of reading?.servers ?? []) {
      if (!matchesGlob(backendPlan[side], name) || health === 'down' || address === null) continue;
      (admin === 'maint' ? inMaint : carrying).add(address);
    }
  }
  return [...(carrying.size > 0 ? carrying : inMaint)].sort((one, other) => (one < other ? -1 : 1));
}

function unknownService(config: Config, name: string): CliError {
  const names = Object.keys(config.services).join(', ');
  return new CliError(`there is no service "${name}" in the configuration`, `it has: ${names}`);
}
