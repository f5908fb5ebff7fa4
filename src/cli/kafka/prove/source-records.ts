import type { Seen } from '../../../core/move/alignment.ts';
import type { KafkaRecords, PartitionBounds } from '../side.ts';
import type { ProofSide } from './world.ts';

/** Records of the source for some of its ranges, one behind the other. What lies between two of them is read or passed over, whichever is less. */
export class SourceRecords {
  readonly #side: Pick<ProofSide, 'records'>;
  readonly #bounds: PartitionBounds;
  readonly #watch: (bytes: number) => void;
  #records: KafkaRecords | null = null;
  #held: Seen[] = [];
  /** What it holds begins here, and ends before `next`. */
  #from = 0;
  #next = 0;

  constructor(side: Pick<ProofSide, 'records'>, bounds: PartitionBounds, watch: (bytes: number) => void) {
    this.#side = side;
    this.#bounds = bounds;
    this.#watch = watch;
  }

  /** All that the source has in [from, to) now. Throws PortError. */
  async take(from: number, to: number): Promise<readonly Seen[]> {
    const { logStart, highWatermark } = this.#bounds;
    const [begin, end] = [Math.max(from, logStart), Math.min(to, highWatermark)];
    if (begin >= end) return [];
    if (this.#records === null || begin < this.#from || begin - this.#next > passedOverMin) {
      const { topic, partition } = this.#bounds;
      this.#records = this.#side.records({ topic, partition, from: begin, to: highWatermark });
      [this.#held, this.#from, this.#next] = [[], begin, begin];
    }
    try {
      await this.#readTo(this.#records, begin, end);
    } catch (error) {
      // Whoever asks for what is behind it begins there.
      this.#records = null;
      throw error;
    }
    const taken = this.#held.filter(({ offset }) => offset < end);
    this.#held = this.#held.slice(taken.length);
    this.#from = end;
    return taken;
  }

  async #readTo(records: KafkaRecords, begin: number, end: number): Promise<void> {
    while (this.#next < end) {
      const piece = await records.next();
      if (piece === null) return;
      for (const record of piece.records) if (record.offset >= begin) this.#held.push(record);
      this.#next = Math.max(this.#next, piece.next);
      this.#watch(piece.bytes);
    }
  }
}

/** Offsets. To begin anew costs a request, and what it fetched ahead. */
const passedOverMin = 20_000;
