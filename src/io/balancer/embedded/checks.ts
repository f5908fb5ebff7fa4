import { get } from 'node:http';
import type { CheckConfig } from './config.ts';
import type { UpstreamServer } from './upstream.ts';

/**
 * Asks every server for its health, whatever its weight and state, until the returned function is called. The first
 * answer decides at once; from then on it takes `rise` answers in a row to come up and `fall` to go down.
 */
export function startChecks(servers: readonly UpstreamServer[], config: CheckConfig): () => void {
  const stop = new AbortController();
  for (const server of servers) {
    // A check that throws is a bug: it must end the process, not silently stop checking.
    void checkForever(server, config, stop.signal);
  }
  return () => stop.abort();
}

async function checkForever(server: UpstreamServer, config: CheckConfig, stop: AbortSignal): Promise<void> {
  let inARow = 0;
  let lastPassed: boolean | null = null;
  let leftAs = server.health;
  while (!stop.aborted) {
    const startedAt = performance.now();
    const passed = await passes(server, config);
    if (stop.aborted) return;
    // Ejected meanwhile: it has to pass `rise` checks from now on.
    inARow = passed === lastPassed && server.health === leftAs ? inARow + 1 : 1;
    lastPassed = passed;
    if (server.health === 'starting') server.setHealth(passed ? 'up' : 'down');
    else if (passed && server.health === 'down' && inARow >= config.rise) server.setHealth('up');
    else if (!passed && server.health === 'up' && inARow >= config.fall) server.setHealth('down');
    leftAs = server.health;
    await pause(startedAt + config.intervalMs - performance.now(), stop);
  }
}

/** A new connection for each check: an old one could not tell that the server has stopped listening. */
function passes(server: UpstreamServer, config: CheckConfig): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, port } = server.config.address;
    const signal = AbortSignal.timeout(config.timeoutMs);
    const request = get({ host, port, path: config.path, agent: false, signal }, (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', () => resolve(false));
      response.on('end', () => resolve(status >= 200 && status < 400));
      response.resume();
    });
    request.on('error', () => resolve(false));
  });
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, Math.max(0, ms));
    timer.unref();
    stop.addEventListener('abort', done);
    function done(): void {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    }
  });
}
