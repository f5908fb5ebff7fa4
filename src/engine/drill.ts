import type { DrillEffect } from '../core/rollout/decision.ts';
import type { DrillMeasure } from '../core/rollout/events.ts';
import { within } from './deadline.ts';
import { backendOf } from './observe.ts';
import type { OperationPorts } from './operation-ports.ts';

const pollMs = 5;
/** The drill has ended when no attempt was seen for this long. */
const quietMs = 100;

/**
 * Takes the drilled servers back and measures it: the command's acknowledgement by the slowest balancer, then the last
 * increase of `attempts`, by polls about 5 ms apart. `rps` is what the polls saw at all servers named.
 */
export async function performDrill(
  ports: OperationPorts,
  effect: DrillEffect,
  signal: AbortSignal,
): Promise<DrillMeasure> {
  const { clock } = ports;
  const start = clock.monotonic();
  const commands = effect.servers.map(({ backend, server }) =>
    within(signal, backendOf(ports, backend).setStates({ [server]: 'maint' }, signal)),
  );
  await Promise.all(commands);
  const acknowledged = clock.monotonic();
  let before = await attemptsOf(ports, effect, signal);
  const first = before;
  let lastIncrease = acknowledged;
  let polls = 0;
  while (clock.monotonic() - Math.max(lastIncrease, acknowledged) < quietMs) {
    await clock.sleep(pollMs, signal);
    const now = await attemptsOf(ports, effect, signal);
    polls++;
    if (now > before) lastIncrease = clock.monotonic();
    before = now;
  }
  const tookMs = clock.monotonic() - acknowledged;
  return {
    attempts: before - first,
    acknowledgedMs: acknowledged - start,
    lastAttemptMs: lastIncrease - acknowledged,
    spacingMs: polls === 0 ? 0 : tookMs / polls,
    rps: tookMs === 0 ? 0 : ((before - first) * 1000) / tookMs,
  };
}

async function attemptsOf(ports: OperationPorts, effect: DrillEffect, signal: AbortSignal): Promise<number> {
  const counts = await Promise.all(
    effect.servers.map(async ({ backend, server }) => {
      const attempts = await within(signal, backendOf(ports, backend).attempts([server], signal));
      return attempts[server] ?? 0;
    }),
  );
  return counts.reduce((total, count) => total + count, 0);
}
