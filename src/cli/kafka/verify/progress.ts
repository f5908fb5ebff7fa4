import type { Clock } from '../../../engine/ports.ts';
import { whole } from '../../terminal/figures.ts';

/** What was read of how much, how fast, and how long the rest will take at the speed of the last half minute. */
export class Progress {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #offsetsMax: number;
  readonly #partitions: number;
  readonly #startedMs: number;
  readonly #samples: { readonly atMs: number; readonly offsets: number; readonly bytes: number }[] = [];
  #offsets = 0;
  bytes = 0;
  records = 0;
  partitionsDone = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, offsetsMax: number, partitions: number) {
    this.#clock = clock;
    this.#offsetsMax = offsetsMax;
    this.#partitions = partitions;
    this.#startedMs = clock.monotonic();
  }

  add({ offsets, records, bytes }: { offsets: number; records: number; bytes: number }): void {
    this.#offsets += offsets;
    this.records += records;
    this.bytes += bytes;
  }

  get elapsedMs(): number {
    return this.#clock.monotonic() - this.#startedMs;
  }

  line(): string {
    const atMs = this.#clock.monotonic();
    this.#samples.push({ atMs, offsets: this.#offsets, bytes: this.bytes });
    while (this.#samples.length > 2 && (this.#samples[0]?.atMs ?? 0) < atMs - windowMs) this.#samples.shift();
    const first = this.#samples[0] ?? { atMs, offsets: 0, bytes: 0 };
    const ms = atMs - first.atMs;
    const share = this.#offsetsMax === 0 ? 1 : Math.min(1, this.#offsets / this.#offsetsMax);
    const rate = ms < rateMsMin ? '' : `, ${amount((1000 * (this.bytes - first.bytes)) / ms)}/s`;
    const offsetsPerMs = ms < rateMsMin ? 0 : (this.#offsets - first.offsets) / ms;
    return [
      `${this.partitionsDone} of ${this.#partitions} partitions, ${Math.floor(share * 100)} %`,
      `: ${amount(this.bytes)}, ${whole(this.records)} records${rate}`,
      restWords(this.#offsetsMax - this.#offsets, offsetsPerMs, ms),
    ].join('');
  }
}

const windowMs = 30_000;
const rateMsMin = 1000;
/** A shorter look tells nothing about the rest. */
const restMsMin = 5000;

/** With what separates it from what is before; empty: too little was seen. */
export function restWords(offsets: number, perMs: number, ms: number): string {
  if (ms < restMsMin || offsets <= 0) return '';
  if (perMs <= 0) return '; nothing has come for a while';
  const seconds = offsets / perMs / 1000;
  return `; about ${durationWords(seconds)} to go at this speed`;
}

function durationWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function amount(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[step]}`;
}
