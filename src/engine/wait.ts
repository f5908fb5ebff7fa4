import type { Clock } from './ports.ts';

/** Sleeps at most `ms`; less where the signal aborts, or one of `events` comes: each is given a signal by which it has to end. */
export async function waitFor(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  events: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  if (ms <= 0) return;
  const waiting = new AbortController();
  const stop = () => waiting.abort(awake);
  signal.addEventListener('abort', stop, { once: true });
  for (const event of events) void event(waiting.signal).then(stop);
  await clock.sleep(ms, waiting.signal);
  signal.removeEventListener('abort', stop);
  waiting.abort(awake);
}

const awake = new Error('awake');
