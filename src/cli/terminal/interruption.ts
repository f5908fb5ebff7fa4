export type Interruption = { readonly signal: AbortSignal; release(): void };

/** A signal that aborts when the user or the system asks this process to end, so that a verb can end tidily. */
export function untilInterrupted(): Interruption {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.once(name, interrupt);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, interrupt);
    },
  };
}
