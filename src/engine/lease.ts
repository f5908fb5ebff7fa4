import { Interruption, within } from './deadline.ts';
import type { OperationPorts } from './operation-ports.ts';

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
  release(): Promise<void>;
};

export function keepLease(
  ports: Pick<OperationPorts, 'clock' | 'leases' | 'holder' | 'timing'>,
  operation: string,
): LeaseKeeper {
  const { clock, leases, holder, timing } = ports;
  let until: Moment = over;
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  /** Another controller's calls may be under way until then. */
  let quietUntilMs = 0;
  let isDoubtful = false;
  let failure: string | null = null;
  let fence = 1;
  /** Somebody else's lease, and since when it has been seen like that. */
  let others: { readonly holder: string; readonly expiresAtMs: number; readonly sinceMs: number } | null = null;
  /** Asked for and not answered: what was given up may be written down late, and the lease then ends as it says. */
  const unanswered = new Set<Moment>();
  const untilMs = ({ monotonicMs, wallMs }: Moment) => Math.min(monotonicMs - clock.monotonic(), wallMs - clock.now());
  const leftMs = () => Math.max(0, Math.min(...[until, ...unanswered].map(untilMs)));

  /** A lease that nobody renewed for its whole length is over, even where the wall clock was set back and says otherwise. */
  const askedAtMs = () => {
    const isOver = others !== null && clock.monotonic() - others.sinceMs >= timing.leaseMs;
    return isOver && others !== null ? Math.max(clock.now(), others.expiresAtMs) : clock.now();
  };
  return {
    async keep(signal) {
      if (leftMs() > timing.leaseMs * (2 / 3)) return;
      const askedAt = clock.monotonic();
      const asked = { monotonicMs: askedAt + timing.leaseMs, wallMs: clock.now() + timing.leaseMs };
      try {
        const work = leases.acquire(operation, holder, askedAtMs(), timing.leaseMs);
        unanswered.add(asked);
        const lease = await answerOf(signal, work, (isLate) => {
          unanswered.delete(asked);
          if (isLate && untilMs(asked) < untilMs(until)) until = asked;
        });
        failure = null;
        if (!lease.held) {
          until = over;
          const isSame = others?.holder === lease.holder && others.expiresAtMs === lease.expiresAtMs;
          if (!isSame) others = { holder: lease.holder, expiresAtMs: lease.expiresAtMs, sinceMs: clock.monotonic() };
          return;
        }
        if (lease.fence !== fence || isDoubtful) quietUntilMs = clock.monotonic() + timing.callMs;
        ({ fence } = lease);
        isDoubtful = false;
        others = null;
        until = asked;
        writtenAtMs = askedAt;
      } catch (error) {
        // The store is in trouble. The lease runs out by itself, and then nothing is appended that could say so.
        if (!(error instanceof Interruption)) failure = error instanceof Error ? error.message : String(error);
      }
    },
    isHeld: () => leftMs() > 0,
    failure: () => failure,
    writtenAtMs: () => writtenAtMs,
    leftMs: () => (clock.monotonic() < quietUntilMs ? 0 : leftMs()),
    doubt() {
      until = over;
      isDoubtful = true;
    },
    async release() {
      until = over;
      await leases.release(operation, holder).catch(() => undefined);
    },
  };
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
