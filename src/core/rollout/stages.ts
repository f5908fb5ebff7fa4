import { verdict } from '../judge/judge.ts';
import { newestShare } from './checkpoint.ts';
import { drillRps, drillShareMost } from './drill.ts';
import { carriesByTarget, resizeEffect, trafficEffect } from './effects.ts';
import { attemptKey, type DrillMeasure, type ForwardStage, type RolloutEvent, type Target } from './events.ts';
import { type Facts, sameBuilds } from './facts.ts';
import { outWords } from './hands.ts';
import { lastWordsOf, unraisedWords } from './last-words.ts';
import type { Observation } from './observation.ts';
import { carriesNow, isStillStopping, serversOf, wokenAtOrigin } from './servers.ts';
import { rebalanced, shareCheck, shareNotWhole } from './share.ts';
import { isConfirmed, type RolloutState } from './state.ts';
import { isCapable, needOf, stepAt, stepStands, targetOfStep, withFloors } from './step-needs.ts';
import { carryingServers, trafficAsFound, trafficDrilled, trafficForDrill } from './targets.ts';
import { type Watch, watchedMs } from './watch.ts';

type Pass = {
  readonly state: RolloutState;
  readonly watch: Watch;
  readonly observation: Observation;
  readonly facts: Facts;
};

/** The next entries of the stage that the rollout is in; empty: it waits. Waiting is not an error. */
export function stageEvents(state: RolloutState, watch: Watch, observation: Observation, facts: Facts): RolloutEvent[] {
  const pass = { state, watch, observation, facts };
  const floors = floorEvents(pass);
  if (floors.length > 0) return floors;
  if (state.held !== null) return [];
  const stage = state.stage;
  switch (stage.kind) {
    case 'preparing':
      return drillOnAble(pass, 'the drill, on');
    case 'drill-shifting':
      return drillShifting(pass);
    case 'drill-back':
      return drillBack(pass);
    case 'drill-restoring':
      return drillRestoring(pass);
    case 'growing':
      return growing(pass, stage.step);
    case 'shifting':
      return shifting(pass, stage.step);
    case 'judging':
      return judging(pass, stage.step);
    case 'finishing':
      return finishing(pass);
    default:
      return [];
  }
}

/** Capacity follows the load in every stage, held or not: the reserve and the step's own servers. */
function floorEvents({ state, facts }: Pass): RolloutEvent[] {
  if (state.stage.kind === 'finishing') return [];
  const target = withFloors(state, facts, 'step' in state.stage ? state.stage.step : 1);
  if (target === null) return [];
  const traffic = state.intended === null ? trafficAsFound(state) : target.traffic;
  return [{ kind: 'intended', target: { ...target, traffic }, why: 'capacity before traffic' }];
}

/** Everything is as found: on to the first step, or to the drill again where its measurement is lost. */
function drillRestoring(pass: Pass): RolloutEvent[] {
  if (pass.state.drill === null) return drillOnAble(pass, 'the drill again, on');
  return isConfirmed(pass.state) ? [entered({ kind: 'growing', step: 1 })] : [];
}

function drillOnAble(pass: Pass, why: string): RolloutEvent[] {
  const { state, facts } = pass;
  if (!isCapable(state, facts, 1) || facts.blockers.length > 0 || !facts.destinationAble.known || !isConfirmed(state))
    return [];
  const server = facts.destinationAble.value[0];
  return server === undefined ? [] : drillOn(pass, server, why);
}

function drillShifting({ state, watch, observation }: Pass): RolloutEvent[] {
  if (!isConfirmed(state) || state.intended === null) return [];
  // One that somebody has taken out is not the drill's to take back, and to wake; where nobody looks, somebody may have.
  const isAllRead = state.plan.backends.every(({ id }) => observation.backends[id]?.reading.known === true);
  if (!isAllRead || outWords(state, observation) !== null) return [];
  const enough = watch.drillAttempts >= state.plan.policy.drill.requests;
  const waitedMs = watchedMs(watch, state.stageSinceMs, observation.nowMs);
  if (!enough && waitedMs < state.plan.policy.drill.ms) return [];
  const server = drillServer(state, state.intended.target);
  if (server === null) return [];
  return [
    retarget(
      state,
      { requestedShare: 0, traffic: trafficDrilled(state, server) },
      `the drill: ${server} is taken back`,
    ),
    entered({ kind: 'drill-back' }),
  ];
}

function drillBack(pass: Pass): RolloutEvent[] {
  const { state, watch, observation } = pass;
  if (observation.drill?.known) return drilled(state, observation.drill.value, watch);
  if (observation.drill !== null || state.intended === null || !isWritten(pass)) return [];
  // In maint, and nobody has the measurement: the controller that made it is gone. The drill is repeated, once the server is awake:
  // a balancer that checks nothing in maint does not tell whether it can carry.
  const target = { requestedShare: 0, traffic: trafficAsFound(state) };
  return [
    retarget(state, target, 'the drill is to be repeated: its measurement is lost'),
    entered({ kind: 'drill-restoring' }),
  ];
}

function drillOn({ state, observation, facts }: Pass, server: string, why: string): RolloutEvent[] {
  const share = facts.load.known ? drillShareMost(state.plan.policy, facts.load.value) : 0;
  const traffic = trafficForDrill(state, observation, server, share);
  return [retarget(state, { requestedShare: null, traffic }, `${why} ${server}`), entered({ kind: 'drill-shifting' })];
}

function drilled(state: RolloutState, measure: DrillMeasure, watch: Watch): RolloutEvent[] {
  const attempts = watch.drillAttempts;
  const bound = state.plan.policy.drill.boundMs;
  const tookMs = measure.acknowledgedMs + measure.lastAttemptMs;
  const passed = tookMs <= bound;
  const wanted = state.plan.policy.drill.requests;
  const traffic =
    attempts < wanted
      ? `rehearsed without traffic (${attempts} of ${wanted} attempts)`
      : `rehearsed with ${attempts} attempts`;
  const note = passed ? traffic : `the way back took ${Math.round(tookMs)} ms, its bound is ${bound} ms`;
  const event: RolloutEvent = {
    kind: 'drill-measured',
    measure: { ...measure, attempts, rps: drillRps(watch.drillRate) ?? measure.rps },
    passed,
    note,
  };
  if (!passed) return [event];
  return [
    event,
    retarget(state, { requestedShare: 0, traffic: trafficAsFound(state) }, 'the drill is over'),
    entered({ kind: 'drill-restoring' }),
  ];
}

function growing(pass: Pass, step: number): RolloutEvent[] {
  const { state, watch, observation, facts } = pass;
  if (isCapable(state, facts, step) && facts.blockers.length === 0) {
    const target = targetOfStep(state, observation, facts, step);
    return [{ kind: 'intended', target, why: stepName(state, step) }, entered({ kind: 'shifting', step })];
  }
  const waitedMs = watchedMs(watch, state.stageSinceMs, observation.nowMs);
  if (waitedMs < state.plan.policy.capacityMsMax) return [];
  return [{ kind: 'held', by: 'drover', why: capacityMissing(pass, step, waitedMs) }];
}

function shifting(pass: Pass, step: number): RolloutEvent[] {
  const { state, watch, observation, facts } = pass;
  const changed = rebalanced(pass, step);
  if (changed !== null) return [{ kind: 'intended', target: changed, why: 'the groups changed' }];
  const waitedMs = watchedMs(watch, state.stageSinceMs, observation.nowMs);
  if (!isConfirmed(state)) {
    if (facts.blockers.length > 0 || waitedMs < state.plan.policy.settleMsMax) return [];
    return [{ kind: 'held', by: 'drover', why: 'the balancer does not show the weights that were written' }];
  }
  const check = shareCheck(state, watch);
  if (check.kind === 'too few') return [];
  if (check.kind === 'near') {
    const key = attemptKey(step, state.builds);
    return [{ kind: 'stage-entered', stage: { kind: 'judging', step }, attempt: (state.attempts[key] ?? 0) + 1 }];
  }
  if (waitedMs < state.plan.policy.settleMsMax) return [];
  return [{ kind: 'held', by: 'drover', why: check.why }];
}

function judging(pass: Pass, step: number): RolloutEvent[] {
  const { state, watch, observation, facts } = pass;
  const changed = rebalanced(pass, step);
  if (changed !== null) return [{ kind: 'intended', target: changed, why: 'the groups changed' }];
  const bakedMs = observation.nowMs - state.stageSinceMs;
  const watched = watchedMs(watch, state.stageSinceMs, observation.nowMs);
  const check = shareCheck(state, watch);
  // The judge goes by the observed share whatever it is; one that stays away from its weights means that nobody steers it.
  const isAstray = observation.nowMs - (watch.shareOffSinceMs ?? observation.nowMs) >= state.plan.policy.settleMsMax;
  if (check.kind === 'off' && isAstray && isConfirmed(state)) return [{ kind: 'held', by: 'drover', why: check.why }];
  // A balancer that was restarted has not got its weights back: whatever is seen now is no step's.
  if (!isConfirmed(state)) return [];
  // What runs now has to be what the evidence was gathered on; a change that could not be journalled yet shows here only.
  if (!facts.builds.known || !sameBuilds(facts.builds.value, state.builds)) return [];
  // Nor on capacity that is gone: what carries now is what the step is about.
  if (!stepStands(state, observation, facts, step)) return capacityGone(pass, step);
  const config = stepAt(state, step);
  if (config === null) {
    const woken = wokenAtOrigin(state, observation);
    if (woken.length > 0) return [wokenHold(woken)];
    const isOver = watched >= state.plan.policy.finalBakeMs && stillAtOrigin(state, watch, observation) === null;
    return isOver ? finish(state) : [];
  }
  const word = verdict(watch.judge);
  if (word.verdict !== 'promote' || bakedMs < config.bakeMs) return [];
  const share = check.kind === 'too few' ? null : check.observed;
  return [{ kind: 'promoted', step, verdict: word, share }, entered({ kind: 'growing', step: step + 1 })];
}

/** Waiting is no error; what stays away as long as a step may wait for it is told. */
function capacityGone(pass: Pass, step: number): RolloutEvent[] {
  const { state, watch, observation } = pass;
  const waitedMs = observation.nowMs - (watch.notStandingSinceMs ?? observation.nowMs);
  if (waitedMs < state.plan.policy.capacityMsMax) return [];
  return [{ kind: 'held', by: 'drover', why: capacityMissing(pass, step, waitedMs) }];
}

/** The traffic stays where it was moved; the destination's size is its own again. The reserve stays until `retire`. */
function finish(state: RolloutState): RolloutEvent[] {
  const found = state.asFound.destination;
  const destination = found && { min: found.min, desired: null, exact: true };
  return [
    { ...retarget(state, {}, 'the size of the destination is given back'), target: { ...present(state), destination } },
    entered({ kind: 'finishing' }),
  ];
}

/** Who of the origin carries though the whole share is taken: nothing is completed before nobody does. null: nobody, as far as is seen. */
export function stillAtOrigin(
  state: RolloutState,
  watch: Pick<Watch, 'share'>,
  observation: Observation,
): string | null {
  const carrying = state.plan.backends.flatMap((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    const servers = reading?.known ? serversOf(plan, reading.value, 'origin') : [];
    return servers.filter(carriesNow).map(({ name, weight }) => `${name} at ${plan.id} (weight ${weight})`);
  });
  if (carrying.length > 0) return `the origin still carries: ${carrying.join(', ')}`;
  const observed = shareNotWhole(state, watch);
  if (observed === null) return null;
  return `the origin still gets requests, though none of its servers has a weight: the observed share is ${Math.round(observed * 1000) / 10} %`;
}

/** Nobody else's server is written, so the share can only become whole when its owner puts it aside again. */
function wokenHold(servers: readonly string[]): RolloutEvent {
  const why = `${servers.join(', ')} had been put aside before the rollout began and carry traffic again, so the share is not whole; put them aside, and resume`;
  return { kind: 'held', by: 'drover', why };
}

function finishing(pass: Pass): RolloutEvent[] {
  const { state, watch, observation } = pass;
  const target = present(state);
  const group = observation.destination.reading;
  if (!isConfirmed(state) || !group.known || resizeEffect('destination', group, target.destination) !== null) return [];
  // Somebody may have taken traffic back since it was read back; two readings tell, and then it is held.
  if (isStillStopping(state, observation) || !isAsTargeted(pass)) return [];
  const woken = wokenAtOrigin(state, observation);
  if (woken.length > 0) return [wokenHold(woken)];
  if (stillAtOrigin(state, watch, observation) !== null) return [];
  return [{ kind: 'completed', share: newestShare(watch), counted: watch.counted }];
}

/** Every backend can be read now, and nothing in it differs from what is intended. */
function isAsTargeted({ state, observation }: Pass): boolean {
  return state.plan.backends.every((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    return reading?.known && trafficEffect(plan, reading.value, targets) === null;
  });
}

/** The world shows the drill's server in maint, in every backend. */
function isWritten({ state, observation }: Pass): boolean {
  return state.plan.backends.every((plan) => {
    const reading = observation.backends[plan.id]?.reading;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    return (
      reading?.known &&
      reading.value.servers.every((server) => targets[server.name]?.admin !== 'maint' || server.admin === 'maint')
    );
  });
}

function drillServer({ plan }: RolloutState, target: Target): string | null {
  for (const backend of plan.backends) {
    for (const [name, server] of Object.entries(target.traffic[backend.id] ?? {})) {
      if (server.admin === 'maint' || carriesByTarget(backend, name, server)) return name;
    }
  }
  return null;
}

function capacityMissing({ state, observation, facts }: Pass, step: number, waitedMs: number): string {
  const wrote = unraisedWords(lastWordsOf(observation.destination.reading));
  const blocked = facts.blockers.length > 0 ? `; ${facts.blockers.join('; ')}` : '';
  return `${capacityLack(state, facts, step)} after ${Math.round(waitedMs / 1000)} s${wrote}${blocked}`;
}

/** How many destination instances a step needs, and how many can carry. */
export function capacityLack(state: RolloutState, facts: Facts, step: number): string {
  const need = needOf(state, facts, step);
  const able = facts.destinationAble.known ? facts.destinationAble.value.length : null;
  const max = state.asFound.destination?.max;
  const limit = max !== undefined && need !== null && need > max ? ` (its maximum is ${max})` : '';
  const lost = facts.destinationAble.known ? unableOf(state, facts.destinationAble.value) : [];
  const without = lost.length === 0 ? '' : `, and of those that are to carry not ${lost.join(', ')}`;
  const wanted = `${need ?? 'an unknown number of'} destination ${need === 1 ? 'instance' : 'instances'}${limit}`;
  return `${stepName(state, step)} needs ${wanted}, ${able ?? 'an unknown number'} ${able === 1 ? 'is' : 'are'} able${without}`;
}

function unableOf({ intended, asFound, plan }: RolloutState, able: readonly string[]): string[] {
  const isAble = new Set(able);
  return carryingServers(intended?.target.traffic ?? {}, asFound, plan.backends).filter((name) => !isAble.has(name));
}

function instanceWords(instances: number): string {
  return instances === 1 ? '1 instance' : `${instances} instances`;
}

export function stepName(state: RolloutState, step: number): string {
  const config = stepAt(state, step);
  if (config === null) return 'the whole share';
  const what =
    config.kind === 'capacity' ? instanceWords(config.instances) : `${Math.round(config.share * 1000) / 10} %`;
  return `step ${step} of ${state.plan.steps.length} (${what})`;
}

function entered(stage: ForwardStage): RolloutEvent {
  return { kind: 'stage-entered', stage, attempt: 0 };
}

function present(state: RolloutState): Target {
  if (state.intended === null) throw new Error(`${state.operation}: stage ${state.stage.kind} without a target`);
  return state.intended.target;
}

function retarget(state: RolloutState, change: Partial<Target>, why: string) {
  return { kind: 'intended' as const, target: { ...present(state), ...change }, why };
}
