const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

/**
 * From now on a signal ends this process with the code that belongs to it, once `clean` is done; further signals wait with it.
 * What is returned is to be awaited before anything new is begun: after a signal it does not come back.
 */
export function endOnSignals(clean: () => Promise<unknown>): () => Promise<void> {
  let ending: Promise<void> | null = null;
  for (const [signal, code] of signals) {
    process.on(signal, () => {
      ending ??= end(signal, code, clean);
    });
  }
  return async () => {
    await ending;
  };
}

async function end(signal: string, code: number, clean: () => Promise<unknown>): Promise<void> {
  console.error(`${signal}: ending what runs`);
  try {
    await clean();
  } catch (error) {
    console.error(error);
  }
  process.exit(code);
}
