import type { Rate } from '../../../core/move/operation/events.ts';
import type { MoverFigures } from '../../../core/move/operation/told.ts';
import type { Beginning, FromMover, ToMover } from './messages.ts';

/** A mover with everything that it needs of its machine. */
export type MoverRun = {
  /** Done when nothing is left to do, or it was stopped. */
  readonly ended: Promise<void>;
  /** Nothing that was sent and not answered can still be performed. */
  readonly isSettled: boolean;
  figures(): MoverFigures;
  hold(): Promise<void>;
  goOn(): void;
  changeRate(rate: Rate): void;
  stop(): Promise<void>;
};

/** The process that the mover is in. */
export type MoverHost = {
  /** By the clock that never goes back, and that all processes of the machine share. */
  clockNs(): bigint;
  /** Until what is returned is called. */
  every(ms: number, run: () => void): () => void;
  /** Nobody but this process writes to these ledgers from then on. true: nothing of who did before can still be performed. */
  endPrevious(record: string): Promise<boolean>;
  /** Nothing of this process can still be performed, and it sends nothing any more. */
  forget(record: string): void;
  /**
   * `wasSettled`: as `endPrevious` has told. `tell` is called when the figures have something that has to be known before anything
   * follows from it.
   */
  start(beginning: Beginning, wasSettled: boolean, leaseEndsNs: () => bigint, tell: () => void): Promise<MoverRun>;
  tell(message: FromMover): void;
  /** Tells it, and ends the process. */
  leave(message: FromMover): void;
};

/**
 * The process that moves the data. It is told what to do over the channel to the controller that has started it, tells there how far it
 * is, and ends with it: once the channel is closed, or the lease is over that its controller had passed on.
 *
 *     waiting → moving ⇄ held → done | stopped
 */
export class MoversEnd {
  readonly #host: MoverHost;
  #untilNs = 0n;
  #run: MoverRun | null = null;
  #isEnding = false;
  /** What was asked for last, whether there was a mover then or not. */
  #isHeld = false;
  #rate: Rate = null;

  constructor(host: MoverHost) {
    this.#host = host;
  }

  async obey(message: ToMover): Promise<void> {
    switch (message.kind) {
      case 'begin':
        return await this.#begin(message);
      case 'allow':
        this.#untilNs = message.untilNs;
        return;
      case 'hold':
        this.#isHeld = true;
        await this.#run?.hold();
        return this.#tellFigures();
      case 'go-on':
        this.#isHeld = false;
        this.#run?.goOn();
        return this.#tellFigures();
      case 'rate':
        this.#rate = message.rate;
        return this.#run?.changeRate(message.rate);
      case 'stop':
        return await this.stop();
      default:
        return unreachable(message);
    }
  }

  /** All that was sent is answered or given up before it ends. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    // Before it has begun it has sent nothing; what the one before it has sent, its record says.
    if (this.#run === null) this.#host.leave({ kind: 'stopped', isSettled: false });
    else await this.#run.stop();
  }

  async #begin(beginning: Beginning): Promise<void> {
    const host = this.#host;
    [this.#untilNs, this.#isHeld, this.#rate] = [beginning.untilNs, beginning.isHeld, beginning.rate];
    const wasSettled = await host.endPrevious(beginning.record);
    if (this.#isLeaseOver() || this.#isEnding) {
      if (wasSettled) host.forget(beginning.record);
      return host.leave({ kind: 'stopped', isSettled: wasSettled });
    }
    // What was asked for meanwhile holds from the start.
    const [isHeld, rate] = [this.#isHeld, this.#rate];
    const asked = { ...beginning, isHeld, rate };
    const run = await host.start(
      asked,
      wasSettled,
      () => this.#untilNs,
      () => this.#tellFigures(),
    );
    if (this.#isHeld && !isHeld) void run.hold();
    if (!this.#isHeld && isHeld) run.goOn();
    if (this.#rate !== rate) run.changeRate(this.#rate);
    this.#run = run;
    const stops = [
      host.every(figuresEveryMs, () => this.#tellFigures()),
      host.every(leaseCheckMs, () => {
        // Somebody else may write these ledgers from now on.
        if (this.#isLeaseOver()) host.leave({ kind: 'stopped', isSettled: false });
      }),
    ];
    this.#tellFigures();
    await run.ended;
    for (const stop of stops) stop();
    const { isSettled } = run;
    if (isSettled) host.forget(beginning.record);
    host.leave(this.#isEnding ? { kind: 'stopped', isSettled } : { kind: 'done', figures: run.figures(), isSettled });
  }

  #isLeaseOver(): boolean {
    return this.#host.clockNs() >= this.#untilNs;
  }

  #tellFigures(): void {
    if (this.#run !== null && !this.#isEnding) this.#host.tell({ kind: 'figures', figures: this.#run.figures() });
  }
}

const figuresEveryMs = 1000;
const leaseCheckMs = 50;

function unreachable(message: never): never {
  throw new Error(`a mover does not know ${JSON.stringify(message)}`);
}
