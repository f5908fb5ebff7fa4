import { known, type Reading, unknown } from '../core/observed/reading.ts';
import type { Decision, Effect, ResizeEffect, TrafficEffect } from '../core/rollout/decision.ts';
import type { DrillMeasure } from '../core/rollout/events.ts';
import { openDeadline, within } from './deadline.ts';
import { performDrill } from './drill.ts';
import { backendOf } from './observe.ts';
import type { OperationPorts } from './operation-ports.ts';

/** Longest wait for the back marker: the way back does not depend on a disk. */
const markerMsMax = 250;

/** What was tried, by what it concerns (a backend's id, or the side of a group): why it failed; null: nobody said no. */
export type Outcomes = Readonly<Record<string, string | null>>;

/**
 * The way back: marker first (`who` null: it lies there), then every backend at once, none waiting for another. Failures are
 * not errors: what is not read back is written again.
 */
export async function performBack(
  ports: OperationPorts,
  operation: string,
  who: string | null,
  decision: Decision,
): Promise<Outcomes> {
  if (who !== null) await writeMarker(ports, operation, who);
  const deadline = openDeadline(ports.clock, ports.timing.callMs, []);
  const tried = decision.back.map(
    async (effect) => [effect.backend, await failureOf(performTraffic(ports, effect, deadline.signal))] as const,
  );
  const outcomes = Object.fromEntries(await Promise.all(tried));
  deadline.close();
  return outcomes;
}

export type Performed = {
  /** Where one of the effects was a drill, its measurement. */
  readonly drill: Reading<DrillMeasure> | null;
  readonly outcomes: Outcomes;
};

/** Performs what follows from the journalled target. */
export async function performEffects(
  ports: OperationPorts,
  effects: readonly Effect[],
  outer: readonly AbortSignal[],
  msMax: number,
): Promise<Performed> {
  if (effects.length === 0) return { drill: null, outcomes: {} };
  const deadline = openDeadline(ports.clock, Math.min(ports.timing.callMs, msMax), outer);
  const all = await Promise.all(effects.map((effect) => performOne(ports, effect, deadline.signal)));
  deadline.close();
  return {
    drill: all.find(({ drill }) => drill !== null)?.drill ?? null,
    // What was given up for something more urgent has not failed.
    outcomes: outer.some((signal) => signal.aborted) ? {} : Object.assign({}, ...all.map(({ outcomes }) => outcomes)),
  };
}

async function performOne(ports: OperationPorts, effect: Effect, signal: AbortSignal): Promise<Performed> {
  switch (effect.kind) {
    case 'traffic':
      return {
        drill: null,
        outcomes: { [effect.backend]: await failureOf(performTraffic(ports, effect, signal)) },
      };
    case 'resize':
      return { drill: null, outcomes: { [effect.side]: await failureOf(performResize(ports, effect, signal)) } };
    case 'drill': {
      // Its failure is a finding of the operation's: it goes back for it.
      const drill = await performDrill(ports, effect, signal).then(known, (error: unknown) => unknown(reasonOf(error)));
      return { drill, outcomes: {} };
    }
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
    const all = await Promise.allSettled([states(), weights()]);
    for (const one of all) if (one.status === 'rejected') throw one.reason;
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
  // Without it the servers in maint tell.
  await failureOf(within(deadline.signal, ports.marker.write(operation, who)));
  deadline.close();
}

/** Waits for the end of a call, and says why it failed: whether it was done shows in the next reading. */
function failureOf(work: Promise<void>): Promise<string | null> {
  return work.then(() => null, reasonOf);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function unreachable(effect: never): never {
  throw new Error(`cannot perform ${JSON.stringify(effect)}`);
}
