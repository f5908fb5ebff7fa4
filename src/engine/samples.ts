import { sampleHash } from '../core/journal/samples.ts';
import type { RolloutEvent } from '../core/rollout/events.ts';
import type { Watch } from '../core/rollout/watch.ts';
import type { OperationPorts } from './operation-ports.ts';

/** Gathers the windows between two checkpoints; the chain carries their hash, the side table their text. */
export type SampleCollector = {
  add(windows: Watch['windows']): void;
  /** A checkpoint with its samples stored and named; every other event as it is. */
  seal(event: RolloutEvent, seq: number): Promise<RolloutEvent>;
  /** What was sealed is durable now: it need not be sealed again. */
  appended(): Promise<void>;
};

/** A day of checkpoints, one every 30 s; what is older may go, the chain keeps its hash. */
export const blocksMax = 2880;
/** An hour of them. */
export const pruneEvery = 120;

export function collectSamples(ports: Pick<OperationPorts, 'samples' | 'sha256'>, operation: string): SampleCollector {
  let lines: string[] = [];
  let sealed = 0;
  let blocks = 0;
  return {
    add(windows) {
      for (const backend in windows) {
        const window = windows[backend];
        if (window === undefined) continue;
        const { fromMs, toMs, origin, destination } = window;
        lines.push(
          JSON.stringify([
            backend,
            fromMs,
            toMs,
            origin.attempts,
            origin.failures,
            destination.attempts,
            destination.failures,
          ]),
        );
      }
    },
    async seal(event, seq) {
      if (event.kind !== 'checkpoint' || lines.length === 0) return event;
      const text = lines.join('\n');
      const hash = sampleHash(text, ports.sha256);
      // Named by content too: a controller that loses the append must not overwrite the winner's block.
      const block = `${seq}-${hash.slice(0, 12)}`;
      await ports.samples.put(operation, block, text);
      sealed = lines.length;
      return { ...event, samples: { block, hash } };
    },
    async appended() {
      if (sealed === 0) return;
      lines = lines.slice(sealed);
      sealed = 0;
      blocks++;
      if (blocks % pruneEvery === 0) await ports.samples.prune(operation, blocksMax);
    },
  };
}
