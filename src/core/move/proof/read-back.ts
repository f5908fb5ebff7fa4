import type { SentLine } from '../ledger-lines.ts';
import type { Findings } from './finding.ts';

/** A batch as it was fetched raw from the target. */
export type ProofBatch = {
  readonly base: number;
  /** Offsets that it takes. */
  readonly count: number;
  /** Fewer than that where it has holes. */
  readonly records: number;
  /** CRC-32C of its records as they came, without its header. */
  readonly checksum: number;
  /** In decimal digits; null: a message of before v2. */
  readonly producer: string | null;
  /** Written with the producer id that only this copy of this partition has. */
  readonly isOurs: boolean;
  /** Its bytes fit its own checksum. */
  readonly isIntact: boolean;
  readonly hasAppendTime: boolean;
  readonly bytes: number;
};

export type ReadBackRules = {
  /** The target's log: what lines have before it is deleted. */
  readonly logStart: number;
  readonly logEnd: number;
  /** All before it has to stand. Lines behind may be on their way, or were never sent. */
  readonly settled: number;
  /** Compaction takes batches out, and makes others anew. */
  readonly isCompacted: boolean;
  /** Others may write behind it. */
  readonly isOver: boolean;
};

/**
 * Lays the batches of the target against the lines of the ledger, both in order. A batch is where it has to be, or what it is instead
 * is told: so many batches on end that are one place further back because of one that stands between are one finding, and not a
 * thousand that have changed. Memory is bounded by a window of lines.
 */
export class ReadBack {
  readonly #lines: Iterator<SentLine>;
  readonly #rules: ReadBackRules;
  readonly #findings: Findings;
  /** Lines that no batch was found for yet, oldest first. */
  #pending: SentLine[] = [];
  #isEmpty = false;
  /** Those that were found last, in case one of them comes again. */
  readonly #recent: SentLine[] = [];
  /** By how much the last batch stands further back than its line has it. */
  #shift = 0;
  #logStart: number;
  /** Lines that stand as they have to. */
  proven = 0;
  records = 0;

  constructor(lines: Iterable<SentLine>, rules: ReadBackRules, findings: Findings) {
    this.#lines = lines[Symbol.iterator]();
    this.#rules = rules;
    this.#logStart = rules.logStart;
    this.#findings = findings;
  }

  /** The next batch of the target. Comes back with the line that it stands for; null: with none, or as another one. */
  add(batch: ProofBatch): SentLine | null {
    this.#fill(batch.base);
    const index = this.#indexOf(batch);
    if (index === null) {
      this.#unknown(batch);
      return null;
    }
    const passed = this.#pending.splice(0, index + 1);
    const line = passed.pop();
    for (const one of passed) this.#lost(one);
    return line === undefined || !this.#stands(line, batch) ? null : line;
  }

  /** The target has deleted what was before it, while it was read. */
  deletedTo(offset: number): void {
    this.#logStart = Math.max(this.#logStart, offset);
  }

  /** The rest of the target cannot be read: nothing is known of the lines that no batch was found for yet. They are passed over. */
  giveUp(): void {
    this.#pending = [];
    while (this.#lines.next().done !== true);
    this.#isEmpty = true;
  }

  /** There are no more batches. */
  end(): void {
    this.#fill(Number.POSITIVE_INFINITY);
    for (const line of this.#pending.splice(0)) this.#lost(line);
  }

  /** Takes lines until they reach behind this offset, and some more, so that a batch that has moved is found. */
  #fill(base: number): void {
    while (!this.#isEmpty && !this.#reaches(base)) {
      const next = this.#lines.next();
      if (next.done === true) this.#isEmpty = true;
      else if (next.value.target + next.value.count > this.#logStart) this.#pending.push(next.value);
      else this.#findings.add({ kind: 'deleted', ...placesOf(next.value) });
      // The log goes on far behind: what is not in its place by now will not come.
      if (this.#pending.length >= pendingMax)
        for (const line of this.#pending.splice(0, pendingMax - aheadLines)) this.#lost(line);
    }
  }

  #reaches(base: number): boolean {
    return this.#pending.length >= aheadLines && (this.#pending.at(-1)?.target ?? 0) > base;
  }

  #indexOf(batch: ProofBatch): number | null {
    const isSame = (line: SentLine) => isContentOf(line, batch);
    for (const shift of this.#shift === 0 ? [0] : [0, this.#shift]) {
      const placed = this.#pending.findIndex((line) => line.target + shift === batch.base && isSame(line));
      if (placed !== -1) return placed;
    }
    const moved = this.#pending.slice(0, aheadLines).findIndex(isSame);
    if (moved !== -1) return moved;
    if (!batch.isOurs || this.#recent.some(isSame)) return null;
    const place = batch.base - this.#shift;
    const there = this.#pending.findIndex(({ target, count }) => target === place && count === batch.count);
    return there === -1 ? null : there;
  }

  /** Whether all of it is as the line has it. */
  #stands(line: SentLine, batch: ProofBatch): boolean {
    const { source, target } = placesOf(line);
    const places = { source, target: { from: batch.base, to: batch.base + batch.count } };
    this.#recent.push(line);
    if (this.#recent.length > recentMax) this.#recent.shift();
    this.#shift = batch.base - line.target;
    if (!batch.isIntact) {
      this.#findings.add({ kind: 'corrupt', ...places, detail: 'the bytes do not fit the checksum of the batch' });
      return false;
    }
    if (batch.checksum !== line.checksum || batch.records !== line.count) {
      const isCleaned = this.#rules.isCompacted && batch.records < line.count;
      const detail = `checksum ${hex(batch.checksum)} of ${batch.records} records, by the ledger ${hex(line.checksum)} of ${line.count}`;
      this.#findings.add({ kind: isCleaned ? 'compacted' : 'changed', ...places, detail });
      return false;
    }
    if (batch.hasAppendTime) {
      this.#findings.add({ kind: 'retimed', ...places, detail: 'its records have the time of their append' });
      return false;
    }
    if (this.#shift !== 0) {
      const detail = `by the ledger at ${target.from}, found at ${batch.base}`;
      this.#findings.add({ kind: 'misplaced', ...places, detail });
      return false;
    }
    this.proven += 1;
    this.records += line.count;
    return true;
  }

  /** No line speaks of it. */
  #unknown(batch: ProofBatch): void {
    const target = { from: batch.base, to: batch.base + batch.count };
    const last = this.#recent.at(-1);
    const isBehind = this.#isEmpty && this.#pending.length === 0;
    if (!batch.isOurs) {
      const whose =
        batch.producer === null ? 'a message of before v2' : `producer id ${batch.producer}, ${batch.records} records`;
      const kind = isBehind && this.#rules.isOver ? 'behind' : 'foreign';
      this.#findings.add({ kind, source: null, target, detail: whose });
      return;
    }
    const first = this.#recent.findLast((line) => isContentOf(line, batch));
    if (first !== undefined) {
      const detail = `the same as offsets ${first.target} to ${first.target + first.count - 1}`;
      this.#findings.add({ kind: 'doubled', source: placesOf(first).source, target, detail });
      return;
    }
    const behind = last === undefined ? '' : `, behind the line that ends at ${last.target + last.count}`;
    const detail = `${batch.records} records, checksum ${hex(batch.checksum)}${behind}`;
    this.#findings.add({ kind: 'stray', source: null, target, detail });
  }

  /** No batch stands for it. */
  #lost(line: SentLine): void {
    const places = placesOf(line);
    const { settled, logEnd, isCompacted } = this.#rules;
    const isBehind = line.target >= logEnd;
    if (places.target.to <= this.#logStart) this.#findings.add({ kind: 'deleted', ...places });
    else if (isBehind && places.target.to > settled) this.#findings.add({ kind: 'unsettled', ...places });
    else if (isBehind) this.#findings.add({ kind: 'truncated', ...places, detail: `the log ends at ${logEnd}` });
    else this.#findings.add({ kind: isCompacted ? 'compacted' : 'missing', ...places });
  }
}

/** So many lines are looked at for a batch that is not in its place. */
const aheadLines = 64;
/** And so many are kept where the log goes on far behind the place that is looked for. */
const pendingMax = 20_000;
/** Far more than were ever in flight. */
const recentMax = 64;

function isContentOf(line: SentLine, { isOurs, checksum, count }: ProofBatch): boolean {
  return isOurs && checksum === line.checksum && count === line.count;
}

function placesOf({ from, to, target, count }: SentLine) {
  return { source: { from, to }, target: { from: target, to: target + count } };
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
