import { type PromotionForecast, requestsToPromote } from '../judge/forecast.ts';
import { ownFromMs, type Verdict, verdict } from '../judge/judge.ts';
import type { BackendReading } from '../observed/backend.ts';
import type { Reading } from '../observed/reading.ts';
import { aloneAt, aloneNow, aloneRemedy } from './alone.ts';
import { recentShare } from './checkpoint.ts';
import type { BackCause } from './events.ts';
import { type Facts, factsOf, heldWords } from './facts.ts';
import { handLines } from './hands.ts';
import { downWordsOf, failedWordsOf } from './last-words.ts';
import { unserved } from './left.ts';
import { loadRps, type RecentLoad, recentMs, recentTally, seenLately, sideRps } from './load.ts';
import type { Observation } from './observation.ts';
import type { BackendPlan } from './plan.ts';
import { restoringWaits } from './restoring.ts';
import { othersOf, serversOf } from './servers.ts';
import { shareCheck } from './share.ts';
import { attemptsToTell } from './share-seen.ts';
import { capacityLack, stepName, stillAtOrigin } from './stages.ts';
import { afterBack, hasEnded, isConfirmed, type RolloutState, type Stage } from './state.ts';
import { isCapable, stepStands } from './step-needs.ts';
import { type Blamed, unexplained } from './taken-back.ts';
import { carryingServers } from './targets.ts';
import type { Watch } from './watch.ts';

/** What `status`, `watch` and the live block show of a rollout. Plain JSON; null means unknown or not applicable. */
export type RolloutStatus = {
  readonly operation: string;
  readonly service: string;
  readonly stage: string;
  readonly stageName: string;
  readonly stageSinceMs: number;
  readonly bakeMs: number | null;
  /** The judged step, 1..`steps`; `steps` + 1 is the whole share. null: in none yet, or no longer. */
  readonly step: number | null;
  readonly steps: number;
  /** The groups are compared. At the whole share a comparison adds nothing: only objective and tripwires watch. */
  readonly compared: boolean;
  /** How many more requests of both groups it takes until the step is promoted. null: no step is being judged. */
  readonly promotion: PromotionForecast | null;
  /** `blamed`: the builds for which `resume` needs a reason. */
  readonly held: {
    readonly why: string;
    readonly by: string;
    readonly atMs: number;
    readonly blamed: readonly Blamed[];
  } | null;
  readonly requestedShare: number | null;
  readonly observedShare: number | null;
  readonly loadRps: number | null;
  readonly origin: GroupStatus;
  readonly destination: GroupStatus;
  readonly verdict: Verdict;
  /** Beside `held`. Empty on the way back, where nothing is to be raised. */
  readonly blockers: readonly string[];
  /** What balancers and groups refused when it was last tried: it is tried again and again. */
  readonly troubles: readonly string[];
  /** Weights that somebody has set and that stand, a sentence each. */
  readonly byHand: readonly string[];
  /** Backends whose traffic nobody carries, a sentence each, also after a way back. */
  readonly unserved: readonly string[];
  readonly back: {
    readonly cause: BackCause;
    readonly performedAtMs: number;
    /** false: it was performed, and the journal has not taken it yet. */
    readonly journalled: boolean;
    readonly standing: readonly string[];
  } | null;
  readonly drill: string | null;
  readonly builds: { readonly origin: string; readonly destination: string };
  /** Servers of neither group, as `server at backend`, where the balancer answers: in no count and no share. */
  readonly others: readonly string[];
};

export type GroupStatus = {
  readonly environment: string;
  readonly able: number | null;
  readonly desired: number | null;
  readonly need: number | null;
  readonly rps: number | null;
  readonly attempts: number;
  readonly failures: number;
};

/** A way back counts from when it was performed, also while the journal does not take it. */
export function statusOf(
  journalled: RolloutState,
  watch: Watch,
  observation: Observation,
  troubles: readonly string[],
): RolloutStatus {
  const { performed } = watch;
  const state = performed === null ? journalled : afterBack(journalled, performed);
  const facts = factsOf(state, watch, observation);
  // Decisions go by the last that is known of each balancer; what is shown as of now is of now, or unknown.
  const lately = seenLately(watch.recent, observation.nowMs);
  const load = loadRps(
    lately,
    state.plan.backends.map((plan) => plan.id),
  );
  const stage = state.stage;
  const step = 'step' in stage ? state.plan.steps[stage.step - 1] : undefined;
  return {
    operation: state.operation,
    service: state.plan.service,
    stage: stage.kind,
    stageName:
      performed === null ? stageWords(state, stage) : 'the way back is taken, and the journal does not know it yet',
    stageSinceMs: state.stageSinceMs,
    bakeMs: stage.kind === 'judging' ? (step?.bakeMs ?? state.plan.policy.finalBakeMs) : null,
    step: 'step' in stage ? stage.step : null,
    steps: state.plan.steps.length,
    compared: !isWhole(state),
    promotion: stage.kind === 'judging' && step !== undefined ? promotion(state, watch, observation) : null,
    held: state.held && { ...state.held, blamed: unexplained(state, facts.builds) },
    requestedShare: state.intended?.target.requestedShare ?? null,
    observedShare: recentShare(lately),
    loadRps: load.known ? load.value : null,
    origin: groupStatus(state, lately, observation, 'origin', facts.originAble, facts.reserveNeed),
    destination: groupStatus(state, lately, observation, 'destination', facts.destinationAble, null),
    verdict: verdict(watch.judge),
    blockers:
      state.back === null && !hasEnded(state)
        ? [
            ...lastingBlockers(state, watch, observation, facts),
            ...lacking(state, watch, observation, facts),
            ...notWhole(state, watch, observation),
            ...untold(state, watch, observation),
            ...cleared(state, watch, observation),
            ...mixed(state, observation),
          ]
        : [],
    troubles: [...troubles, ...originDown(observation)],
    byHand: handLines(state),
    unserved: unserved(state, observation),
    back: state.back && {
      cause: state.back.cause,
      performedAtMs: state.back.performedAtMs,
      journalled: performed === null,
      standing: [...standing(state, watch, observation), ...restoringWaits(state, observation)],
    },
    drill: state.drill?.note ?? null,
    builds: state.builds,
    others: state.plan.backends.flatMap((plan) => {
      const reading = observation.backends[plan.id]?.reading;
      return reading?.known ? othersOf(plan, reading.value.servers).map(({ name }) => `${name} at ${plan.id}`) : [];
    }),
  };
}

/** What of the origin does not come up is told while enough of it is there too: it is what there is to go back to. */
export function originDown({ origin }: Observation): string[] {
  const words = downWordsOf(origin.reading);
  return words === null ? [] : [`the origin has an instance that does not come up: ${words}`];
}

/** Capacity that is waited for, before a step or the drill and under the traffic of either, with what an instance said that failed. */
function lacking(state: RolloutState, watch: Watch, observation: Observation, facts: Facts): string[] {
  const { stage } = state;
  const step = 'step' in stage ? stage.step : 1;
  // Whose balancer cannot be read is a reason of its own.
  if (!facts.destinationAble.known || !waitsForCapacity(state, observation, facts, step)) return [];
  // Without a load nobody knows how many it takes, which is no news at the first look.
  if (!facts.load.known && isFirstLook(watch, observation)) return [];
  const words = failedWordsOf(observation.destination.reading, observation.nowMs);
  return [`${capacityLack(state, facts, step)}${words}`];
}

function waitsForCapacity(state: RolloutState, observation: Observation, facts: Facts, step: number): boolean {
  switch (state.stage.kind) {
    case 'preparing':
    case 'growing':
      return !isCapable(state, facts, step);
    case 'drill-restoring':
      return state.drill === null && !isCapable(state, facts, step);
    case 'drill-shifting':
    case 'shifting':
    case 'judging':
      return !stepStands(state, observation, facts, step);
    default:
      return false;
  }
}

/** What keeps a rollout from being completed, once nothing else does. */
function notWhole(state: RolloutState, watch: Watch, observation: Observation): string[] {
  const { stage } = state;
  const isLast = stage.kind === 'finishing' || (stage.kind === 'judging' && stage.step > state.plan.steps.length);
  const still = isLast ? stillAtOrigin(state, watch, observation) : null;
  return still === null ? [] : [still];
}

/** Too few requests to go on by: with little traffic that takes its time, and without any it does not end. */
function untold(state: RolloutState, watch: Watch, observation: Observation): string[] {
  if (state.stage.kind !== 'shifting' || !isConfirmed(state) || state.held !== null) return [];
  const check = shareCheck(state, watch);
  if (check.kind !== 'too few' || observation.nowMs - state.stageSinceMs < recentMs) return [];
  return [`too few requests to see the share by: ${check.attempts} of ${attemptsToTell} since the weights were set`];
}

/** What was counted before counters fell is not known any more, and the comparison needs the shares of a whole lag. */
function cleared(state: RolloutState, watch: Watch, observation: Observation): string[] {
  const { attemptMsMax } = state.plan.policy;
  const sinceMs = watch.fellAtMs === null ? attemptMsMax : observation.nowMs - watch.fellAtMs;
  if (state.stage.kind !== 'judging' || sinceMs >= attemptMsMax) return [];
  const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
  return [
    `a balancer's counters fell ${seconds(sinceMs)} ago though it is the same process: somebody clears them; the groups are compared again in ${seconds(attemptMsMax - sinceMs)}`,
  ];
}

/** A load is known after some seconds of readings: that it is not before is no news. That it is held is told by itself. */
function lastingBlockers({ held }: RolloutState, watch: Watch, observation: Observation, facts: Facts): string[] {
  const blockers = facts.blockers.filter((text) => held === null || text !== heldWords(held));
  return isFirstLook(watch, observation)
    ? blockers.filter((text) => !text.startsWith('the reserve is unknown'))
    : blockers;
}

function isFirstLook({ sinceMs }: Watch, { nowMs }: Observation): boolean {
  return nowMs - (sinceMs ?? nowMs) < firstLookMs;
}

function promotion(state: RolloutState, watch: Watch, observation: Observation): PromotionForecast {
  const leftMs = mixedMs(state, observation);
  if (leftMs <= 0) return requestsToPromote(watch.judge, watch.inStage);
  return { kind: 'unknown', why: `evidence for these builds begins in ${Math.ceil(leftMs / 1000)} s` };
}

/** How much longer what fails may be a request that the builds before were given. */
function mixedMs(state: RolloutState, observation: Observation): number {
  return ownFromMs(state, state.plan.policy.attemptMsMax) - observation.nowMs;
}

function mixed(state: RolloutState, observation: Observation): string[] {
  const leftMs = mixedMs(state, observation);
  if (leftMs <= 0) return [];
  return [
    `the builds have just changed: for ${Math.ceil(leftMs / 1000)} s failures may be of requests that were under way before, and nothing is evidence to promote`,
  ];
}

const firstLookMs = 8000;

/** Taken or being taken. */
function isWhole({ stage, plan }: RolloutState): boolean {
  if (stage.kind === 'finishing' || stage.kind === 'completed') return true;
  return 'step' in stage && stage.kind !== 'growing' && stage.step > plan.steps.length;
}

function groupStatus(
  state: RolloutState,
  lately: RecentLoad,
  observation: Observation,
  side: 'origin' | 'destination',
  able: Reading<readonly string[]>,
  need: Reading<number> | null,
): GroupStatus {
  const ids = state.plan.backends.map((plan) => plan.id);
  const rps = sideRps(lately, ids, side);
  const lagMs = state.plan.policy.attemptMsMax;
  const group = observation[side].reading;
  return {
    environment: state.plan[side].environment,
    able: able.known ? able.value.length : null,
    desired: group.known ? (group.value.size?.desired ?? null) : null,
    need: need?.known ? need.value : null,
    rps: rps.known ? rps.value : null,
    ...recentTally(lately, side, mixedMs(state, observation) > 0 ? state.pairSinceMs : ownFromMs(state, lagMs)),
  };
}

/** What of the destination carries traffic at the balancers, or cannot be read there: nothing is left when this is empty. */
export function stillStanding(state: RolloutState, observation: Observation): string[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) return [`${plan.id} does not answer: ${reading?.why ?? 'it was not asked'}`];
    return carriesAt(state, observation, plan, reading.value);
  });
}

/** The same of those balancers alone that were read. */
export function stillCarrying(state: RolloutState, observation: Observation): string[] {
  return state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    return reading?.known ? carriesAt(state, observation, plan, reading.value) : [];
  });
}

function carriesAt(
  state: RolloutState,
  observation: Observation,
  plan: BackendPlan,
  reading: BackendReading,
): string[] {
  const isLeft = waitsForOrigin(state) && aloneAt(state, observation).includes(plan.id);
  return isLeft ? aloneLine(plan, reading) : carryingAt(plan, reading, []);
}

/** Where no origin server is up, the way back does. */
function waitsForOrigin({ back }: RolloutState): boolean {
  return back !== null && !back.all;
}

function aloneLine(plan: BackendPlan, reading: BackendReading): string[] {
  return carryingAt(plan, reading, []).map((line) => `${line}, because ${aloneRemedy(plan.id)}`);
}

/** The destination servers that carry, without those that are `kept` for now; at most one line. */
function carryingAt(plan: BackendPlan, reading: BackendReading, kept: readonly string[]): string[] {
  const names = serversOf(plan, reading, 'destination')
    .filter(({ name, admin, weight }) => admin !== 'maint' && weight > 0 && !kept.includes(name))
    .map(({ name }) => name);
  return names.length === 0
    ? []
    : [`${plan.id}: ${names.join(', ')} still ${names.length === 1 ? 'carries' : 'carry'}`];
}

/** What has not been taken back yet: an unreadable balancer, servers that still carry, requests in flight. */
function standing(state: RolloutState, watch: Watch, observation: Observation): string[] {
  const lines: string[] = [];
  const alone = waitsForOrigin(state) ? aloneNow(state, watch, observation) : [];
  const plans = state.plan.backends.filter(({ id }) => !alone.includes(id));
  const isCutting = state.stage.kind === 'cutting';
  const kept = isCutting ? carryingServers(state.intended?.target.traffic ?? {}, state.asFound, plans) : [];
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    if (!reading?.known) {
      const what = alone.includes(plan.id) ? aloneRemedy(plan.id) : 'the way back is sent to it again and again';
      lines.push(`${plan.id} does not answer (${reading?.why ?? 'not asked'}); ${what}`);
    } else if (alone.includes(plan.id)) lines.push(...aloneLine(plan, reading.value));
    else lines.push(...carryingAt(plan, reading.value, kept));
    const inFlight = watch.backends[plan.id]?.destinationInFlight ?? 0;
    if (inFlight > 0) lines.push(`${plan.id}: ${inFlight} requests in flight at the destination`);
  }
  if (kept.length > 0) {
    const grows = state.asFound.origin !== null;
    const until = grows ? 'it is growing' : 'nothing grows it here, so give it servers';
    lines.push(
      `${kept.join(', ')} still ${kept.length === 1 ? 'carries' : 'carry'}, because the origin cannot carry everything yet: ${until}, or take all of them back at once with \`drover back --all\``,
    );
  }
  return lines;
}

export function stageWords(state: RolloutState, stage: Stage): string {
  switch (stage.kind) {
    case 'preparing':
      return 'preparing: capacity before traffic';
    case 'drill-shifting':
      return 'drill: one server gets a little traffic';
    case 'drill-back':
      return 'drill: it is taken back, and timed';
    case 'drill-restoring':
      return 'drill: putting things back';
    case 'growing':
      return `${stepName(state, stage.step)}: waiting for capacity`;
    case 'shifting':
      return `${stepName(state, stage.step)}: waiting for the observed share`;
    case 'judging':
      return stage.step > state.plan.steps.length
        ? 'the whole share: only the objective and the tripwires watch'
        : `${stepName(state, stage.step)}: judging`;
    case 'finishing':
      return 'finishing: giving sizes back';
    case 'cutting':
      return 'on the way back: taking the traffic';
    case 'restoring':
      return 'on the way back: putting things as they were found';
    case 'rolled-back':
      return 'rolled back';
    case 'completed':
      return state.retired ? 'completed, reserve given up' : 'completed; the reserve stands until `drover retire`';
    default:
      return unreachable(stage);
  }
}

function unreachable(stage: never): never {
  throw new Error(`no words for ${JSON.stringify(stage)}`);
}
