/**
 * Calls that take turns, by address. HAProxy's runtime socket serves few connections at once and queues about as many; the
 * next one is refused at once. One process that asks for dozens of backends together must not be the one who fills the queue.
 */
export class Turns {
  private readonly atOnceMax: number;
  private readonly lines = new Map<string, Line>();

  constructor(atOnceMax: number) {
    this.atOnceMax = atOnceMax;
  }

  /** Resolves with what ends the turn, or with null where the signal aborted first. */
  take(address: string, signal: AbortSignal): Promise<(() => void) | null> {
    if (signal.aborted) return Promise.resolve(null);
    const line = this.lines.get(address) ?? { inProgress: 0, waiting: [] };
    this.lines.set(address, line);
    if (line.inProgress < this.atOnceMax) {
      line.inProgress++;
      return Promise.resolve(this.ending(address, line));
    }
    return new Promise((resolve) => {
      const begin = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(this.ending(address, line));
      };
      const giveUp = () => {
        line.waiting.splice(line.waiting.indexOf(begin), 1);
        resolve(null);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      line.waiting.push(begin);
    });
  }

  private ending(address: string, line: Line): () => void {
    return () => {
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else if (--line.inProgress === 0) this.lines.delete(address);
    };
  }
}

type Line = { inProgress: number; readonly waiting: (() => void)[] };
