/** The signals that ask a controller to end, from the moment that they were caught. */
export type Signals = {
  /** The first one that came; null: none. */
  asked(): NodeJS.Signals | null;
  /** Told of each, and at once of one that came before; replaces who was told until now. */
  onAsked(tell: (name: NodeJS.Signals, count: number) => void): void;
  release(): void;
};

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** After the second signal, for what is under way to be given up. */
const endMsMax = 2000;

/** From here on a signal no longer ends the process by itself; the second one does so after a moment, whatever hangs. */
export function catchSignals(): Signals {
  let first: NodeJS.Signals | null = null;
  let count = 0;
  let tell: (name: NodeJS.Signals, count: number) => void = () => undefined;
  const onSignal = (name: NodeJS.Signals) => {
    first ??= name;
    count++;
    tell(name, count);
    if (count > 1) setTimeout(() => process.exit(2), endMsMax).unref();
  };
  for (const name of names) process.on(name, onSignal);
  return {
    asked: () => first,
    onAsked(next) {
      tell = next;
      if (first !== null) tell(first, count);
    },
    release() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
