import { percent as configured } from '../../config/quantities.ts';
import type { Config, ServiceConfig, Step } from '../../core/fleet/config.ts';
import { describeSights } from '../../core/judge/forecast.ts';
import type { BackendReading } from '../../core/observed/backend.ts';
import { type PlannedService, planHash } from '../../core/plan/hash.ts';
import { reserveInTheWay } from '../../core/plan/reserve.ts';
import { shareOfStep } from '../../core/plan/shares.ts';
import { instancesFor } from '../../core/rollout/capacity.ts';
import { drillShareAt, drillShareMost } from '../../core/rollout/drill.ts';
import type { AsFound } from '../../core/rollout/events.ts';
import type { Observation } from '../../core/rollout/observation.ts';
import type { BackendPlan, RolloutPlan } from '../../core/rollout/plan.ts';
import { serversOf, sideOf } from '../../core/rollout/servers.ts';
import { buildsOf, checkStart, type StartCheck } from '../../core/rollout/start.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { type Blamed, blamedIn } from '../../core/rollout/taken-back.ts';
import { CliError, type Context, type Journal } from '../context.ts';
import { foreignPorts, movedPorts } from '../foreign-ports.ts';
import {
  lastStepOf,
  nextOperation,
  type PastRollout,
  rolloutsOf,
  splitAt,
  takenBackBefore,
} from '../journal/history.ts';
import { openObserved } from '../open-service.ts';
import { staleMarker } from './stale-marker.ts';
import { wayBackByHand } from './way-back-by-hand.ts';

/** What `plan` shows and `apply` is asked to do: the services in their order, and the hash that names it. */
export type PlanDocument = {
  readonly hash: string;
  readonly wave: { readonly name: string; readonly value: string } | null;
  readonly services: readonly ServicePlan[];
};

export type ServicePlan = {
  readonly service: string;
  readonly owner: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  readonly builds: { readonly origin: string | null; readonly destination: string | null };
  readonly lines: readonly PlanLine[];
  /** What the judge would see at the present traffic, in words. */
  readonly judge: readonly string[];
  readonly wayBack: readonly string[];
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  /** Builds of the destination that were taken back before, by whomever: `apply` asks for a reason. */
  readonly takenBack: readonly Blamed[];
};

/** `class`: how the line is undone. */
export type PlanLine = {
  readonly sign: '+' | '~' | '-';
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly owner: string;
  readonly class: 'instant' | 'drain-bounded' | 'one-way';
  readonly note: string;
};

export type Choice = {
  readonly wave: { readonly name: string; readonly value: string } | null;
  readonly services: readonly string[];
};

/** Thrown where every wave is completed. */
export class NothingLeft extends CliError {}

/**
 * The services named, else those of the wave named, else of the first wave that is not completed. Rollouts begun under the
 * plan `under` do not count: the same plan chooses the same services, however much of it is done. Throws CliError.
 */
export async function chooseServices(
  context: Context,
  config: Config,
  journal: Journal | null,
  names: readonly string[],
  wave: string | undefined,
  under: string | null = null,
): Promise<Choice> {
  if (names.length > 0 && wave !== undefined) throw new CliError('name services or a wave, not both');
  if (names.length > 0) return { wave: null, services: names };
  if (wave !== undefined) {
    const found = config.waves.find((one) => one.name === wave);
    if (found !== undefined) return { wave: found, services: found.services };
    throw new CliError(
      `there is no wave "${wave}"`,
      `the configuration has: ${config.waves.map((one) => one.name).join(', ') || 'none'}`,
    );
  }
  if (config.waves.length === 0) return { wave: null, services: Object.keys(config.services) };
  for (const one of config.waves) {
    const left = [];
    for (const service of one.services) if (!(await isCompleted(context, journal, service, under))) left.push(service);
    if (left.length > 0) return { wave: one, services: left };
  }
  throw new NothingLeft('every wave is completed: there is nothing to do', 'name a service to move it again');
}

/**
 * Observes the services named, twice, so that there is a load to speak of, and writes the plan down. Touches nothing.
 *
 * A plan is reproducible while it is being carried out: a service whose rollout was begun under the plan `under` enters the
 * hash as it stood before, with the builds that its rollout was started on, and is no longer listed. So the command that was
 * interrupted can be given again. A rollout that was taken back counts as history: what comes after it is another plan.
 */
export async function planDocument(
  context: Context,
  config: Config,
  choice: Choice,
  journal: Journal | null,
  stateDirectory: string,
  under: string | null = null,
): Promise<PlanDocument> {
  const services: ServicePlan[] = [];
  const hashed: PlannedService[] = [];
  for (const name of choice.services) {
    const past = await rolloutsOf(context.world, journal, name);
    const { before, begun } = splitAt(past, under);
    const lastStep = lastStepOf(before);
    const opened = openObserved(context, config, name, stateDirectory, 'watch');
    try {
      const { service, plan } = opened;
      if (begun !== null) {
        hashed.push({ service, rollout: plan, builds: begun, lastStep });
        continue;
      }
      const first = await opened.observe();
      await context.clock.sleep(1000, new AbortController().signal);
      const second = await opened.observe();
      const row = servicePlan(config, service, plan, first, second, past.at(-1)?.state ?? null);
      const stale = await staleMarker(context, stateDirectory, nextOperation(name, past.length));
      const warnings = [
        ...row.warnings,
        ...(await portWarnings(context, service, stateDirectory)),
        ...(stale === null ? [] : [`${stale.what}; ${stale.remedy}`]),
      ];
      services.push({ ...row, warnings, takenBack: takenBackAt(before, second) });
      hashed.push({ service, rollout: plan, builds: buildsOf(second), lastStep });
    } finally {
      await opened.close();
    }
  }
  const hash = planHash(hashed, context.world.sha256);
  return { hash, wave: choice.wave, services };
}

/** No instance is started on such a port, and whoever answers there is no server of this group. */
async function portWarnings(context: Context, service: ServiceConfig, stateDirectory: string): Promise<string[]> {
  const foreign = (['origin', 'destination'] as const).flatMap((side) =>
    foreignPorts(context, side, service[side], stateDirectory).map(
      ({ what, remedy }) => `${what}, so no instance is started on it; ${remedy}`,
    ),
  );
  const moved = await movedPorts(context, service, stateDirectory);
  return [...foreign, ...moved.map(({ what, remedy }) => `${what}; ${remedy}`)];
}

function takenBackAt(past: readonly PastRollout[], observation: Observation): readonly Blamed[] {
  const { destination } = buildsOf(observation);
  return blamedIn(takenBackBefore(past), destination ?? 'unknown');
}

async function isCompleted(
  context: Context,
  journal: Journal | null,
  service: string,
  under: string | null,
): Promise<boolean> {
  const past = await rolloutsOf(context.world, journal, service);
  return splitAt(past, under).before.at(-1)?.state.stage.kind === 'completed';
}

function servicePlan(
  config: Config,
  service: ServiceConfig,
  plan: RolloutPlan,
  first: Observation,
  second: Observation,
  last: RolloutState | null,
): Omit<ServicePlan, 'takenBack'> {
  const traffic = trafficSeen(plan, first, second);
  const { refusals, warnings } = withoutUnstarted(config, plan, second);
  const reserve = reserveInTheWay(plan, second, traffic.rps);
  return {
    service: service.name,
    owner: service.owner,
    kind: service.kind,
    from: plan.origin.environment,
    to: plan.destination.environment,
    builds: buildsOf(second),
    lines: [...sizeLines(plan, second, traffic), drillLine(plan, second, traffic), ...stepLines(plan, second)],
    judge: judgeLines(plan, traffic, second),
    wayBack: wayBackByHand(config, service, second, plan, asFoundBefore(last)),
    refusals,
    warnings: [...warnings, ...(reserve === null ? [] : [reserve]), ...coarseSteps(plan, second)],
  };
}

/** After a rollout that was rolled back everything is as it was found, or as somebody has changed it since. */
function asFoundBefore(last: RolloutState | null): AsFound | null {
  return last === null || last.stage.kind === 'rolled-back' ? null : last.asFound;
}

/** An embedded balancer that does not run yet is no reason to refuse a plan: `apply` starts it, and then looks again. */
function withoutUnstarted(config: Config, plan: RolloutPlan, observation: Observation): StartCheck {
  const { refusals, warnings } = checkStart(plan, observation);
  const unstarted = plan.backends
    .filter(({ id }) => config.balancers[id.slice(0, id.indexOf('/'))]?.kind === 'embedded')
    .filter(({ id }) => observation.backends[id]?.reading.known === false)
    .map(({ id }) => id);
  const isOf = (refusal: string) => unstarted.some((id) => refusal.startsWith(`${id} cannot be read`));
  return {
    refusals: refusals.filter((refusal) => !isOf(refusal)),
    warnings: [...warnings, ...unstarted.map((id) => `${id} does not run yet: \`drover apply\` starts its balancer`)],
  };
}

type Traffic = { readonly rps: number | null; readonly baseline: number | null };

/** Load of both groups between two readings, wherever the traffic is; baseline failures since the balancer started (its own counters, complete count). */
function trafficSeen(plan: RolloutPlan, first: Observation, second: Observation): Traffic {
  let before = 0;
  let after = 0;
  let atOrigin = 0;
  let failures = 0;
  let ms = 0;
  for (const backend of plan.backends) {
    const one = first.backends[backend.id];
    const two = second.backends[backend.id];
    if (!one?.reading.known || !two?.reading.known) return { rps: null, baseline: null };
    before += attemptsOf(backend, one.reading.value);
    after += attemptsOf(backend, two.reading.value);
    for (const { counters } of serversOf(backend, two.reading.value, 'origin')) {
      atOrigin += counters.attempts;
      const answered = counters.rsp2xx + counters.rsp3xx + counters.rsp4xx - counters.srvAbrt + counters.scur;
      failures += Math.max(0, counters.attempts - answered);
    }
    ms = Math.max(ms, two.atMs - one.atMs);
  }
  return {
    rps: ms === 0 ? null : ((after - before) * 1000) / ms,
    baseline: atOrigin === 0 ? null : failures / atOrigin,
  };
}

function attemptsOf(backend: BackendPlan, { servers }: BackendReading): number {
  const ours = servers.filter(({ name }) => sideOf(backend, name) !== null);
  return ours.reduce((sum, { counters }) => sum + counters.attempts, 0);
}

function sizeLines(plan: RolloutPlan, observation: Observation, traffic: Traffic): PlanLine[] {
  const lines: PlanLine[] = [];
  const origin = observation.origin.reading;
  const destination = observation.destination.reading;
  const instance = plan.origin.capacityRps;
  const size = origin.known ? origin.value.size : null;
  if (size !== null) {
    const need =
      instance === null || traffic.rps === null
        ? null
        : Math.max(size.min, instancesFor(traffic.rps, instance, plan.policy.reserve));
    lines.push({
      ...{ sign: '~', what: 'origin minimum', before: String(size.min), owner: plan.owner, class: 'instant' },
      after: need === null ? 'all traffic + reserve' : String(need),
      note: `the reserve: all present traffic plus ${Math.round(plan.policy.reserve * 100)} %, until \`drover retire\``,
    });
  }
  const found = destination.known ? destination.value.size : null;
  if (found !== null) {
    const step = plan.steps[0];
    const after = step?.instances ?? null;
    lines.push({
      ...{ sign: '~', what: 'destination size', before: String(found.desired), owner: plan.owner, class: 'instant' },
      after: after === null ? 'as the load needs' : String(after),
      note: 'capacity before traffic; more with every step',
    });
  }
  return lines;
}

/** As small a share as the balancer can tell apart, and no larger than what brings the drill's requests within its time. */
function drillLine(plan: RolloutPlan, observation: Observation, { rps }: Traffic): PlanLine {
  const { drill } = plan.policy;
  const most = rps === null ? 0 : drillShareMost(plan.policy, rps);
  const shares = plan.backends.flatMap((backend) => {
    const reading = observation.backends[backend.id]?.reading;
    return reading?.known ? (drillShareAt(backend, reading.value, most) ?? []) : [];
  });
  const share = shares.length === 0 ? 'the lowest weight' : `about ${finePercent(Math.max(...shares))}`;
  return {
    ...{ sign: '~', what: 'drill', before: '0 %', owner: plan.owner, class: 'drain-bounded' },
    after: `${share} on one server`,
    note: `until ${drill.requests} requests or ${drill.ms / 1000} s; then back within ${drill.boundMs} ms, or nothing starts`,
  };
}

function stepLines(plan: RolloutPlan, observation: Observation): PlanLine[] {
  const common = { sign: '~', owner: plan.owner, class: 'drain-bounded' } as const;
  const lines: PlanLine[] = [];
  let before = '0 %';
  for (const [index, step] of plan.steps.entries()) {
    const after = shareRange(plan, step, observation);
    lines.push({
      ...common,
      what: `step ${index + 1}`,
      before,
      after,
      note: `judged for at least ${step.bakeMs / 1000} s`,
    });
    before = after;
  }
  lines.push({
    ...common,
    what: 'whole share',
    before,
    after: '100 %',
    note: 'only objective and tripwires watch; the reserve stays',
  });
  lines.push({
    sign: '-',
    what: 'drover retire',
    before: 'reserve',
    after: 'none',
    owner: plan.owner,
    class: 'one-way',
    note: 'not part of apply; asks for the typed name',
  });
  return lines;
}

/** A step by capacity drifts as the origin scales: the whole range is told. */
function shareRange(plan: RolloutPlan, step: Step, observation: Observation): string {
  const shares = shareOfStep(plan, step, observation);
  if (shares === null) return 'by capacity';
  const [least, most] = shares.map(percent);
  return least === most ? (least ?? '') : `${least} – ${most}`;
}

/** A share that is less than what weights can make is not made smaller without a word, nor larger. */
function coarseSteps(plan: RolloutPlan, observation: Observation): string[] {
  return plan.steps.flatMap((step, index) => {
    const [, most = 0] = shareOfStep(plan, step, observation) ?? [];
    if (step.kind !== 'weight' || most <= step.share) return [];
    return `step ${index + 1} asks for ${askedPercent(step.share)}, and the least that the weights of these servers make is ${percent(most)}: that is what the destination gets`;
  });
}

function judgeLines(plan: RolloutPlan, traffic: Traffic, observation: Observation): string[] {
  if (traffic.rps === null || traffic.baseline === null)
    return ['the load is unknown, so nothing can be said of how soon the judge sees anything'];
  const { rps, baseline } = traffic;
  const rules = { ...plan.policy.judge, objective: plan.objective };
  const lines = [
    `${Math.round(rps)} requests/s, ${(baseline * 100).toFixed(2)} % of them fail at the origin; until it is measured, a dispersion of ${rules.dispersion} is assumed`,
  ];
  for (const [index, step] of plan.steps.entries()) {
    // The smallest share of a step by capacity sees last.
    const share = shareOfStep(plan, step, observation)?.[0];
    const title = `step ${index + 1} (${shareRange(plan, step, observation)})`;
    if (share === undefined) lines.push(`${title}: the share is not known yet`);
    else lines.push(`${title}: ${describeSights({ rps, share, baseline }, rules)}`);
  }
  lines.push('whole share (100 %): nothing is compared; only the objective and the tripwires watch');
  return lines;
}

function finePercent(share: number): string {
  return share < 0.01 ? `${Number((share * 100).toPrecision(1))} %` : percent(share);
}

/** Never 0 for what is more than that. */
function percent(share: number): string {
  if (share > 0 && share < 0.01) return `${Number((share * 100).toPrecision(2))} %`;
  return `${Math.round(share * 1000) / 10} %`;
}

/** As it was written. */
function askedPercent(share: number): string {
  return configured(share).replace('%', ' %');
}
