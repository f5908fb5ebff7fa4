import type { Reading } from '../core/observed/reading.ts';
import { decide } from '../core/rollout/decide.ts';
import type { Decision, Effect } from '../core/rollout/decision.ts';
import { type DrillMeasure, type RolloutEvent, rolloutRules } from '../core/rollout/events.ts';
import type { Observation, OperatorRequest } from '../core/rollout/observation.ts';
import { fold, hasEnded, type RolloutState } from '../core/rollout/state.ts';
import { performedBack, startWatch, type Watch, watch } from '../core/rollout/watch.ts';
import { openDeadline, within } from './deadline.ts';
import { type Asking, KeptChain } from './kept-chain.ts';
import { type Lateness, latenessAfter, patienceWith } from './lateness.ts';
import { keepLease, type LeaseKeeper } from './lease.ts';
import { observe } from './observe.ts';
import type { Inbox, OperationPorts } from './operation-ports.ts';
import { performBack, performEffects } from './perform.ts';
import { collectSamples, type SampleCollector } from './samples.ts';
import { type SteadyClock, steadyClock } from './steady-clock.ts';
import { type Troubles, troubleLines, troublesAfter } from './troubles.ts';
import { waitFor } from './wait.ts';

/** The rules by which an operation runs; a parameter, so that the simulator can prove its checkers with wrong ones. */
export type Decider = { readonly decide: typeof decide; readonly watch: typeof watch; readonly fold: typeof fold };
const rolloutDecider: Decider = { decide, watch, fold };

/** `stopped`: the signal asked for it; nothing proceeds, the world stays as it is. */
export type OperationEnd = { readonly end: 'ended' | 'stopped' };

/** What a running controller shows; called after every pass. */
export type Glance = {
  readonly state: RolloutState;
  readonly watch: Watch;
  readonly observation: Observation;
  readonly decision: Decision;
  /** Why nothing is written to the journal at the moment; null: it is. */
  readonly trouble: string | null;
  /** What balancers and groups refused when it was last tried, a sentence each; empty: nothing. */
  readonly troubles: readonly string[];
};

/**
 * One operation's loop: observe → decide → append → perform → sleep. State comes from the chain and from nothing else, so
 * a controller may die anywhere and another goes on. Without the lease it waits, and only ever lowers the destination's share.
 */
export async function runOperation(
  ports: OperationPorts,
  operation: string,
  inbox: Inbox,
  signal: AbortSignal,
  decider: Decider = rolloutDecider,
  glance: (glance: Glance) => void = () => undefined,
): Promise<OperationEnd> {
  const loop = await openLoop(ports, operation, inbox, signal, decider, glance);
  try {
    while (!signal.aborted) {
      if (await pass(loop)) return { end: 'ended' };
    }
    return { end: 'stopped' };
  } finally {
    await loop.lease.release();
  }
}

type Loop = {
  /** Its clock is the steady one. */
  readonly ports: OperationPorts & { readonly clock: SteadyClock };
  readonly operation: string;
  readonly inbox: Inbox;
  readonly signal: AbortSignal;
  readonly decider: Decider;
  readonly glance: (glance: Glance) => void;
  readonly lease: LeaseKeeper;
  readonly kept: KeptChain<RolloutState>;
  readonly samples: SampleCollector;
  watch: Watch;
  /** Requests whose consequences are not durable yet. */
  requests: readonly OperatorRequest[];
  drill: Reading<DrillMeasure> | null;
  troubles: Troubles;
  lateness: Lateness;
};

/** How long the way back waits for a store that does not answer, each time it is asked; and a pass for what has not answered of late. */
const hurryMs = 250;
/** Another controller's time runs ahead by this much only after somebody has set the clock. */
const stepMsMin = 1000;

async function openLoop(
  given: OperationPorts,
  operation: string,
  inbox: Inbox,
  signal: AbortSignal,
  decider: Decider,
  glance: Loop['glance'],
): Promise<Loop> {
  const ports = { ...given, clock: steadyClock(given.clock) };
  // Leases are compared with other processes', whose time is the wall clock's.
  const lease = keepLease(given, operation);
  const opening = { ports, lease, fold: decider.fold, ask: ((ask) => asked(loop, ask)) satisfies Asking };
  const kept = await KeptChain.open<RolloutState>(opening, operation, never);
  const loop: Loop = {
    ...{ ports, operation, inbox, signal, decider, glance, lease, kept },
    samples: collectSamples(ports, operation),
    watch: startWatch(kept.state),
    requests: [],
    drill: null,
    troubles: {},
    lateness: {},
  };
  return loop;
}

/** One pass; true: the operation has ended. */
async function pass(loop: Loop): Promise<boolean> {
  const { ports, decider } = loop;
  loop.requests = [...loop.requests, ...loop.inbox.take()];
  const wasHeld = loop.lease.isHeld();
  await asked(loop, (signal) => loop.lease.keep(signal));
  // Whoever had it before may have written until the lease changed hands; whoever has it now goes on writing.
  if (!wasHeld || !loop.lease.isHeld() || loop.kept.isBehind) await catchUp(loop);
  const interrupts = [loop.signal, loop.inbox.urgent()];
  const drill = loop.drill;
  const beganMs = ports.clock.now();
  const patience = patienceWith(loop.lateness, beganMs, patienceMs(loop), hurryMs);
  const observation = await observe(
    ports,
    loop.kept.state.plan,
    loop.operation,
    loop.requests,
    drill,
    interrupts,
    loop.lease.isHeld(),
    patience,
  );
  // What was given up is no reading: the next pass looks anew, or there is none. Only what was asked for does not wait for one.
  const isGivenUp = interrupts.some((interrupt) => interrupt.aborted);
  if (isGivenUp && loop.requests.length === 0) return false;
  loop.lateness = latenessAfter(loop.lateness, observation, patience, beganMs);
  loop.watch = decider.watch(loop.watch, loop.kept.state, observation);
  loop.samples.add(loop.watch.windows);
  const decision = decider.decide(loop.kept.state, loop.watch, observation);
  const { watch } = loop;
  const { state } = loop.kept;
  const trouble = loop.kept.trouble ?? loop.lease.failure();
  if (!isGivenUp) loop.glance({ state, watch, observation, decision, trouble, troubles: troubleLines(loop.troubles) });
  if (decision.back.length > 0) {
    const { marker } = observation;
    // One that is there says who took it first, and when.
    const who = marker.known && marker.value !== null ? null : whoGoesBack(decision);
    const outcomes = await performBack(ports, loop.operation, who, decision);
    loop.troubles = troublesAfter(loop.troubles, decision.back, outcomes);
  }
  loop.watch = performedBack(loop.watch, decision.events);
  // An entry may change what is wanted: effects wait for the next pass, which follows at once.
  const { effects: allowed, msMax } = allowedEffects(loop, decision.events.length > 0 ? [] : decision.effects);
  const appended = await append(loop, decision, observation);
  if (appended) {
    const effects = await stillIntended(loop, allowed);
    const outer = [loop.signal, loop.inbox.urgent()];
    const { drill, outcomes } = await performEffects(ports, effects, outer, msMax);
    if (drill !== null) loop.drill = drill;
    // After an entry what is pending is known by the next pass only.
    if (decision.events.length === 0) loop.troubles = troublesAfter(loop.troubles, decision.effects, outcomes);
    if (decision.ended) {
      if (hasEnded(loop.kept.state)) await loop.kept.anchorEnd();
      return true;
    }
  }
  if (loop.kept.state.back === null) await loop.kept.anchorStart();
  await rest(loop, decision, observation);
  return false;
}

/** How long a call may take: while a way back is asked for, what does not answer at once is not waited for, and is written blind. */
function patienceMs({ requests, ports }: Loop): number {
  const isUrgent = requests.some((request) => request.kind === 'back');
  return isUrgent ? Math.min(hurryMs, ports.timing.callMs) : ports.timing.callMs;
}

/** Asks a store, which answers in time or not at all: the way back does not depend on a disk. */
async function asked<T>(loop: Loop, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = openDeadline(loop.ports.clock, patienceMs(loop), [loop.inbox.urgent()]);
  try {
    return await ask(deadline.signal);
  } finally {
    deadline.close();
  }
}

/** Without the lease, or while nothing can be journalled, only what takes traffic away from the destination. */
function allowedEffects(
  loop: Loop,
  effects: readonly Effect[],
): { readonly effects: readonly Effect[]; readonly msMax: number } {
  const isFree = loop.kept.trouble === null && !loop.kept.isBehind;
  const leftMs = loop.lease.leftMs();
  if (isFree && leftMs > loop.ports.timing.callMs / 2) return { effects, msMax: leftMs };
  const lowering = effects.filter(
    (effect) => effect.kind === 'traffic' && !effect.raises && loop.kept.state.back !== null,
  );
  // What lowers may come late, and gets its time without a lease too.
  return { effects: lowering, msMax: loop.ports.timing.callMs };
}

/**
 * Without the lease somebody else may have gone on while this pass looked: what the journal does not want any more is not written.
 * A way back that nobody can look up goes on.
 */
async function stillIntended(loop: Loop, effects: readonly Effect[]): Promise<readonly Effect[]> {
  if (effects.length === 0 || loop.lease.isHeld() || loop.kept.isBehind) return effects;
  const { seq } = loop.kept.chain.head();
  await catchUp(loop);
  return loop.kept.chain.head().seq === seq ? effects : [];
}

/** Appends the decision's events; false: they are not durable, and the next pass decides anew. */
async function append(loop: Loop, decision: Decision, observation: Observation): Promise<boolean> {
  const goesBack = decision.events.some((event) => event.kind === 'back-performed');
  if (!loop.lease.isHeld() && !goesBack) return decision.events.length === 0;
  if (decision.events.length === 0) {
    if (loop.lease.isHeld()) loop.requests = [];
    loop.kept.appendedNothing();
    return true;
  }
  const entries = await loop.kept.append(async (signal) => {
    const seq = loop.kept.chain.head().seq + 1;
    const events = await within(signal, Promise.all(decision.events.map((event) => loop.samples.seal(event, seq))));
    return events.map((body) => ({ body, actor: actorOf(body), atMs: observation.nowMs, rules: rolloutRules }));
  });
  if (entries === null) return false;
  loop.requests = [];
  if (entries.some(({ body }) => body.kind === 'drill-measured' || body.kind === 'back-performed')) loop.drill = null;
  await asked(loop, (signal) => within(signal, loop.samples.appended())).catch(() => undefined);
  return true;
}

async function catchUp(loop: Loop): Promise<void> {
  const { steppedMs } = await loop.kept.catchUp();
  // Windows over a jump of the time would show a load that never was.
  if (steppedMs > stepMsMin) loop.watch = startWatch(loop.kept.state, loop.watch.performed);
}

const never = new AbortController().signal;

async function rest(loop: Loop, decision: Decision, observation: Observation): Promise<void> {
  const { clock, timing } = loop.ports;
  const wakeAtMs = decision.wakeAtMs ?? observation.nowMs + timing.pollMs;
  // What could not be journalled, and a lease that somebody else has, are tried again at the usual pace.
  const soonest =
    loop.kept.trouble !== null || loop.kept.isBehind || !loop.lease.isHeld() ? clock.now() + timing.pollMs / 2 : 0;
  const ms = Math.max(wakeAtMs, soonest) - clock.now();
  await waitFor(clock, ms, loop.signal, [(signal) => loop.inbox.arrived(signal)]);
}

function whoGoesBack(decision: Decision): string {
  const event = decision.events.find((one) => one.kind === 'back-performed');
  if (event?.kind !== 'back-performed') return 'drover';
  const { cause } = event;
  if (cause.kind !== 'asked') return `drover (${cause.kind})`;
  return cause.reason === null ? cause.by : `${cause.by}: ${cause.reason}`;
}

function actorOf(event: RolloutEvent): string {
  if (event.kind === 'held' || event.kind === 'resumed' || event.kind === 'retired') return event.by;
  return event.kind === 'back-performed' && event.cause.kind === 'asked' ? event.cause.by : 'drover';
}
