import { known, type Reading, unknown } from '../core/observed/reading.ts';
import type { Decision, Effect, ResizeEffect, TrafficEffect } from '../core/rollout/decision.ts';
import type { DrillMeasure } from '../core/rollout/events.ts';
import { openDeadline, within } from './deadline.ts';
import { performDrill } from './drill.ts';
import { backendOf } from './observe.ts';
import type { OperationPorts } from './operation-ports.ts';

/** Longest wait for the back marker: the way back does not depend on a disk. */
const markerMsMax = 250;

/**
 * The way back: marker first, then every backend at once, none waiting for another. Failures are not errors: what is not
 * read back is written again.
 */
export async function performBack(
  ports: OperationPorts,
  operation: string,
  who: string,
  decision: Decision,
): Promise<void> {
  await writeMarker(ports, operation, who);
  const deadline = openDeadline(ports.clock, ports.timing.callMs, []);
  await Promise.all(decision.back.map((effect) => settled(performTraffic(ports, effect, deadline.signal))));
  deadline.close();
}

/** Performs what follows from the journalled target. Returns the drill's measurement where one of the effects was a drill. */
export async function performEffects(
  ports: OperationPorts,
  effects: readonly Effect[],
  outer: readonly AbortSignal[],
  leftMs: number,
): Promise<Reading<DrillMeasure> | null> {
  if (effects.length === 0) return null;
  const deadline = openDeadline(ports.clock, Math.min(ports.timing.callMs, leftMs), outer);
  const results = await Promise.all(effects.map((effect) => performOne(ports, effect, deadline.signal)));
  deadline.close();
  return results.find((result) => result !== null) ?? null;
}

async function performOne(
  ports: OperationPorts,
  effect: Effect,
  signal: AbortSignal,
): Promise<Reading<DrillMeasure> | null> {
  switch (effect.kind) {
    case 'traffic':
      await settled(performTraffic(ports, effect, signal));
      return null;
    case 'resize':
      await settled(performResize(ports, effect, signal));
      return null;
    case 'drill':
      return performDrill(ports, effect, signal).then(known, (error: unknown) => unknown(reasonOf(error)));
    default:
      return unreachable(effect);
  }
}

/**
 * Where the destination gives way, states go first (maint is the strongest lever) unless the origin has to be given its
 * weights before it can carry; going forward the weights are there before a server is woken.
 */
async function performTraffic(ports: OperationPorts, effect: TrafficEffect, signal: AbortSignal): Promise<void> {
  const backend = backendOf(ports, effect.backend);
  const weights = async () => {
    if (Object.keys(effect.weights).length > 0) await within(signal, backend.setWeights(effect.weights, signal));
  };
  const states = async () => {
    if (Object.keys(effect.states).length > 0) await within(signal, backend.setStates(effect.states, signal));
  };
  if (effect.statesFirst) {
    // Each takes from the destination by itself: one that is lost must not cost the other.
    await Promise.allSettled([states(), weights()]);
    return;
  }
  await weights();
  await states();
}

async function performResize(ports: OperationPorts, effect: ResizeEffect, signal: AbortSignal): Promise<void> {
  const size = effect.desired === null ? { min: effect.min } : { min: effect.min, desired: effect.desired };
  await within(signal, ports[effect.side].resize(size, signal));
}

async function writeMarker(ports: OperationPorts, operation: string, who: string): Promise<void> {
  const deadline = openDeadline(ports.clock, markerMsMax, []);
  await settled(within(deadline.signal, ports.marker.write(operation, who)));
  deadline.close();
}

/** Waits for the end of a call whose failure shows in the next reading. */
async function settled(work: Promise<void>): Promise<void> {
  await work.catch(() => undefined);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unreachable(effect: never): never {
  throw new Error(`cannot perform ${JSON.stringify(effect)}`);
}
