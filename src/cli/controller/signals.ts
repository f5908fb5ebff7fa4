import { CliError } from '../context.ts';

/** The signals that ask a controller to end, from the moment that they were caught. */
export type Signals = {
  /** Aborts with the first one. */
  readonly interrupted: AbortSignal;
  /** The first one that came; null: none. */
  asked(): NodeJS.Signals | null;
  /** Told of each, and at once of one that came before; replaces who was told until now. */
  onAsked(tell: (name: NodeJS.Signals, count: number) => void): void;
  release(): void;
};

/** Takes away what `endOnSignals` has set; null: it has set nothing, or it was replaced. */
let releaseEarly: (() => void) | null = null;
const nothing = 'this command has begun nothing';
let early = nothing;

/**
 * For the moments before there is a controller in this process: a signal ends it, and what that leaves is said. Until
 * `catchSignals`; a second call changes nothing. `bin/drover.mjs` calls it too, while the rest is still being loaded.
 */
export function endOnSignals(): void {
  if (releaseEarly !== null) return;
  const onSignal = (name: NodeJS.Signals) => {
    process.stderr.write(`drover: asked to end (${name}): ${early}\n`);
    process.exit(1);
  };
  for (const name of names) process.on(name, onSignal);
  releaseEarly = () => {
    for (const name of names) process.off(name, onSignal);
  };
}

/** What a signal leaves from here on. */
export function sayOnSignal(words: string): void {
  early = words;
}

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** After the second signal, for what is under way to be given up. */
const endMsMax = 2000;

/** What `work` gives, unless a signal comes before: then a CliError, and what goes on by itself of it has begun nothing. */
export async function unlessAsked<T>(signals: Signals, work: Promise<T>): Promise<T> {
  const { interrupted } = signals;
  const asked = Promise.withResolvers<never>();
  const stop = () => asked.reject(nothingBegun(signals));
  if (interrupted.aborted) stop();
  interrupted.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([asked.promise, work]);
  } finally {
    interrupted.removeEventListener('abort', stop);
  }
}

export function nothingBegun(signals: Signals): CliError {
  return new CliError(`asked to end (${signals.asked() ?? 'by a signal'}): ${nothing}`);
}

/** From here on a signal no longer ends the process by itself; the second one does so after a moment, whatever hangs. */
export function catchSignals(): Signals {
  let first: NodeJS.Signals | null = null;
  let count = 0;
  const interruption = new AbortController();
  let tell: (name: NodeJS.Signals, count: number) => void = () => undefined;
  const onSignal = (name: NodeJS.Signals) => {
    first ??= name;
    count++;
    interruption.abort();
    tell(name, count);
    if (count > 1) setTimeout(giveUp, endMsMax).unref();
  };
  for (const name of names) process.on(name, onSignal);
  releaseEarly?.();
  releaseEarly = null;
  return {
    interrupted: interruption.signal,
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

/** Nobody knows by now what was done: that is no verdict. */
function giveUp(): void {
  process.stderr.write(
    'drover: asked twice to end, and what hangs was given up: `drover status` tells where things stand\n',
  );
  process.exit(1);
}
