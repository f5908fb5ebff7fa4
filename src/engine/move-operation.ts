import { endOf, startOf } from '../core/journal/anchors.ts';
import type { Entry } from '../core/journal/entry.ts';
import type { FleetEvent } from '../core/journal/fleet.ts';
import { decideMove } from '../core/move/operation/decide.ts';
import { markOf } from '../core/move/operation/decide-copying.ts';
import type { MoveDecision, MoveEffect } from '../core/move/operation/decision.ts';
import { type MoveEvent, moveRules } from '../core/move/operation/events.ts';
import type { MoveObservation, MoveRequest } from '../core/move/operation/observation.ts';
import { foldMove, hasMoveEnded, type MoveState } from '../core/move/operation/state.ts';
import type { MoverTold } from '../core/move/operation/told.ts';
import { known, type Reading, unknown } from '../core/observed/reading.ts';
import { anchor } from './anchors.ts';
import { type Chain, openChain } from './chain.ts';
import { Interruption, openDeadline, within } from './deadline.ts';
import { keepLease, type LeaseKeeper } from './lease.ts';
import type { Assignment, MovePorts } from './move-ports.ts';
import type { OperationEnd } from './operation.ts';
import type { Inbox } from './operation-ports.ts';
import { type SteadyClock, steadyClock } from './steady-clock.ts';
import { waitFor } from './wait.ts';

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
): Promise<OperationEnd> {
  const loop = await openLoop(ports, operation, inbox, signal, glance);
  const { clock } = loop.ports;
  inbox.push({ kind: 'begin' });
  try {
    while (!signal.aborted) {
      if (await pass(loop)) return { end: 'ended' };
    }
    const told = ports.mover.told();
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
  readonly chain: Chain;
  readonly lease: LeaseKeeper;
  readonly start: FleetEvent;
  state: MoveState;
  /** Whose consequences are not durable yet. */
  requests: readonly MoveRequest[];
  trouble: string | null;
  refusal: string | null;
  /** Why the target's topics could not be read last; null: they were, or nobody has to know them. */
  unread: string | null;
  /** The chain may be longer than `state` knows. */
  isBehind: boolean;
  isAnchored: boolean;
  /** What has failed, or was given up, may be performed until then, by the clock that never goes back. */
  performedUntilMs: number;
};

async function openLoop(
  given: MovePorts,
  operation: string,
  inbox: Inbox<MoveRequest>,
  signal: AbortSignal,
  glance: Loop['glance'],
): Promise<Loop> {
  const ports = { ...given, clock: steadyClock(given.clock) };
  const chain = openChain(ports.journal, operation, ports.sha256);
  const entries = await chain.catchUp(signal);
  let state: MoveState | null = null;
  for (const entry of entries) {
    state = foldMove(state, entry);
    ports.clock.catchUpWith(entry.atMs);
  }
  const [first] = entries;
  if (state === null || first === undefined) throw new Error(`there is no operation ${operation} in this journal`);
  const fresh = {
    requests: [],
    trouble: null,
    refusal: null,
    unread: null,
    isBehind: false,
    isAnchored: false,
    performedUntilMs: 0,
  };
  const lease = keepLease(given, operation, 'settled');
  return { ports, inbox, signal, glance, chain, lease, start: startOf(first), state, ...fresh };
}

/** One pass; true: the operation is over for this controller. */
async function pass(loop: Loop): Promise<boolean> {
  const { ports, lease } = loop;
  loop.requests = [...loop.requests, ...loop.inbox.take()];
  const { rate } = loop.state;
  // It takes nothing to be held: what journal and lease say of it comes later.
  if (loop.requests.some(restrains) && isMoving(loop)) ports.mover.want({ isHeld: true, rate }, assignmentOf(loop));
  const wasHeld = lease.isHeld();
  await asked(loop, (signal) => lease.keep(signal));
  if (!wasHeld || !lease.isHeld() || loop.isBehind) await catchUp(loop);
  ports.mover.allow(lease.leftMs());
  const observation = await observe(loop);
  const decision = decideMove(loop.state, observation);
  const trouble = loop.trouble ?? lease.failure();
  loop.glance({ state: loop.state, observation, trouble, refusal: loop.unread ?? loop.refusal });
  const mayAct = trouble === null && !loop.isBehind && lease.leftMs() > 0;
  ports.mover.want(mayAct ? decision.mover : null, assignmentOf(loop));
  const isAppended = await append(loop, decision.events, observation.nowMs);
  if (isAppended && mayAct && decision.events.length === 0) await perform(loop, decision.effects);
  if (isAppended && decision.isOver) {
    await ports.mover.close();
    if (hasMoveEnded(loop.state)) await anchor(ports, [loop.start, endOf(loop.chain.head())]);
    return true;
  }
  await anchorStart(loop);
  await rest(loop, decision);
  return false;
}

function restrains({ kind }: MoveRequest): boolean {
  return kind === 'hold' || kind === 'abort' || kind === 'back';
}

function isMoving({ ports }: Loop): boolean {
  const { kind } = ports.mover.told();
  return kind === 'running' || kind === 'starting';
}

function assignmentOf({ state }: Loop): Assignment {
  return { plan: state.plan, targetIds: state.targetIds };
}

/** The store answers in time, or not at all. */
async function asked<T>(loop: Loop, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = openDeadline(loop.ports.clock, loop.ports.timing.callMs, []);
  try {
    return await ask(deadline.signal);
  } finally {
    deadline.close();
  }
}

async function observe(loop: Loop): Promise<MoveObservation> {
  const { ports, requests } = loop;
  const topics = await readTopics(loop);
  return { nowMs: ports.clock.now(), requests, mover: ports.mover.told(), topics };
}

async function readTopics(loop: Loop): Promise<MoveObservation['topics']> {
  const { stage, plan, made, removed, kept, growing } = loop.state;
  const isQuiet = stage.kind === 'copying' && Object.keys(growing).length === 0;
  if (isQuiet || hasMoveEnded(loop.state) || loop.requests.length > 0) {
    loop.unread = null;
    return null;
  }
  const topics = plan.topics.map(({ name }) => name);
  const isOpen = (topic: string) => !removed.includes(topic) && kept[topic] === undefined;
  const holdingsOf = stage.kind === 'removing' ? made.filter(isOpen) : [];
  const deadline = openDeadline(loop.ports.clock, loop.ports.timing.callMs, [loop.signal, loop.inbox.urgent()]);
  const { signal } = deadline;
  const read: Promise<Reading<Awaited<ReturnType<MovePorts['target']['read']>>>> = within(
    signal,
    loop.ports.target.read({ topics, holdingsOf }, signal),
  ).then(known, (error: unknown) => unknown(reasonOf(error)));
  const reading = await read;
  deadline.close();
  loop.unread = reading.known ? null : reading.why;
  return reading;
}

/** false: the events are not durable, and the next pass decides anew. */
async function append(loop: Loop, events: readonly MoveEvent[], atMs: number): Promise<boolean> {
  const { lease, chain } = loop;
  if (!lease.isHeld()) return false;
  if (events.length === 0) {
    loop.requests = [];
    return true;
  }
  const drafts = events.map((body) => ({ body, actor: actorOf(body), atMs, rules: moveRules }));
  try {
    const entries = await asked(loop, (signal) => chain.append(drafts, signal));
    loop.trouble = null;
    if (entries === 'conflict') lease.doubt();
    else {
      follow(loop, entries);
      loop.requests = [];
      return true;
    }
  } catch (error) {
    loop.trouble = reasonOf(error);
  }
  loop.isBehind = true;
  return false;
}

function follow(loop: Loop, entries: readonly Entry[]): void {
  for (const entry of entries) {
    loop.state = foldMove(loop.state, entry);
    loop.ports.tell(entry);
  }
}

/** Reads what others have appended, and what this controller has without learning of it. */
async function catchUp(loop: Loop): Promise<void> {
  try {
    for (const entry of await asked(loop, (signal) => loop.chain.catchUp(signal))) {
      loop.state = foldMove(loop.state, entry);
      loop.ports.clock.catchUpWith(entry.atMs);
    }
    loop.isBehind = false;
    loop.trouble = null;
  } catch (error) {
    loop.isBehind = true;
    loop.trouble = reasonOf(error);
  }
}

async function perform(loop: Loop, effects: readonly MoveEffect[]): Promise<void> {
  if (effects.length === 0) return;
  const { clock, timing } = loop.ports;
  const deadline = openDeadline(clock, Math.min(timing.callMs, loop.lease.leftMs()), [
    loop.signal,
    loop.inbox.urgent(),
  ]);
  try {
    for (const effect of effects) await within(deadline.signal, performOne(loop, effect, deadline.signal));
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

async function performOne({ ports }: Loop, effect: MoveEffect, signal: AbortSignal): Promise<void> {
  const { target } = ports;
  switch (effect.kind) {
    case 'make-topic':
      return await target.makeTopic(effect.topic, effect, signal);
    case 'make-partitions':
      return await target.makePartitions(effect.topic, effect.partitions, signal);
    case 'change-settings':
      return await target.changeSettings(effect.changes, signal);
    case 'delete-topic':
      return await target.deleteTopic(effect.topic, effect.topicId, signal);
    default:
      return unreachable(effect);
  }
}

async function anchorStart(loop: Loop): Promise<void> {
  if (loop.isAnchored || !loop.lease.isHeld() || loop.trouble !== null) return;
  await asked(loop, (signal) => within(signal, anchor(loop.ports, [loop.start]))).then(
    () => {
      loop.isAnchored = true;
    },
    () => undefined,
  );
}

async function rest(loop: Loop, decision: MoveDecision): Promise<void> {
  const { clock, timing, mover } = loop.ports;
  const usualMs = clock.now() + timing.pollMs;
  const wakeAtMs = Math.min(decision.wakeAtMs ?? usualMs, usualMs);
  // What could not be journalled, and a lease that somebody else has, are tried again at the usual pace.
  const isBlocked = loop.trouble !== null || loop.isBehind || loop.lease.leftMs() === 0;
  const soonest = isBlocked ? clock.now() + timing.pollMs / 2 : 0;
  const events = [(signal: AbortSignal) => loop.inbox.arrived(signal), (signal: AbortSignal) => mover.news(signal)];
  await waitFor(clock, Math.max(wakeAtMs, soonest) - clock.now(), loop.signal, isBlocked ? events.slice(0, 1) : events);
}

/** Told to stop, this controller says so, that nobody takes it for one that has died. */
async function leave(loop: Loop, told: MoverTold): Promise<void> {
  if (!loop.lease.isHeld() || hasMoveEnded(loop.state)) return;
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
