import type { BackendReading, ServerReading } from '../../core/observed/backend.ts';
import { known } from '../../core/observed/reading.ts';
import type { LoadWindow, Tally } from '../../core/rollout/load.ts';
import type { Observation, Timed } from '../../core/rollout/observation.ts';
import { sideOf } from '../../core/rollout/servers.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import type { Watch } from '../../core/rollout/watch.ts';

/**
 * Attempts as they would be if the destination got the share that was asked for: the sum of both groups is the counted one,
 * and so are the failures. What is shown stays cumulative, because the shares are of the whole count.
 */
export function believedCounts(observation: Observation, state: RolloutState): Observation {
  const share = requestedShare(state);
  if (share === null) return observation;
  const backends: Record<string, Timed<BackendReading>> = {};
  for (const plan of state.plan.backends) {
    const timed = observation.backends[plan.id];
    if (timed === undefined) continue;
    const { atMs, reading } = timed;
    if (!reading.known) backends[plan.id] = timed;
    else {
      const side = (server: ServerReading) => sideOf(plan, server.name);
      backends[plan.id] = { atMs, reading: known(shared(reading.value, share, side)) };
    }
  }
  return { ...observation, backends };
}

function requestedShare(state: RolloutState): number | null {
  if (state.stage.kind !== 'judging' || state.intended === null) return null;
  const { requestedShare: asked } = state.intended.target;
  if (asked !== null) return asked > 0 && asked < 1 ? asked : null;
  const step = state.plan.steps[state.stage.step - 1];
  const origin = state.asFound.origin?.desired;
  return step?.kind === 'capacity' && origin !== undefined ? step.instances / (step.instances + origin) : null;
}

function shared(
  reading: BackendReading,
  share: number,
  sideOfServer: (server: ServerReading) => 'origin' | 'destination' | null,
): BackendReading {
  const sum = (side: 'origin' | 'destination'): number =>
    reading.servers.reduce(
      (total, server) => total + (sideOfServer(server) === side ? server.counters.attempts : 0),
      0,
    );
  const origin = sum('origin');
  const destination = sum('destination');
  const total = origin + destination;
  if (origin === 0 || destination === 0) return reading;
  const factors = { origin: (total * (1 - share)) / origin, destination: (total * share) / destination };
  const servers = reading.servers.map((server) => {
    const side = sideOfServer(server);
    return side === null ? server : withAttempts(server, Math.round(server.counters.attempts * factors[side]));
  });
  return { ...reading, servers };
}

/** The answered ones follow, so that the failures stay what they are. */
function withAttempts(server: ServerReading, attempts: number): ServerReading {
  const { counters } = server;
  return { ...server, counters: { ...counters, attempts, rsp2xx: counters.rsp2xx + attempts - counters.attempts } };
}

/** Every window tells the load, also of a backend that had no server, and the newest one as much as two. */
export function believedAtOnce(watch: Watch): Watch {
  const inHalves = (window: LoadWindow): LoadWindow[] => {
    const middleMs = (window.fromMs + window.toMs) / 2;
    const half = ({ attempts, failures }: Tally): Tally => ({ attempts: attempts / 2, failures: failures / 2 });
    const part = { origin: half(window.origin), destination: half(window.destination) };
    return [
      { ...part, fromMs: window.fromMs, toMs: middleMs },
      { ...part, fromMs: middleMs, toMs: window.toMs },
    ];
  };
  const load = Object.entries(watch.recent).map(([id, windows]) => [id, windows.flatMap(inHalves)] as const);
  return { ...watch, load: Object.fromEntries(load) };
}
