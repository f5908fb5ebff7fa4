import type { BackendReading, ServerReading } from '../observed/backend.ts';
import type { Reading } from '../observed/reading.ts';
import type { RolloutEvent, ServerFound, ServerTarget } from './events.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { isOurs, sideOf } from './servers.ts';
import { serverFound } from './start.ts';
import type { RolloutState } from './state.ts';

type Targets = Readonly<Record<string, ServerTarget>>;

/**
 * Server lines of either group that nobody has journalled: a reload has brought them, or somebody has added them. Each goes back
 * to the weight that is configured, which is the one that it came with; a destination server waits at 0, as at the start.
 */
export function serversThatCame(state: RolloutState, { backends }: Pick<Observation, 'backends'>): RolloutEvent[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = backends[plan.id]?.reading;
    const servers = reading?.known ? unknownAt(state, plan, reading.value) : {};
    return Object.keys(servers).length === 0 ? [] : [{ kind: 'servers-came', backend: plan.id, servers }];
  });
}

function unknownAt(state: RolloutState, plan: BackendPlan, reading: BackendReading): Record<string, ServerFound> {
  const servers: Record<string, ServerFound> = {};
  for (const server of newcomers(state, plan, reading)) {
    const side = sideOf(plan, server.name);
    if (side === null) continue;
    servers[server.name] = serverFound(side, server, side === 'origin' ? server.configuredWeight : 0);
  }
  return servers;
}

/** One that came in maint or drain is nobody's yet: its owner says when it begins. */
function newcomers(
  { asFound }: Pick<RolloutState, 'asFound'>,
  plan: BackendPlan,
  { servers }: BackendReading,
): ServerReading[] {
  const found = asFound.backends[plan.id] ?? {};
  return servers.filter(
    ({ name, admin }) => found[name] === undefined && admin === 'ready' && sideOf(plan, name) !== null,
  );
}

/**
 * The targets of a way back, which waits for no entry: a destination server that came since, and with a weight, gives its users
 * back like the others. Afterwards it is given nothing.
 */
export function withNewAtDestination(
  state: Pick<RolloutState, 'asFound' | 'stage'>,
  plan: BackendPlan,
  reading: Reading<BackendReading> | undefined,
  targets: Targets,
): Targets {
  if (!reading?.known) return targets;
  const isOver = state.stage.kind === 'restoring' || state.stage.kind === 'rolled-back';
  const added = newcomers(state, plan, reading.value)
    .filter(({ name }) => targets[name] === undefined && sideOf(plan, name) === 'destination')
    .map(({ name, weight }) => [name, { weight: 0, admin: weight > 0 && !isOver ? 'maint' : null }] as const);
  return { ...targets, ...Object.fromEntries(added) };
}

/** Takes them into the target: what its share wants of them is written by the step, or is what is left of its group here. */
export function targetWithAll(state: RolloutState, { backends }: Pick<Observation, 'backends'>): RolloutEvent[] {
  if (state.intended === null) return [];
  const { target } = state.intended;
  const isWhole = target.requestedShare === 1;
  const names = new Set<string>();
  const traffic: Record<string, Record<string, ServerTarget>> = {};
  for (const plan of state.plan.backends) {
    const targets = { ...target.traffic[plan.id] };
    traffic[plan.id] = targets;
    const reading = backends[plan.id]?.reading;
    for (const server of reading?.known ? reading.value.servers : []) {
      const found = state.asFound.backends[plan.id]?.[server.name];
      if (found === undefined || targets[server.name] !== undefined || !isOurs(state, plan.id, server.name)) continue;
      // Put aside once, and given a weight of its owner's since: that stands until somebody answers for going on.
      if (state.byHand[plan.id]?.[server.name] !== undefined) continue;
      targets[server.name] = targetOf(found, isWhole, server);
      names.add(server.name);
    }
  }
  if (names.size === 0) return [];
  return [
    { kind: 'intended', target: { ...target, traffic }, why: `${[...names].join(', ')} in the rollout from here on` },
  ];
}

/** Before the whole share a destination server waits; then it carries what its owner gives it, and the origin nothing. */
function targetOf(found: ServerFound, isWhole: boolean, { weight }: ServerReading): ServerTarget {
  if (found.side === 'origin') return { weight: isWhole ? 0 : found.weight, admin: null };
  return { weight: isWhole ? weight : 0, admin: 'ready' };
}
