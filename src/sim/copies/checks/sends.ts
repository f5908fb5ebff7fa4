import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import type { CopyController } from '../controller.ts';
import type { Child } from '../movers.ts';
import type { SimTopic } from '../target.ts';
import type { CopyChain } from './chain.ts';
import type { Report } from './violation.ts';

/** What is promised of a hold. */
const holdMsMax = 1000;

export type SendsView = {
  readonly nowMs: () => number;
  readonly chain: CopyChain;
  readonly controllerOf: (holder: string) => CopyController | undefined;
  /** The last time at which the wall clock was set: leases that others go by may be over early by it. */
  readonly steppedAtMs: () => number;
  readonly leaseMs: number;
  readonly report: Report;
};

/** Each batch that a mover sends. */
export class SendChecks {
  readonly #view: SendsView;
  /** By holder: until when the store has given it the lease. */
  readonly #leasedUntilMs = new Map<string, number>();
  /** By holder: since when it was asked to hold and nobody has gone on with it, or to end. */
  readonly #askedAtMs = new Map<string, { readonly atMs: number; readonly isForGood: boolean }>();
  #newest = 0;

  constructor(view: SendsView) {
    this.#view = view;
  }

  leased(holder: string, ttlMs: number): void {
    this.#leasedUntilMs.set(holder, this.#view.nowMs() + ttlMs);
  }

  asked(holder: string, { kind }: MoveRequest): void {
    const before = this.#askedAtMs.get(holder);
    if (kind === 'resume' && before?.isForGood === false) this.#askedAtMs.delete(holder);
    if (kind !== 'hold' && kind !== 'abort' && kind !== 'back') return;
    const isForGood = kind !== 'hold' || before?.isForGood === true;
    this.#askedAtMs.set(holder, { atMs: before?.atMs ?? this.#view.nowMs(), isForGood });
  }

  /** The journal says so, whoever was asked. */
  resumed(): void {
    for (const [holder, { isForGood }] of this.#askedAtMs) if (!isForGood) this.#askedAtMs.delete(holder);
  }

  sending(child: Child, topic: SimTopic): void {
    const { chain, report } = this.#view;
    const { holder, process, number } = child;
    const where = `${process.name} of ${holder} sends to ${topic.name}`;
    if (number < this.#newest) report('one mover writes', `${where}, and mover ${this.#newest} has sent already`);
    this.#newest = Math.max(this.#newest, number);
    if (this.#view.nowMs() >= (this.#leasedUntilMs.get(holder) ?? 0))
      report('a mover has a lease', `${where}, and its controller has none`);
    if (chain.state?.stage.kind === 'preparing') report('no effect without its intent', `${where} before it may`);
    const asked = this.#askedAtMs.get(holder);
    if (asked !== undefined && this.#isLate(child, asked.atMs))
      report('a hold holds', `${where}, and was asked to hold`);
    if (chain.heldAtMs !== null && this.#isLate(child, chain.heldAtMs))
      report('a hold holds', `${where}, and the journal says that it is held`);
    if (chain.stillAtMs !== null && this.#isLate(child, chain.stillAtMs))
      report('nothing moves after the end', `${where}, and the copy is ${chain.state?.stage.kind}`);
  }

  /** Whoever stands still hears nothing; whoever goes by a lease that the clock has ended does not know it. */
  #isLate({ holder, process, wordsMsMax }: Child, sinceMs: number): boolean {
    const { nowMs, controllerOf, steppedAtMs, leaseMs } = this.#view;
    if (process.stoodStillSince(sinceMs) || (controllerOf(holder)?.process.pausedUntilMs ?? 0) > sinceMs) return false;
    if (nowMs() - steppedAtMs() <= leaseMs) return false;
    return nowMs() > sinceMs + holdMsMax + 2 * wordsMsMax;
  }
}
