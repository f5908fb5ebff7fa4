import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MoverWanted } from '../../../core/move/operation/decision.ts';
import { inTurn } from '../../../core/move/operation/plan.ts';
import type { MoverFigures, MoverTold } from '../../../core/move/operation/told.ts';
import type { Assignment, MoverProcess } from '../../../engine/move-ports.ts';
import { type AssignedPartition, type ClusterAccess, clock, type FromMover, isMessage, type ToMover } from './wire.ts';

export type MoverPlace = {
  readonly source: ClusterAccess;
  readonly target: ClusterAccess;
  readonly version: string;
  /** Ledgers are in it, and who writes them. */
  readonly stateDirectory: string;
  readonly operation: string;
};

/**
 * The data is moved by a process of its own, with the same Node: whatever it is busy with, its controller hears who wants it held. It
 * is in a session of its own, so that what is typed at a terminal reaches the controller alone.
 */
export function openMoverProcess(place: MoverPlace): MoverProcess {
  return new ChildMover(place);
}

/** none → starting → running → none | done | failed, and from each of the last three to starting again. */
class ChildMover implements MoverProcess {
  readonly #place: MoverPlace;
  #child: ChildProcess | null = null;
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

  constructor(place: MoverPlace) {
    this.#place = place;
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
    if (this.#silentTurns > silentTurnsMax) this.#child?.kill('SIGKILL');
    this.#untilNs = clock() + BigInt(Math.floor(leftMs * 1e6));
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
    const ledgers = join(this.#place.stateDirectory, 'copies');
    mkdirSync(ledgers, { recursive: true, mode: 0o700 });
    const entry = fileURLToPath(new URL(`./process${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
    const child = spawn(process.execPath, [entry], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    [this.#child, this.#sent, this.#isStopping] = [child, wanted, false];
    this.#assignment = JSON.stringify(assignment);
    this.#silentTurns = 0;
    this.#tell({ kind: 'starting' });
    this.#listen(child);
    const { source, target, version, operation } = this.#place;
    const record = join(ledgers, `${operation}.mover`);
    const partitions = assignedOf(assignment);
    const { partitionsPerBroker = null } = assignment.plan.pace ?? {};
    const given = { source, target, version, ledgers, record, partitions, partitionsPerBroker };
    this.#send({ kind: 'begin', ...given, untilNs: this.#untilNs, ...wanted });
  }

  #listen(child: ChildProcess): void {
    let words = '';
    let last: FromMover | null = null;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-lastWordsMax);
    });
    child.on('message', (message) => {
      if (!isMessage(message)) return;
      this.#silentTurns = 0;
      last = message as FromMover;
      if (last.kind === 'figures') this.#tell({ kind: 'running', ...this.#counted(last.figures) });
    });
    const gone = Promise.withResolvers<void>();
    this.#gone = gone.promise;
    let isOver = false;
    const over = (why: string) => {
      if (isOver) return;
      isOver = true;
      this.#ended(last, words.trim() === '' ? why : words.trim());
      gone.resolve();
    };
    child.on('error', (error) => over(`it could not be started: ${error.message}`));
    // Behind what was written before the end.
    child.on('close', (code, signal) =>
      over(signal === null ? `it ended with exit status ${code}` : `it was ended by ${signal}`),
    );
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
    const timer = setTimeout(() => child?.kill('SIGKILL'), stopMsMax);
    child?.once('close', () => clearTimeout(timer));
  }

  #send(message: ToMover): void {
    // Whether it has arrived shows in what it does: an end in the middle is told as an end.
    if (this.#child?.connected) this.#child.send(message, undefined, undefined, () => undefined);
  }

  #tell(told: MoverTold): void {
    this.#told = told;
    this.#hasNews = true;
    for (const wake of this.#listeners.splice(0)) wake();
  }
}

const lastWordsMax = 4000;
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
