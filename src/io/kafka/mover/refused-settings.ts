import type { Refusal } from '../../../core/move/writer.ts';
import type { MovedPartition } from './moved-partition.ts';
import type { MoverClock } from './ports.ts';

/** Since when a partition has been refused where it stands, and when it is tried again. */
type Refused = { readonly source: number; readonly sinceMs: number; againMs: number };

/**
 * What brokers refuse by the settings of a topic, right after these were changed for the copy: a broker takes a moment until it goes by
 * them. So the same batch is sent again, after the tail was read back, until it has been refused for `msMax` on end.
 */
export class RefusedSettings {
  readonly #msMax: number;
  readonly #clock: MoverClock;
  readonly #refused = new Map<MovedPartition, Refused>();

  constructor(msMax: number, clock: MoverClock) {
    this.#msMax = msMax;
    this.#clock = clock;
  }

  get isAny(): boolean {
    return [...this.#refused.keys()].some((partition) => this.isForNow(partition));
  }

  /** false: it is refused for good, or not at all. */
  isForNow(partition: MovedPartition): boolean {
    const { phase } = partition.writer;
    if (phase.kind !== 'refused' || !bySettings.includes(phase.refusal)) return false;
    return this.#clock.monotonic() - this.#noted(partition).sinceMs < this.#msMax;
  }

  /** Those that are to be tried once more, now. */
  due(partitions: readonly MovedPartition[]): MovedPartition[] {
    const nowMs = this.#clock.monotonic();
    return partitions.filter((partition) => {
      if (!this.isForNow(partition)) return false;
      const noted = this.#noted(partition);
      if (nowMs < noted.againMs) return false;
      noted.againMs = nowMs + betweenMs;
      return true;
    });
  }

  #noted(partition: MovedPartition): Refused {
    const { source } = partition.writer.settled;
    const before = this.#refused.get(partition);
    if (before?.source === source) return before;
    const nowMs = this.#clock.monotonic();
    const noted = { source, sinceMs: nowMs, againMs: nowMs + betweenMs };
    this.#refused.set(partition, noted);
    return noted;
  }
}

const bySettings: readonly Refusal[] = ['timestamp', 'too-large'];
const betweenMs = 250;
