import type { MoverWanted } from '../../../core/move/operation/decision.ts';
import { inTurn } from '../../../core/move/operation/plan.ts';
import type { MoverFigures, MoverTold } from '../../../core/move/operation/told.ts';
import type { Assignment, MoverProcess } from '../../../engine/move-ports.ts';
import type { AssignedPartition, Beginning, FromMover, ToMover } from './messages.ts';

/** The machine as the controller's end has it: processes that move data are started on it, and time passes. */
export type MoverMachine = {
  /** Neither `heard` nor `over` is called before it returns; nothing comes after `over`, which says how it ended. */
  launch(heard: (message: FromMover) => void, over: (how: string) => void): LaunchedMover;
  /** By the clock that never goes back, and that all processes of the machine share. */
  clockNs(): bigint;
  /** Until what is returned is called. */
  after(ms: number, run: () => void): () => void;
};

export type LaunchedMover = {
  /** Whether it has arrived shows in what the process does. */
  send(message: ToMover): void;
  kill(): void;
};

/** All that a mover has to know and that stays the same for a whole operation. */
export type MoverReach = Omit<Beginning, 'partitions' | 'partitionsPerBroker' | 'untilNs' | 'isHeld' | 'rate'>;

export function openMoverEnd(machine: MoverMachine, reach: MoverReach): MoverProcess {
  return new ControllersEnd(machine, reach);
}

/** none → starting → running → none | done | failed, and from each of the last three to starting again. */
class ControllersEnd implements MoverProcess {
  readonly #machine: MoverMachine;
  readonly #reach: MoverReach;
  #child: LaunchedMover | null = null;
  #told: MoverTold = { kind: 'none' };
  #hasNews = false;
  #listeners: (() => void)[] = [];
  #sent: MoverWanted | null = null;
  #assignment = '';
  #isStopping = false;
  #untilNs = 0n;
  #failures = 0;
  /** Of the controller's, since it has told anything. */
  #silentTurns = 0;
  /** Of the processes before the present one. */
  #bytesBefore = 0;
  #bytes = 0;
  #gone: Promise<void> = Promise.resolve();
  #isSettled = true;

  constructor(machine: MoverMachine, reach: MoverReach) {
    [this.#machine, this.#reach] = [machine, reach];
  }

  want(wanted: MoverWanted | null, assignment: Assignment): void {
    if (this.#child === null) {
      if (wanted !== null) this.#start(wanted, assignment);
      return;
    }
    if (wanted === null || JSON.stringify(assignment) !== this.#assignment) return this.#stop();
    const before = this.#sent;
    if (this.#isStopping || before === null) return;
    if (wanted.isHeld !== before.isHeld) this.#send({ kind: wanted.isHeld ? 'hold' : 'go-on' });
    if (wanted.rate !== before.rate) this.#send({ kind: 'rate', rate: wanted.rate });
    this.#sent = wanted;
  }

  told(): MoverTold {
    this.#hasNews = false;
    return this.#told;
  }

  allow(leftMs: number): void {
    this.#silentTurns += 1;
    // It tells something each second. One that hangs is not waited for: the next one begins where its ledger says.
    if (this.#silentTurns > silentTurnsMax) this.#child?.kill();
    this.#untilNs = this.#machine.clockNs() + BigInt(Math.floor(leftMs * 1e6));
    if (leftMs > 0) this.#send({ kind: 'allow', untilNs: this.#untilNs });
  }

  news(signal: AbortSignal): Promise<void> {
    if (this.#hasNews || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#listeners = this.#listeners.filter((one) => one !== done);
        resolve();
      };
      this.#listeners.push(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async close(): Promise<{ readonly isSettled: boolean }> {
    if (this.#child !== null) this.#stop();
    await this.#gone;
    return { isSettled: this.#isSettled };
  }

  #start(wanted: MoverWanted, assignment: Assignment): void {
    const gone = Promise.withResolvers<void>();
    let last: FromMover | null = null;
    const heard = (message: FromMover) => {
      this.#silentTurns = 0;
      last = message;
      if (message.kind === 'figures') this.#tell({ kind: 'running', ...this.#counted(message.figures) });
    };
    const over = (how: string) => {
      this.#ended(last, how);
      gone.resolve();
    };
    const child = this.#machine.launch(heard, over);
    [this.#child, this.#sent, this.#isStopping, this.#gone] = [child, wanted, false, gone.promise];
    this.#assignment = JSON.stringify(assignment);
    this.#silentTurns = 0;
    this.#tell({ kind: 'starting' });
    const { partitionsPerBroker = null } = assignment.plan.pace ?? {};
    const given = { ...this.#reach, partitions: assignedOf(assignment), partitionsPerBroker, untilNs: this.#untilNs };
    this.#send({ kind: 'begin', ...given, ...wanted });
  }

  #ended(last: FromMover | null, words: string): void {
    this.#child = null;
    this.#isSettled = last !== null && last.kind !== 'figures' && last.isSettled;
    if (last?.kind === 'done') this.#tell({ kind: 'done', ...this.#counted(last.figures) });
    else if (last?.kind === 'stopped' || this.#isStopping) this.#tell({ kind: 'none' });
    else {
      this.#failures += 1;
      this.#tell({ kind: 'failed', count: this.#failures, lastWords: words });
    }
    this.#bytesBefore += this.#bytes;
    this.#bytes = 0;
  }

  #counted(figures: MoverFigures): MoverFigures {
    this.#bytes = figures.bytes;
    return { ...figures, bytes: this.#bytesBefore + figures.bytes };
  }

  /** One that does not end is ended when nothing of it can be waited for any more. */
  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#send({ kind: 'stop' });
    const child = this.#child;
    const spare = this.#machine.after(stopMsMax, () => child?.kill());
    void this.#gone.then(spare);
  }

  #send(message: ToMover): void {
    this.#child?.send(message);
  }

  #tell(told: MoverTold): void {
    this.#told = told;
    this.#hasNews = true;
    for (const wake of this.#listeners.splice(0)) wake();
  }
}

/** A turn is a second or more, but for those in which something comes. */
const silentTurnsMax = 30;
/** All that is in flight is settled or given up within a second. */
const stopMsMax = 5000;

function assignedOf({ plan, targetIds }: Assignment): AssignedPartition[] {
  const assigned = plan.topics.flatMap(({ name, sourceId, partitions }) =>
    partitions.map(({ partition, begin, end }) => ({
      topic: name,
      key: {
        sourceCluster: plan.source.clusterId,
        sourceTopicId: sourceId,
        targetCluster: plan.target.clusterId,
        targetTopicId: targetIds[name] ?? '',
        partition,
      },
      begin,
      end,
    })),
  );
  const named = assigned.map((one) => ({ topic: one.topic, partition: one.key.partition, one }));
  return inTurn(named, plan.pace?.first ?? []).map(({ one }) => one);
}
