export type Interruption = { readonly signal: AbortSignal; release(): void };

/** For a verb that has much to end: what it says of it, and how it leaves when it is told not to wait for that. */
export type Ending = {
  begin(): void;
  insist(): void;
  leave(): void;
};

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A terminal sends Ctrl-C to everybody, and npm hands it on once more: that is one wish. */
const sameWishMs = 500;
/** A third wish counts this long after the second was answered. */
const insistMsMax = 5000;

/**
 * A signal that aborts when the user or the system asks this process to end, so that a verb can end tidily. Asked again, it ends
 * at once; a verb with an `ending` first says that it is at it, and leaves it only when it is asked once more.
 */
export function untilInterrupted(ending: Ending | null = null): Interruption {
  const controller = new AbortController();
  let lastMs = Number.NEGATIVE_INFINITY;
  let insistedMs = Number.NEGATIVE_INFINITY;
  const onSignal = (name: NodeJS.Signals) => {
    const nowMs = performance.now();
    const isSame = nowMs - lastMs < sameWishMs;
    lastMs = nowMs;
    if (isSame) return;
    if (!controller.signal.aborted) {
      ending?.begin();
      controller.abort();
    } else if (ending === null) {
      release();
      process.kill(process.pid, name);
    } else if (nowMs - insistedMs > insistMsMax) {
      insistedMs = nowMs;
      ending.insist();
    } else {
      ending.leave();
    }
  };
  const release = () => {
    for (const name of names) process.off(name, onSignal);
  };
  for (const name of names) process.on(name, onSignal);
  return { signal: controller.signal, release };
}
