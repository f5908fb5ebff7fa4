import type { Fetched, PartitionFetch } from './partition-fetch.ts';

/** One partition from an offset to another. One fetch is ahead of what was taken, so that memory holds two answers at most. */
export class FetchAhead<T> {
  readonly #partition: PartitionFetch<T>;
  readonly #to: number;
  #next: number;
  #ahead: Promise<Fetched<T>> | null = null;

  constructor(partition: PartitionFetch<T>, from: number, to: number) {
    [this.#partition, this.#next, this.#to] = [partition, from, to];
  }

  /** Null: the end. Throws PortError. */
  async next(): Promise<Fetched<T> | null> {
    if (this.#next >= this.#to) return null;
    const fetched = await (this.#ahead ?? this.#partition.fetch(this.#next));
    this.#next = fetched.next;
    this.#ahead = null;
    if (fetched.next < this.#to) {
      this.#ahead = this.#partition.fetch(fetched.next);
      // Whoever takes it gets its error; until then nobody has to.
      this.#ahead.catch(() => undefined);
    }
    return fetched;
  }
}
