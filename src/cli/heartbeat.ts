import type { Context } from './context.ts';

const everyMs = 30_000;

/** Called at once, every 30 s and once more at the end; a silence of it tells somebody outside that the controller is gone. */
export function heartbeat(context: Context, url: string | null): { stop(): void } {
  if (url === null) return { stop: () => undefined };
  const ping = () => void context.world.ping(url, AbortSignal.timeout(5000)).catch(() => undefined);
  ping();
  const timer = setInterval(ping, everyMs);
  return {
    stop() {
      clearInterval(timer);
      ping();
    },
  };
}
