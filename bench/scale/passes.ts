import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../src/core/journal/entry.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { fold, type RolloutState } from '../../src/core/rollout/state.ts';
import { startWatch, watch } from '../../src/core/rollout/watch.ts';
import { type Observed, observe } from '../../src/engine/observe.ts';
import { SteadyProvider } from './service.ts';

const pollMs = 1000;

/**
 * So many rollouts that stand and are judged, each of two groups of `perGroup`: reads all of it, watches and decides, once a
 * simulated second, or each `paceMs` of real time. Answers with the milliseconds that each pass over all of them took.
 */
export async function passes(rollouts: number, perGroup: number, count: number, paceMs = 0): Promise<number[]> {
  let nowMs = 1_790_000_000_000;
  const all = Array.from({ length: rollouts }, () => {
    const service = new SteadyProvider(perGroup, () => nowMs);
    const state = stateOf(service.entries(), nowMs);
    return { service, state, watch: startWatch(state), ports: portsOf(service, () => nowMs) };
  });
  const took: number[] = [];
  for (let pass = 0; pass < count; pass++) {
    nowMs += pollMs;
    const began = performance.now();
    for (const one of all) {
      const observation = await observe(one.ports, one.state.plan, 'bench', [], null, []);
      one.watch = watch(one.watch, one.state, observation);
      const decision = decide(one.state, one.watch, observation);
      const expected = decision.events.every(({ kind }) => kind === 'checkpoint') && decision.back.length === 0;
      if (!expected) throw new Error(`a rollout that stands was to be left alone: ${JSON.stringify(decision.events)}`);
      for (const body of decision.events) one.state = fold(one.state, entry(one.state.seq + 1, nowMs, body));
    }
    took.push(performance.now() - began);
    if (paceMs > 0) await sleep(began + paceMs - performance.now());
  }
  return took;
}

function portsOf(service: SteadyProvider, now: () => number): Observed {
  return {
    clock: { now, monotonic: now, sleep: () => new Promise<never>(() => undefined) },
    timing: { pollMs, callMs: 5000, leaseMs: 15_000 },
    backends: service.backends,
    origin: service.origin,
    destination: service.destination,
    marker: { read: async () => null, write: async () => undefined, remove: async () => undefined },
  };
}

function stateOf(events: readonly RolloutEvent[], atMs: number): RolloutState {
  let state: RolloutState | null = null;
  for (const [index, body] of events.entries()) state = fold(state, entry(index + 1, atMs, body));
  if (state === null) throw new Error('no entry, no state');
  return state;
}

function entry(seq: number, atMs: number, body: RolloutEvent): Entry<RolloutEvent> {
  return { operation: 'bench', seq, previous: '', hash: '', rules: 1, atMs, actor: 'bench', body };
}
