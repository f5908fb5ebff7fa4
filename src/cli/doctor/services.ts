import type { Config, GroupConfig, ServiceConfig } from '../../core/fleet/config.ts';
import type { ServerReading } from '../../core/observed/backend.ts';
import type { GroupReading } from '../../core/observed/group.ts';
import type { Reading } from '../../core/observed/reading.ts';
import { notWell } from '../../core/rollout/completed.ts';
import { driftOf } from '../../core/rollout/drift.ts';
import { failedWordsOf } from '../../core/rollout/last-words.ts';
import type { Observation } from '../../core/rollout/observation.ts';
import type { BackendPlan, RolloutPlan } from '../../core/rollout/plan.ts';
import { type Side, serversOf } from '../../core/rollout/servers.ts';
import { checkStart } from '../../core/rollout/start.ts';
import { hasEnded, type RolloutState } from '../../core/rollout/state.ts';
import { stageWords } from '../../core/rollout/status.ts';
import type { Context } from '../context.ts';
import { openObserved } from '../open-service.ts';
import { isGlance, seenTraffic } from '../status/seen-traffic.ts';
import { type Allowance, type Check, type Section, trouble, warning, well } from './diagnosis.ts';
import { portChecks } from './ports.ts';
import type { StateExamined } from './state.ts';

/** One service: both groups, at each backend, as a rollout would find them. */
export async function examineService(
  context: Context,
  config: Config,
  name: string,
  stateDirectory: string,
  { past, isControlled }: Pick<StateExamined, 'past' | 'isControlled'>,
): Promise<Section> {
  const opened = openObserved(context, config, name, stateDirectory, 'watch');
  try {
    const { plan, service } = opened;
    const last = past?.findLast(({ state }) => state.plan.service === name)?.state ?? null;
    const moved = last?.stage.kind === 'completed' && !last.retired ? last : null;
    const seen = moved === null ? null : await seenTraffic(context, moved, () => opened.observe(), isGlance);
    const observation = seen?.observation ?? (await opened.observe());
    const starter = starterOf(last, isControlled);
    const checks = [
      ...(['origin', 'destination'] as const).flatMap((side) => {
        const { reading } = observation[side];
        const desired = (reading.known ? reading.value.size?.desired : null) ?? service[side].size?.min ?? 0;
        return [
          groupCheck(side, service[side], reading, starter),
          ...portChecks(context, side, service[side], desired, stateDirectory),
        ];
      }),
      ...plan.backends.flatMap((backend) => healthChecks(plan, backend, observation, starter)),
      ...(isAsleep(config, service, observation)
        ? [warning('its embedded balancer does not run, so nothing more can be said', starter)]
        : rolloutChecks(plan, observation, last)),
      ...(moved === null || seen === null ? [] : notWell(moved, seen.watch, observation)).map((what) =>
        warning(what, `see to it, or take the traffic back: \`drover back ${moved?.operation}\``),
      ),
      ...driftOf(plan, observation, last, await isMarked(context, stateDirectory, last)).map(({ what, remedy }) =>
        warning(what, remedy),
      ),
    ];
    return {
      kind: 'service',
      moved: last?.stage.kind === 'completed',
      name: `${name}  ${service.origin.environment} → ${service.destination.environment}`,
      checks,
    };
  } finally {
    await opened.close();
  }
}

/** Who starts what Drover runs itself: nobody runs `apply` beside a controller, and nobody looks after what has been moved. */
function starterOf(last: RolloutState | null, isControlled: boolean): string {
  if (last?.stage.kind === 'completed')
    return `its rollout is over, and Drover looks after instances only while one runs: start its command as a service of your own, or take the traffic back: \`drover back ${last.operation}\``;
  if (!isControlled) return '`drover apply` starts it';
  const isItsOwn = last !== null && !hasEnded(last);
  return isItsOwn
    ? `the controller of ${last.operation} starts it`
    : '`drover apply`, once the controller that is alive has ended, starts it';
}

/** A marker that cannot be read counts too, as it does for a controller. */
async function isMarked(context: Context, stateDirectory: string, last: RolloutState | null): Promise<boolean> {
  if (last === null) return false;
  const marker = context.world.openMarker(stateDirectory);
  return await marker.read(last.operation).then(
    (found) => found !== null,
    () => true,
  );
}

/** Nothing keeps a rollout from working that `apply` starts by itself. */
function isAsleep(config: Config, { traffic }: ServiceConfig, { backends }: Observation): boolean {
  const isEmbedded = traffic.every(({ balancer }) => config.balancers[balancer]?.kind === 'embedded');
  return isEmbedded && Object.values(backends).some(({ reading }) => !reading.known);
}

function groupCheck(side: Side, group: GroupConfig, reading: Reading<GroupReading>, starter: string): Check {
  const provider = group.local === null ? 'run by others' : 'run by Drover';
  const capacity =
    group.capacityRps === null
      ? 'capacity not declared (the highest healthy load that is seen will count)'
      : `${group.capacityRps} requests/s per instance`;
  const title = `${side} in ${group.environment}, ${provider}`;
  if (!reading.known) return trouble(`${title}: it cannot be read: ${reading.why}`, null);
  const { build, size, instances } = reading.value;
  const sizes = size === null ? '' : `, ${size.desired} instances of ${size.min}..${size.max}`;
  const what = `${title}${sizes}, ${capacity}`;
  if (side === 'origin' && size === null && group.capacityRps === null) {
    return warning(
      `${what}; build ${build.known ? build.value : `unknown: ${build.why}`}`,
      'declare `capacity`: a group that nobody can grow shows a reserve only while its load is below the highest one seen',
    );
  }
  if (build.known) return well(`${what}; build ${build.value}`);
  if (group.local !== null && instances.length === 0) {
    const unseen = `${what}; its build is not known before an instance runs`;
    if (side === 'destination') return warning(unseen, `${starter}: the first one comes with the rollout`);
    // A plan names the builds, so nothing is begun, and nothing is started, as long as the origin's is unknown.
    return trouble(
      `${unseen}, and none is started without it`,
      'leave out its `build`, or let it be `{ files: […] }`: both are known before it runs',
    );
  }
  const level = side === 'origin' ? trouble : warning;
  return level(`${what}; its build is unknown: ${build.why}`, 'see `build` in docs/reference/configuration.md');
}

/** Whether the balancer reaches both environments, by its own health checks. */
function healthChecks(plan: RolloutPlan, backend: BackendPlan, observation: Observation, starter: string): Check[] {
  const reading = observation.backends[backend.id]?.reading;
  if (!reading?.known) return [];
  return (['origin', 'destination'] as const).flatMap((side) => {
    const servers = serversOf(backend, reading.value, side);
    const group = observation[side].reading;
    const words = failedWordsOf(group, observation.nowMs);
    // What Drover runs it starts; an origin that it has started, and that is down, is a trouble.
    const isAtRest = side === 'destination' || (group.known && group.value.instances.length === 0);
    const isStarted = plan[side].size !== null && isAtRest;
    const told = { words, starter: isStarted ? starter : null };
    return servers.length === 0 ? [] : [healthCheck(plan, `${backend.id}: ${side}`, side, servers, told)];
  });
}

function healthCheck(
  plan: RolloutPlan,
  title: string,
  side: Side,
  servers: readonly ServerReading[],
  { starter, words }: { readonly starter: string | null; readonly words: string },
): Check {
  const of = (health: ServerReading['health']) => servers.filter((server) => server.health === health);
  const [up, down, starting] = [of('up'), of('down'), of('starting')];
  // In maint nothing is checked; what that means for a rollout is told with it.
  const unchecked = of('unchecked').filter(({ admin }) => admin !== 'maint');
  const inMaint = servers.filter(({ admin }) => admin === 'maint');
  const parts = [
    `${up.length} of ${servers.length} up`,
    ...counted('down', down),
    ...counted('starting', starting),
    ...counted('without a health check', unchecked),
    ...counted('in maint', inMaint),
  ];
  const what = `${title} ${parts.join(', ')}`;
  if (down.length + starting.length === 0)
    return unchecked.length === 0 ? well(what) : warning(what, 'add `check` to their server lines');
  const said = `${what}${words}`;
  const remedy =
    plan[side].size === null
      ? `does ${plan[side].environment} let the balancer in (routes, security groups, ports)? Its last check is in \`show stat\``
      : 'they are processes of this machine: what they write is in `local/*/instance-*.log` of the state directory';
  if (starter !== null) return warning(said, starter);
  return up.length + unchecked.length > 0 ? warning(said, remedy) : trouble(said, remedy);
}

function counted(word: string, servers: readonly ServerReading[]): string[] {
  if (servers.length === 0) return [];
  const names = servers.slice(0, 5).map(({ name }) => name);
  const more = servers.length > 5 ? ' …' : '';
  return [`${servers.length} ${word} (${names.join(', ')}${more})`];
}

/** What a rollout that starts now would be refused for; one that runs, or has run, is named instead. */
function rolloutChecks(plan: RolloutPlan, observation: Observation, last: RolloutState | null): Check[] {
  if (last !== null && !hasEnded(last)) {
    const held = last.held === null ? '' : `, held by ${last.held.by}: ${last.held.why}`;
    return [well(`${last.operation} is under way: ${stageWords(last, last.stage)}${held}`)];
  }
  const { refusals, warnings } = checkStart(plan, observation);
  if (last?.stage.kind === 'completed') {
    return [
      well(`${last.operation}: ${stageWords(last, last.stage)}`),
      ...refusals.map((text) => warning(`another rollout would be refused: ${text}`, null)),
    ];
  }
  return [
    ...(refusals.length === 0 ? [well('nothing keeps a rollout from starting')] : []),
    ...refusals.map((text) => trouble(text, null)),
    ...warnings.map((text) => warning(text, null)),
  ];
}

/** What Drover does with the instances of a service. */
export function allowancesOf(config: Config, name: string): Allowance[] {
  const service = config.services[name];
  if (service === undefined) return [];
  return (['origin', 'destination'] as const).flatMap((side): Allowance[] => {
    const { local, size } = service[side];
    if (local === null || size === null) return [];
    const ports = `${local.firstPort}..${local.firstPort + size.max - 1}`;
    return [
      {
        what: `${name}: start and stop ${size.min}..${size.max} ${side} processes`,
        how: `as this user, on the ports ${ports}`,
      },
    ];
  });
}
