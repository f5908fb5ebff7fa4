import type { Tail, TailBatch } from '../../src/core/move/tail.ts';
import { sequenceAfter } from '../../src/core/move/tail.ts';
import type { Answer } from '../../src/core/move/writer.ts';

/** One partition of a broker, as far as it was measured: the last five batches of a producer, epochs, and what it forgets. */
export class ModelBroker {
  readonly log: TailBatch[] = [];
  remembers = true;
  #known: TailBatch[] = [];

  append(batch: Omit<TailBatch, 'base'>): Answer {
    const last = this.#known.at(-1);
    if (last !== undefined && batch.epoch < last.epoch) return { kind: 'refused', refusal: 'fenced', words: null };
    const same = this.#known.find(({ epoch, sequence }) => epoch === batch.epoch && sequence === batch.sequence);
    if (same !== undefined) return { kind: 'appended', base: same.base };
    if (last !== undefined && !isNext(last, batch)) return { kind: 'out-of-order' };
    const end = this.log.at(-1);
    const appended = { ...batch, base: end === undefined ? 0 : end.base + end.count };
    this.log.push(appended);
    this.#known = this.remembers ? [...this.#known, appended].slice(-5) : [];
    return { kind: 'appended', base: appended.base };
  }

  /** Its snapshot has the newest batch only. */
  restart(): void {
    this.#known = this.#known.slice(-1);
  }

  /** As an expiry check does with a producer whose newest record is old. */
  forget(): void {
    this.#known = [];
  }
}

export function tailOf(broker: ModelBroker, from: number): Tail {
  const end = broker.log.at(-1);
  const logEnd = end === undefined ? 0 : end.base + end.count;
  return { logStart: 0, logEnd, from, batches: broker.log.filter(({ base, count }) => base + count > from) };
}

function isNext(last: TailBatch, batch: Omit<TailBatch, 'base'>): boolean {
  if (batch.epoch > last.epoch) return batch.sequence === 0;
  return batch.sequence === sequenceAfter(last.sequence, last.count);
}
