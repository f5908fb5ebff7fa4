import type { OperationPorts } from './operation-ports.ts';

/**
 * The right to act on one operation, as one controller holds it. Its end is measured on a clock that never goes back, from
 * before the lease was asked for, so that a pause of this process cannot make it look longer.
 */
export type LeaseKeeper = {
  /** Takes or renews it where that is due. Never throws: without an answer it is simply not held for longer. */
  keep(): Promise<void>;
  isHeld(): boolean;
  /** Milliseconds for which effects may still be begun; 0: none. */
  leftMs(): number;
  /** Somebody else has written: ask anew before anything else. */
  doubt(): void;
  release(): Promise<void>;
};

export function keepLease(ports: OperationPorts, operation: string): LeaseKeeper {
  const { clock, leases, holder, timing } = ports;
  let untilMs = 0;
  /** Another controller's calls may be under way until then. */
  let quietUntilMs = 0;
  let wasOthers = false;
  const leftMs = () => Math.max(0, untilMs - clock.monotonic());
  return {
    async keep() {
      if (leftMs() > timing.leaseMs * (2 / 3)) return;
      const askedMs = clock.monotonic();
      try {
        const lease = await leases.acquire(operation, holder, clock.now(), timing.leaseMs);
        if (!lease.held) {
          wasOthers = true;
          untilMs = 0;
        } else {
          if (wasOthers) quietUntilMs = clock.monotonic() + timing.callMs;
          wasOthers = false;
          untilMs = askedMs + timing.leaseMs;
        }
      } catch {
        // The store is in trouble; appending says so. The lease runs out by itself.
      }
    },
    isHeld: () => leftMs() > 0,
    leftMs: () => (clock.monotonic() < quietUntilMs ? 0 : leftMs()),
    doubt() {
      untilMs = 0;
      wasOthers = true;
    },
    async release() {
      untilMs = 0;
      await leases.release(operation, holder).catch(() => undefined);
    },
  };
}
