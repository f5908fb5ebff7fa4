import type { BackendReading } from '../core/observed/backend.ts';

/** Readings older than this come no more. */
const lateMsMax = 30_000;

/**
 * What one controller has read of one balancer, so that counters can come once more, or later than newer ones. Weights, states
 * and health are always those of the moment: they come from the configuration's side, counters from who adds them up.
 */
export class PastCounters {
  #past: { readonly atMs: number; readonly reading: BackendReading }[] = [];

  /** `reading` with the counters of the last one (`twice`) or of the oldest that may still come (`late`); null: there is none. */
  instead(how: 'twice' | 'late', reading: BackendReading): BackendReading | null {
    const older = (how === 'twice' ? this.#past.at(-1) : this.#past[0])?.reading;
    if (older === undefined || older.process !== reading.process) return null;
    const counters = new Map(older.servers.map((server) => [server.name, server.counters]));
    return {
      ...reading,
      servers: reading.servers.map((server) => ({ ...server, counters: counters.get(server.name) ?? server.counters })),
    };
  }

  note(reading: BackendReading, atMs: number): void {
    this.#past = this.#past.filter((one) => atMs - one.atMs <= lateMsMax);
    this.#past.push({ atMs, reading });
  }
}
