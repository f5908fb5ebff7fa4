import { Interruption, within } from './deadline.ts';
import type { OperationPorts } from './operation-ports.ts';
import type { Clock } from './ports.ts';

/**
 * The right to act on one operation, as one controller holds it. Its end is measured on a clock that never goes back, from
 * before the lease was asked for, so that a pause of this process cannot make it look longer; and on the wall clock too,
 * because that is the one by which others take it over.
 */
export type LeaseKeeper = {
  /** Takes or renews it where that is due. Never throws: without an answer it is simply not held for longer. */
  keep(signal: AbortSignal): Promise<void>;
  isHeld(): boolean;
  /** Why it could not be asked for the last time; null: it was answered, whatever the answer. */
  failure(): string | null;
  /** When the store was asked for what it then wrote down, the last time: it takes writes. On the clock that never goes back. */
  writtenAtMs(): number;
  /** Milliseconds for which effects may still be begun; 0: none. */
  leftMs(): number;
  /** Somebody else has written: ask anew before anything else. */
  doubt(): void;
  /** `areCallsOver`: nothing that was begun under it can still come to pass. Where it says so, it is handed over at once. */
  release(areCallsOver?: boolean): Promise<void>;
};

/**
 * How it goes from one controller to the next. `settled`: a controller gives it back only once nothing of it is under way, and lets
 * it run out otherwise, so whoever finds that nobody has it waits for nothing. `unsettled`: it is given back whatever is under way.
 */
export type Handover = 'settled' | 'unsettled';

export function keepLease(
  ports: Pick<OperationPorts, 'clock' | 'leases' | 'holder' | 'timing'>,
  operation: string,
  handover: Handover = 'unsettled',
): LeaseKeeper {
  const { clock, leases, holder, timing } = ports;
  const term = new Term(clock);
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  /** Another controller's calls may be under way until then. */
  let quietUntilMs = 0;
  let isDoubtful = false;
  let failure: string | null = null;
  let fence = 1;
  /** Somebody else's lease, and since when it has been seen like that. */
  let others: { readonly holder: string; readonly expiresAtMs: number; readonly sinceMs: number } | null = null;
  /** A lease that nobody renewed for its whole length is over, even where the wall clock was set back and says otherwise. */
  const askedAtMs = () => {
    const isOver = others !== null && clock.monotonic() - others.sinceMs >= timing.leaseMs;
    return isOver && others !== null ? Math.max(clock.now(), others.expiresAtMs) : clock.now();
  };
  const isFree = async () => (await leases.holderOf(operation)) === null;
  return {
    async keep(signal) {
      if (term.leftMs() > timing.leaseMs * (2 / 3)) return;
      const askedAt = clock.monotonic();
      const asked = { monotonicMs: askedAt + timing.leaseMs, wallMs: clock.now() + timing.leaseMs };
      try {
        const wasFree = handover === 'settled' && term.leftMs() === 0 && (await within(signal, isFree()));
        const work = leases.acquire(operation, holder, askedAtMs(), timing.leaseMs);
        const lease = await term.answerTo(asked, work, signal);
        failure = null;
        if (!lease.held) {
          term.until = over;
          const isSame = others?.holder === lease.holder && others.expiresAtMs === lease.expiresAtMs;
          if (!isSame) others = { holder: lease.holder, expiresAtMs: lease.expiresAtMs, sinceMs: clock.monotonic() };
          return;
        }
        // Within a lease's length nobody else can have had it since, and have let it run out.
        const isSettled = wasFree && clock.monotonic() - askedAt < timing.leaseMs;
        if (!isSettled && (lease.fence !== fence || isDoubtful)) quietUntilMs = clock.monotonic() + timing.callMs;
        ({ fence } = lease);
        isDoubtful = false;
        others = null;
        term.until = asked;
        writtenAtMs = askedAt;
      } catch (error) {
        // The store is in trouble. The lease runs out by itself, and then nothing is appended that could say so.
        if (!(error instanceof Interruption)) failure = error instanceof Error ? error.message : String(error);
      }
    },
    isHeld: () => term.leftMs() > 0,
    failure: () => failure,
    writtenAtMs: () => writtenAtMs,
    leftMs: () => (clock.monotonic() < quietUntilMs ? 0 : term.leftMs()),
    doubt() {
      term.until = over;
      isDoubtful = true;
    },
    async release(areCallsOver = true) {
      const wasHeld = term.leftMs() > 0;
      term.until = over;
      if (handover === 'unsettled' || (areCallsOver && clock.monotonic() >= quietUntilMs))
        await leases.release(operation, holder).catch(() => undefined);
      // It is over at once, and not free: whoever takes it waits for what may be under way.
      else if (wasHeld) await leases.acquire(operation, holder, clock.now(), 0).catch(() => undefined);
    },
  };
}

/** How long it is held, at the least. */
class Term {
  until: Moment = over;
  readonly #clock: Clock;
  /** Asked for and not answered: what was given up may be written down late, and the lease then ends as it says. */
  readonly #unanswered = new Set<Moment>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  leftMs(): number {
    return Math.max(0, Math.min(...[this.until, ...this.#unanswered].map((end) => this.#untilMs(end))));
  }

  /** Of the store that was asked for it; `asked`: until when. */
  async answerTo<T>(asked: Moment, work: Promise<T>, signal: AbortSignal): Promise<T> {
    this.#unanswered.add(asked);
    return await answerOf(signal, work, (isLate) => {
      this.#unanswered.delete(asked);
      if (isLate && this.#untilMs(asked) < this.#untilMs(this.until)) this.until = asked;
    });
  }

  #untilMs({ monotonicMs, wallMs }: Moment): number {
    return Math.min(monotonicMs - this.#clock.monotonic(), wallMs - this.#clock.now());
  }
}

/** The answer, unless it is given up before; `answered` is told in any case once there is one, and whether that was so. */
async function answerOf<T>(signal: AbortSignal, work: Promise<T>, answered: (isLate: boolean) => void): Promise<T> {
  let isGivenUp = false;
  const settled = () => answered(isGivenUp);
  void work.then(settled, settled);
  try {
    return await within(signal, work);
  } catch (error) {
    isGivenUp = true;
    throw error;
  }
}

type Moment = { readonly monotonicMs: number; readonly wallMs: number };

const over: Moment = { monotonicMs: 0, wallMs: 0 };
