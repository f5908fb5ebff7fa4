import { decideMove } from '../core/move/operation/decide.ts';
import { areAclsAsked } from '../core/move/operation/decide-acls.ts';
import { markOf } from '../core/move/operation/decide-copying.ts';
import type { MoveDecision, MoveEffect } from '../core/move/operation/decision.ts';
import { type MoveEvent, moveRules } from '../core/move/operation/events.ts';
import type { MoveObservation, MoveRequest } from '../core/move/operation/observation.ts';
import { foldMove, hasMoveEnded, type MoveState } from '../core/move/operation/state.ts';
import type { MoverTold } from '../core/move/operation/told.ts';
import { known, type Reading, unknown } from '../core/observed/reading.ts';
import { Interruption, openDeadline, within } from './deadline.ts';
import { type Asking, KeptChain } from './kept-chain.ts';
import { keepLease, type LeaseKeeper } from './lease.ts';
import type { Assignment, MovePorts } from './move-ports.ts';
import type { OperationEnd } from './operation.ts';
import type { Inbox } from './operation-ports.ts';
import { type SteadyClock, steadyClock } from './steady-clock.ts';
import { waitFor } from './wait.ts';

/** The rules by which a copy runs; a parameter, so that the simulator can prove its checkers with wrong ones. */
export type MoveDecider = { readonly decide: typeof decideMove; readonly fold: typeof foldMove };
const moveDecider: MoveDecider = { decide: decideMove, fold: foldMove };

/** What a running controller of a copy shows; called after every pass. */
export type MoveGlance = {
  readonly state: MoveState;
  readonly observation: MoveObservation;
  /** Why nothing is written to the journal at the moment; null: it is. */
  readonly trouble: string | null;
  /** Why the target does not do what was asked last; null: nothing has failed. */
  readonly refusal: string | null;
};

/**
 * The loop of one copy: observe → decide → append → perform → sleep, as a rollout's. The data is moved by a process of its own, which
 * may send for as long as this one holds the lease and says so; a hold reaches it before anything is written or waited for.
 */
export async function runMove(
  ports: MovePorts,
  operation: string,
  inbox: Inbox<MoveRequest>,
  signal: AbortSignal,
  glance: (glance: MoveGlance) => void = () => undefined,
  decider: MoveDecider = moveDecider,
): Promise<OperationEnd> {
  const loop = await openLoop(ports, operation, inbox, signal, glance, decider).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (loop === null) return { end: 'stopped' };
  const { clock } = loop.ports;
  inbox.push({ kind: 'begin' });
  try {
    while (!signal.aborted) {
      if (await pass(loop)) return { end: 'ended' };
    }
    const told = toldBy(loop);
    await ports.mover.close();
    await leave(loop, told);
    return { end: 'stopped' };
  } finally {
    const { isSettled } = await ports.mover.close();
    await loop.lease.release(isSettled && clock.monotonic() >= loop.performedUntilMs);
  }
}

type Loop = {
  readonly ports: MovePorts & { readonly clock: SteadyClock };
  readonly inbox: Inbox<MoveRequest>;
  readonly signal: AbortSignal;
  readonly glance: (glance: MoveGlance) => void;
  readonly decider: MoveDecider;
  readonly lease: LeaseKeeper;
  readonly kept: KeptChain<MoveState>;
  /** Whose consequences are not durable yet. */
  requests: readonly MoveRequest[];
  refusal: string | null;
  /** Why the target could not be asked last; null: they were, or nobody has to know them. */
  unread: string | null;
  /** Topics that the target has answered to have made. */
  made: Readonly<Record<string, string>>;
  /** What has failed, or was given up, may be performed until then, by the clock that never goes back. */
  performedUntilMs: number;
  /** What this controller's movers have sent: all of it, and before it wrote last that data may move. */
  bytes: number;
  bytesBefore: number;
};

async function openLoop(
  given: MovePorts,
  operation: string,
  inbox: Inbox<MoveRequest>,
  signal: AbortSignal,
  glance: Loop['glance'],
  decider: MoveDecider,
): Promise<Loop> {
  const ports = { ...given, clock: steadyClock(given.clock) };
  const lease = keepLease(given, operation, 'settled');
  const opening = { ports, lease, fold: decider.fold, ask: ((ask) => asked(loop, ask)) satisfies Asking };
  const kept = await KeptChain.open<MoveState>(opening, operation, signal);
  const fresh = { requests: [], refusal: null, unread: null, made: {}, performedUntilMs: 0, bytes: 0, bytesBefore: 0 };
  const loop: Loop = { ports, inbox, signal, glance, decider, lease, kept, ...fresh };
  return loop;
}

/** One pass; true: the operation is over for this controller. */
async function pass(loop: Loop): Promise<boolean> {
  const { ports, lease, kept } = loop;
  loop.requests = [...loop.requests, ...loop.inbox.take()];
  const { rate } = kept.state;
  // It takes nothing to be held: what journal and lease say of it comes later.
  if (loop.requests.some(restrains) && isMoving(loop)) ports.mover.want({ isHeld: true, rate }, assignmentOf(loop));
  const wasHeld = lease.isHeld();
  await asked(loop, (signal) => lease.keep(signal));
  if (!wasHeld || !lease.isHeld() || loop.kept.isBehind) await catchUp(loop);
  ports.mover.allow(lease.leftMs());
  const observation = await observe(loop);
  const decision = loop.decider.decide(loop.kept.state, observation);
  const trouble = loop.kept.trouble ?? lease.failure();
  loop.glance({ state: loop.kept.state, observation, trouble, refusal: loop.unread ?? loop.refusal });
  const mayAct = trouble === null && !loop.kept.isBehind && lease.leftMs() > 0;
  ports.mover.want(mayAct ? decision.mover : null, assignmentOf(loop));
  const isAppended = await append(loop, decision.events, observation.nowMs);
  if (isAppended && mayAct && decision.events.length === 0) await perform(loop, decision.effects);
  if (isAppended && decision.isOver) {
    await ports.mover.close();
    if (hasMoveEnded(kept.state)) await kept.anchorEnd();
    return true;
  }
  await kept.anchorStart();
  await rest(loop, decision);
  return false;
}

function restrains({ kind }: MoveRequest): boolean {
  return kind === 'hold' || kind === 'abort' || kind === 'back' || kind === 'rebuild';
}

function isMoving({ ports }: Loop): boolean {
  const { kind } = ports.mover.told();
  return kind === 'running' || kind === 'starting';
}

function assignmentOf({ kept: { state } }: Loop): Assignment {
  return { plan: state.plan, targetIds: state.targetIds };
}

/** The store answers in time, or not at all; what is urgent does not wait for it. */
async function asked<T>(loop: Loop, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = openDeadline(loop.ports.clock, loop.ports.timing.callMs, [loop.inbox.urgent()]);
  try {
    return await ask(deadline.signal);
  } finally {
    deadline.close();
  }
}

async function observe(loop: Loop): Promise<MoveObservation> {
  const { ports, requests } = loop;
  const topics = await readTopics(loop);
  const acls = await readAcls(loop, topics);
  const nowMs = ports.clock.now();
  const quietAtMs = nowMs + Math.max(0, loop.performedUntilMs - ports.clock.monotonic());
  return { nowMs, requests, mover: toldBy(loop), topics, acls, made: loop.made, quietAtMs };
}

/** Bytes count from where this controller last wrote that data may move: what others have sent since is not its own. */
function toldBy(loop: Loop): MoverTold {
  const told = loop.ports.mover.told();
  if (told.kind !== 'running' && told.kind !== 'done') return told;
  loop.bytes = told.bytes;
  return { ...told, bytes: told.bytes - loop.bytesBefore };
}

async function readTopics(loop: Loop): Promise<MoveObservation['topics']> {
  const { stage, plan, made, removed, kept, growing } = loop.kept.state;
  const isQuiet = stage.kind === 'copying' && Object.keys(growing).length === 0;
  if (isQuiet || hasMoveEnded(loop.kept.state) || loop.requests.length > 0) {
    loop.unread = null;
    return null;
  }
  const topics = plan.topics.map(({ name }) => name);
  const isOpen = (topic: string) => !removed.includes(topic) && kept[topic] === undefined;
  const rebuilding = stage.kind === 'rebuilding' ? [stage.topic] : [];
  const holdingsOf = stage.kind === 'removing' ? made.filter(isOpen) : rebuilding;
  return await looked(loop, (signal) => loop.ports.target.read({ topics, holdingsOf }, signal));
}

/** Where topics could not be read, nobody answers this either. */
async function readAcls(loop: Loop, topics: MoveObservation['topics']): Promise<MoveObservation['acls']> {
  if (topics === null || !topics.known || !areAclsAsked(loop.kept.state)) return null;
  return await looked(loop, (signal) => loop.ports.acls.readAcls(signal));
}

/** The target answers in time, or why it does not is told. */
async function looked<T>(loop: Loop, look: (signal: AbortSignal) => Promise<T>): Promise<Reading<T>> {
  const deadline = openDeadline(loop.ports.clock, loop.ports.timing.callMs, [loop.signal, loop.inbox.urgent()]);
  const { signal } = deadline;
  const reading: Reading<T> = await within(signal, look(signal)).then(known, (error: unknown) =>
    unknown(reasonOf(error)),
  );
  deadline.close();
  loop.unread = reading.known ? null : reading.why;
  return reading;
}

/** false: the events are not durable, and the next pass decides anew. */
async function append(loop: Loop, events: readonly MoveEvent[], atMs: number): Promise<boolean> {
  const { kept } = loop;
  if (!loop.lease.isHeld()) return false;
  if (events.length === 0) kept.appendedNothing();
  else {
    const drafts = events.map((body) => ({ body, actor: actorOf(body), atMs, rules: moveRules }));
    if ((await kept.append(async () => drafts)) === null) return false;
    if (events.some(({ kind }) => kind === 'copying')) loop.bytesBefore = loop.bytes;
  }
  loop.requests = [];
  return true;
}

/** Where somebody else has let data move meanwhile, this one has to begin anew. */
async function catchUp(loop: Loop): Promise<void> {
  const { entries } = await loop.kept.catchUp();
  if (entries.some(({ body }) => body.kind === 'copying')) loop.requests = [...loop.requests, { kind: 'begin' }];
}

async function perform(loop: Loop, effects: readonly MoveEffect[]): Promise<void> {
  if (effects.length === 0) return;
  const { clock, timing } = loop.ports;
  const deadline = openDeadline(clock, Math.min(timing.callMs, loop.lease.leftMs()), [
    loop.signal,
    loop.inbox.urgent(),
  ]);
  try {
    for (const effect of effects) {
      // Whoever has stood still may have no lease any more.
      if (loop.lease.leftMs() === 0) return;
      await within(deadline.signal, performOne(loop, effect, deadline.signal));
    }
    loop.refusal = null;
  } catch (error) {
    // Whether it was done shows in the next reading, or in a later one.
    loop.performedUntilMs = clock.monotonic() + timing.callMs;
    if (!(error instanceof Interruption)) loop.refusal = reasonOf(error);
    await clock.sleep(timing.pollMs, loop.inbox.urgent());
  } finally {
    deadline.close();
  }
}

async function performOne(loop: Loop, effect: MoveEffect, signal: AbortSignal): Promise<void> {
  const { target, acls } = loop.ports;
  switch (effect.kind) {
    case 'make-topic': {
      const topicId = await target.makeTopic(effect.topic, effect, signal);
      if (topicId !== null) loop.made = { ...loop.made, [effect.topic]: topicId };
      return;
    }
    case 'make-partitions':
      return await target.makePartitions(effect.topic, effect.partitions, signal);
    case 'change-settings':
      return await target.changeSettings(effect.changes, signal);
    case 'make-acls':
      return await acls.makeAcls(effect.acls, signal);
    case 'delete-acls':
      return await acls.deleteAcls(effect.acls, signal);
    case 'delete-topic':
      return await target.deleteTopic(effect.topic, effect.topicId, signal);
    default:
      return unreachable(effect);
  }
}

async function rest(loop: Loop, decision: MoveDecision): Promise<void> {
  const { clock, timing, mover } = loop.ports;
  const usualMs = clock.now() + timing.pollMs;
  const wakeAtMs = Math.min(decision.wakeAtMs ?? usualMs, usualMs);
  // What could not be journalled, and a lease that somebody else has, are tried again at the usual pace.
  const isBlocked = loop.kept.trouble !== null || loop.kept.isBehind || loop.lease.leftMs() === 0;
  const soonest = isBlocked ? clock.now() + timing.pollMs / 2 : 0;
  const events = [(signal: AbortSignal) => loop.inbox.arrived(signal), (signal: AbortSignal) => mover.news(signal)];
  await waitFor(clock, Math.max(wakeAtMs, soonest) - clock.now(), loop.signal, isBlocked ? events.slice(0, 1) : events);
}

/** Told to stop, this controller says so, that nobody takes it for one that has died. */
async function leave(loop: Loop, told: MoverTold): Promise<void> {
  if (!loop.lease.isHeld() || hasMoveEnded(loop.kept.state)) return;
  const marks: MoveEvent[] =
    told.kind === 'running'
      ? [{ kind: 'copy-checkpoint', bytes: told.bytes, partitions: told.partitions.map(markOf) }]
      : [];
  const events: MoveEvent[] = [...marks, { kind: 'copy-left', why: whyStopped(loop.signal) }];
  await append(loop, events, loop.ports.clock.now());
}

function whyStopped({ reason }: AbortSignal): string {
  return typeof reason === 'string' ? reason : 'it was asked to stop';
}

function actorOf(event: MoveEvent): string {
  return 'by' in event ? event.by : 'drover';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unreachable(effect: never): never {
  throw new Error(`cannot perform ${JSON.stringify(effect)}`);
}
