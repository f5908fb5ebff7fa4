import { PortError } from '../../engine/ports.ts';

/** Throws PortError `timeout` if the signal has aborted. */
export function throwIfAborted(signal: AbortSignal, what: string): void {
  if (signal.aborted) throw timedOut(signal, what);
}

/** The promise's outcome, or PortError `timeout` as soon as the signal aborts; the work itself is then left to itself. */
export async function beforeDeadline<T>(work: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  throwIfAborted(signal, what);
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(timedOut(signal, what));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function timedOut(signal: AbortSignal, what: string): PortError {
  return new PortError('timeout', `${what}: ended by its deadline before it was done.`, {
    retriable: true,
    cause: signal.reason,
  });
}
