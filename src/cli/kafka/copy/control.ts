import type { Entry } from '../../../core/journal/entry.ts';
import type { DiskFloor } from '../../../core/move/disk-floor.ts';
import { copyMetrics } from '../../../core/move/operation/metrics.ts';
import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import type { MoveState } from '../../../core/move/operation/state.ts';
import { type CopyStatus, copyStatus } from '../../../core/move/operation/status.ts';
import { inboxFor } from '../../../engine/inbox.ts';
import { type MoveGlance, runMove } from '../../../engine/move-operation.ts';
import type { OperationEnd } from '../../../engine/operation.ts';
import type { Timing } from '../../../engine/operation-ports.ts';
import type { Context, ControlRequest } from '../../context.ts';
import type { Signals } from '../../controller/signals.ts';
import type { OpenJournal } from '../../journal/open.ts';
import { packageVersion } from '../../version.ts';
import { bootstrapOf, type Reach, type SideName } from '../side.ts';
import { copiesOf } from './copies.ts';
import { watchDisks } from './disks.ts';
import { type CopyAnswer, parseCopyRequest } from './messages.ts';
import { listenForCopy } from './sockets.ts';
import { watchTransactions } from './transactions.ts';
import { partitionKey } from './world.ts';

/**
 * Whoever comes after a controller that was killed waits for what is left of its lease, and one call more. A call that was given up, as
 * making a topic may take its time, shows in a later reading. When a pass begins two thirds of the lease are left: longer than a call.
 */
export const copyTiming: Timing = { pollMs: 1000, callMs: 5000, leaseMs: 8000 };

export type CopyControl = {
  readonly opened: OpenJournal;
  readonly state: MoveState;
  readonly signals: Signals;
  readonly requests: readonly MoveRequest[];
  /** How long an open transaction is waited for; null: for ever. */
  readonly waitMs: number | null;
  readonly diskFloor: DiskFloor;
  /** Where it tells its figures; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  readonly onEntry: (entry: Entry) => void;
  readonly onStatus: (status: CopyStatus) => void;
  readonly onTrouble: (line: string) => void;
};

export type CopyEnd = {
  readonly kind: OperationEnd['end'];
  readonly state: MoveState;
  /** An open transaction was waited for, and is open still. */
  readonly isHeldBack: boolean;
};

/** Is the controller of one copy until it ends, or this process is asked to end: then all requests are settled, and that is journalled. */
export async function controlCopy(context: Context, control: CopyControl): Promise<CopyEnd> {
  const { opened, state, signals, requests } = control;
  const { operation } = state;
  const inbox = inboxFor<MoveRequest>(({ kind }) => kind === 'hold' || kind === 'abort' || kind === 'back');
  for (const request of requests) inbox.push(request);
  let last: MoveGlance | null = null;
  const over = Promise.withResolvers<unknown>();
  const desk = await listenForCopy(context, opened.stateDirectory, operation, async (request) =>
    answer(
      request,
      operation,
      () => last,
      over.promise,
      (asked) => inbox.push(asked),
    ),
  );
  const stop = new AbortController();
  let isHeldBack = false;
  const changed = troubleChanges();
  placeAdoptedLedgers(context, opened, state);
  const world = openWorld(context, opened, state);
  const figures = () => copyMetrics(copyStatus(last?.state ?? state, last?.observation ?? null));
  const metrics = control.metrics === null ? null : await context.world.serveMetrics(control.metrics, figures);
  const transactions = watchTransactions(context, control.waitMs, world.openSource, control.onTrouble);
  const push = (request: MoveRequest) => inbox.push(request);
  const disks = watchDisks(context, control.diskFloor, world.openTargetSide, push, control.onTrouble);
  const { clock, world: outside } = context;
  const ports = {
    ...{
      clock,
      journal: opened.journal,
      leases: opened.journal.leases,
      target: world.target,
      acls: world.target,
      mover: world.mover,
      timing: copyTiming,
    },
    ...{ sha256: outside.sha256, holder: outside.holder, tell: control.onEntry },
  };
  signals.onAsked((name) => stop.abort(`its controller was asked to end (${name})`));
  try {
    const { end } = await runMove(ports, operation, inbox, stop.signal, (next) => {
      last = next;
      const status = copyStatus(next.state, next.observation);
      for (const line of changed(next)) control.onTrouble(line);
      control.onStatus(status);
      isHeldBack ||= transactions.look(status);
      disks.look(status);
      if (isHeldBack) stop.abort('an open transaction of the source holds back what is left');
    });
    const now = (await copiesOf(outside, opened.journal)).find((one) => one.state.operation === operation);
    const ended = { kind: end, state: now?.state ?? state, isHeldBack };
    over.resolve({ kind: end, stage: ended.state.stage.kind });
    return ended;
  } finally {
    over.resolve(null);
    signals.onAsked(() => undefined);
    await Promise.all([transactions.close(), disks.close()]);
    await metrics?.close();
    await world.mover.close();
    await world.target.close();
    // Those who wait for the end are answered before the connection is.
    await clock.sleep(0, new AbortController().signal);
    await desk.close();
  }
}

/**
 * Ledgers that were made before the journal had the plan: from here on they are those of their partitions. Whoever wrote these topics before may
 * have begun others of their partitions too.
 */
function placeAdoptedLedgers(
  { world }: Context,
  { stateDirectory }: OpenJournal,
  { plan, targetIds }: MoveState,
): void {
  for (const { name, partitions } of plan.topics) {
    if (partitions.every(({ adopted }) => adopted === undefined)) continue;
    for (const { partition, begin } of partitions) {
      const key = partitionKey(plan, name, partition, targetIds[name] ?? '');
      if (key !== null) world.placeAdoptedLedger(stateDirectory, name, key, begin);
    }
  }
}

function openWorld(context: Context, { stateDirectory }: OpenJournal, { operation, plan }: MoveState) {
  const reach = (side: SideName): Reach => ({
    side,
    bootstrap: bootstrapOf(side, plan[side].bootstrap),
    configFile: plan[side].configFile,
    version: packageVersion(),
  });
  const [source, target] = [reach('source'), reach('target')];
  return {
    openSource: () => context.world.openCopySide(source),
    openTargetSide: () => context.world.openCopySide(target),
    target: context.world.openCopyTarget(target, (topic, partition, targetTopicId) => {
      const key = partitionKey(plan, topic, partition, targetTopicId);
      return key === null ? null : (context.world.lookAtLedger(stateDirectory, topic, key)?.end.target ?? null);
    }),
    mover: context.world.openMover({ source, target, stateDirectory, operation }),
  };
}

async function answer(
  given: ControlRequest,
  operation: string,
  last: () => MoveGlance | null,
  over: Promise<unknown>,
  push: (request: MoveRequest) => void,
): Promise<unknown> {
  const request = parseCopyRequest(given);
  switch (request.kind) {
    case 'status': {
      const glance = last();
      const status = glance === null ? null : copyStatus(glance.state, glance.observation);
      const { trouble = null, refusal = null } = glance ?? {};
      return { pid: process.pid, operation, status, trouble, refusal } satisfies CopyAnswer;
    }
    case 'end':
      return await over;
    case 'copy-operator':
      if (request.operation !== operation)
        throw new Error(`this controller runs ${operation}, not ${request.operation}`);
      push(request.request);
      return { accepted: true };
  }
}

/** One line for each trouble that has begun, and one when there is none any more. */
function troubleChanges(): (glance: MoveGlance) => readonly string[] {
  let before: readonly string[] = [];
  return ({ trouble, refusal }) => {
    const now = [
      ...(trouble === null ? [] : [`nothing can be written to the journal: ${trouble}`]),
      ...(refusal === null ? [] : [refusal]),
    ];
    const fresh = now.filter((line) => !before.includes(line));
    const isOver = before.length > 0 && now.length === 0;
    before = now;
    return isOver ? ['what was refused has been done now'] : fresh;
  };
}
