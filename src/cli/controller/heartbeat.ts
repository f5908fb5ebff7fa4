import { CliError, type Context } from '../context.ts';

export type Heartbeat = {
  /** The last call, which is waited for, so that it is made before the process ends. */
  stop(): Promise<void>;
};

const everyMs = 30_000;
const callMsMax = 5000;

/** Throws CliError for what nobody could ever call: otherwise it would show when the controller has died, in silence. */
export function expectHeartbeatUrl(text: string): void {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return;
  // It may have a token in it, and what is said here may end in a log.
  throw new CliError(
    '--heartbeat is not a URL that can be called (its value is not repeated here)',
    'write it with http:// or https://',
  );
}

/**
 * Called at once, every 30 s and once more at the end; a silence of it tells somebody outside that the controller is gone.
 * `onTrouble` is told when it fails, and when it works again.
 */
export function heartbeat(context: Context, url: string | null, onTrouble: (line: string) => void): Heartbeat {
  if (url === null) return { stop: () => Promise.resolve() };
  let failure: string | null = null;
  const ping = async () => {
    const before = failure;
    failure = await context.world.ping(url, AbortSignal.timeout(callMsMax)).then(() => null, reasonOf);
    if (failure !== null && before === null)
      onTrouble(`the heartbeat is not delivered, so its silence says nothing: ${failure}`);
    if (failure === null && before !== null) onTrouble('the heartbeat is delivered again');
  };
  let last = ping();
  const timer = setInterval(() => {
    last = ping();
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await last;
      await ping();
    },
  };
}

/** Without the address, which may hold a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error && 'code' in error.cause ? ` (${String(error.cause.code)})` : '';
  return error.name === 'TimeoutError' ? `no answer within ${callMsMax / 1000} s` : `${error.message}${cause}`;
}
