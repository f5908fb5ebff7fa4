/**
 * Virtual time. Nothing in a simulated world waits for anything else: what is to happen stands in one queue, ordered by time
 * and then by when it was entered. Between two events every promise reaction runs to the end, so a run depends on its seed alone.
 */
export class Schedule {
  #nowMs = 0;
  #entered = 0;
  readonly #heap: Planned[] = [];
  #stopped = false;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Whole milliseconds: fractions are rounded up. */
  after(delayMs: number, run: () => void): Planned {
    return this.at(this.#nowMs + delayMs, run);
  }

  at(atMs: number, run: () => void): Planned {
    const planned = { atMs: Math.max(Math.ceil(atMs), this.#nowMs), order: this.#entered++, run, cancelled: false };
    this.#push(planned);
    return planned;
  }

  /** Ends `run` before the next event. */
  stop(): void {
    this.#stopped = true;
  }

  /** Runs events until `stop`, the end of the queue or the first event after `untilMs`; an error thrown by an event rejects. */
  run(untilMs: number): Promise<'stopped' | 'idle' | 'late'> {
    this.#stopped = false;
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        if (this.#stopped) return resolve('stopped');
        const planned = this.#pop();
        if (planned === undefined) return resolve('idle');
        if (planned.atMs > untilMs) {
          this.#push(planned);
          return resolve('late');
        }
        this.#nowMs = planned.atMs;
        try {
          planned.run();
        } catch (error) {
          return reject(error);
        }
        afterReactions(turn);
      };
      afterReactions(turn);
    });
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push(planned);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !earlier(planned, above)) break;
      heap[hole] = above;
      hole = parent;
    }
    heap[hole] = planned;
  }

  #pop(): Planned | undefined {
    for (;;) {
      const first = this.#heap[0];
      const last = this.#heap.pop();
      if (first === undefined || last === undefined) return undefined;
      if (this.#heap.length > 0) this.#sink(last);
      if (!first.cancelled) return first;
    }
  }

  #sink(planned: Planned): void {
    const heap = this.#heap;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && earlier(right, below)) {
        child++;
        below = right;
      }
      if (!earlier(below, planned)) break;
      heap[hole] = below;
      hole = child;
    }
    heap[hole] = planned;
  }
}

/** `cancelled`: set it, and the event is left out. */
export type Planned = { readonly atMs: number; readonly order: number; readonly run: () => void; cancelled: boolean };

function earlier(left: Planned, right: Planned): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

/**
 * Node runs a tick's callback only when no promise reaction is left; entering the tick from a reaction puts it behind all of
 * them. This costs no turn of the event loop, which is what makes a simulated hour cheap.
 */
function afterReactions(run: () => void): void {
  queueMicrotask(() => process.nextTick(run));
}
