import type { Seen } from './alignment.ts';
import { isMadeAnew, type LedgerLine, type Left, type Position, type SentLine } from './ledger-lines.ts';

/*
 * A target that holds what a copy has written, and no ledger that says so: the ledger is made of what stands on both sides, or not at all.
 *
 *   seeking → following → behind
 *
 * `seeking`: the source is read until the first batch of the target. `following`: each batch of the target has to be the next one of the
 * source. `behind`: all of the target was found; what is left of the source is looked at for a second place where the target could end.
 */

/** A batch as it stands on the target. */
export type StandingBatch = {
  readonly base: number;
  /** Offsets that it takes. */
  readonly count: number;
  /** Fewer than that where it has holes. */
  readonly records: number;
  /** CRC-32C of its records as they are stored, without its header. */
  readonly checksum: number;
  /** The time that those of its records are counted from. */
  readonly firstMs: number;
  /** In decimal digits; null: a message of before v2. */
  readonly producer: string | null;
  /** Written with the producer id that only this copy of this partition has. */
  readonly isOurs: boolean;
  /** Of its writer. */
  readonly epoch: number;
  /** Its bytes fit its own checksum. */
  readonly isIntact: boolean;
  readonly contents: () => readonly Seen[];
};

/** What the source has, in order and without gaps: as the mover would take it. */
export type SourceItem = SourceLeft | SourceBatch | SourceMessage;

export type SourceLeft = {
  readonly kind: 'left';
  readonly from: number;
  readonly to: number;
  readonly why: Left;
  readonly epoch: number | null;
};

export type SourceBatch = {
  readonly kind: 'batch';
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly checksum: number;
  readonly firstMs: number;
  readonly kept: Uint8Array | null;
  readonly isRebuilt?: true;
  /** Of the leader that had appended it; null: not known. */
  readonly epoch: number | null;
  readonly contents: () => readonly Seen[];
};

/** Of before v2: how many of them make a batch is decided by how they were fetched, and written nowhere. */
export type SourceMessage = { readonly kind: 'message'; readonly from: number; readonly to: number };

/** A line that is proven, and the source's epoch that goes with it. */
export type ProvenLine = { readonly line: LedgerLine; readonly epoch: number | null };

export type Adopted = {
  /** Where the copy had begun, and behind the last batch of the target. */
  readonly begin: Position;
  readonly end: Position;
  readonly batches: number;
  /** Of those, made anew: compared record by record where their bytes are others. */
  readonly madeAnew: number;
  readonly records: number;
  /** Above every one in which the target was written, and above those in which its writers may have begun and appended nothing. */
  readonly epoch: number;
};

/** Why it is not known which offset of the source stands where. `target`, `source`: where, as offsets; null: nowhere in particular. */
export type AdoptionRefusal = {
  readonly kind:
    | 'empty'
    | 'foreign'
    | 'not-intact'
    | 'hole-on-target'
    | 'begin-not-found'
    | 'differs'
    | 'source-ended'
    | 'ambiguous'
    | 'messages-before-v2'
    | 'deleted-meanwhile'
    | 'written-meanwhile';
  readonly target: number | null;
  readonly source: number | null;
  /** What stands on both sides, and what differs. */
  readonly words: string;
};

export type AdoptionBounds = {
  /** Where the target's log begins. */
  readonly targetStart: number;
  /** Where the source's does. */
  readonly sourceStart: number;
};

/** One partition. Memory is bounded by the window of the last batches (`tail`), however much is compared. */
export class Adoption {
  readonly #bounds: AdoptionBounds;
  readonly #ends: EndPlaces;
  #phase: 'seeking' | 'following' | 'behind' = 'seeking';
  #next: StandingBatch | null = null;
  #hasNext = false;
  #targetEnd: number;
  #left: SourceLeft[] = [];
  #begin: Position | null = null;
  #end: Position | null = null;
  #hasPassedOver = false;
  #batches = 0;
  #madeAnew = 0;
  #records = 0;
  #epoch = 0;
  #refusal: AdoptionRefusal | null = null;

  /** `tail`: the last batches of the target, by which the place where it ends is told from others. */
  constructor(bounds: AdoptionBounds, tail: readonly StandingBatch[]) {
    this.#bounds = bounds;
    this.#targetEnd = bounds.targetStart;
    this.#ends = new EndPlaces(tail, bounds.sourceStart > 0);
  }

  get refusal(): AdoptionRefusal | null {
    return this.#refusal;
  }

  /** The next batch of the target has to be told before the next item of the source. */
  get wantsTarget(): boolean {
    return !this.#hasNext && this.#phase !== 'behind' && this.#refusal === null;
  }

  /** Null: there is none any more. */
  standing(batch: StandingBatch | null): void {
    this.#hasNext = true;
    this.#next = batch;
    if (batch === null) {
      if (this.#begin === null) this.#refuse('empty', null, null, 'nothing stands on the target');
      this.#phase = 'behind';
      return;
    }
    const { base, count, records, isOurs, isIntact, producer } = batch;
    // The first one may begin below the log's start, where DeleteRecords has cut into it.
    const isNext = base === this.#targetEnd || (this.#begin === null && base <= this.#targetEnd);
    if (!isIntact) this.#refuse('not-intact', base, null, 'the batch does not fit its own checksum');
    else if (!isOurs)
      this.#refuse(
        'foreign',
        base,
        null,
        `${standingWords(batch)} was written by ${producer === null || producer === '-1' ? 'somebody' : `producer ${producer}`}, and not by a copy of this partition from this source`,
      );
    else if (!isNext || records !== count)
      this.#refuse(
        'hole-on-target',
        base,
        null,
        `offsets of the target hold nothing before or in ${standingWords(batch)}`,
      );
    this.#targetEnd = base + count;
  }

  /** The next item of the source. What comes back is proven by it, in the order of the ledger. */
  source(item: SourceItem): readonly ProvenLine[] {
    if (this.#refusal !== null) return [];
    if (item.kind === 'message') {
      if (this.#phase !== 'behind')
        this.#refuse('messages-before-v2', this.#next?.base ?? null, item.from, 'the source has messages of before v2');
      return [];
    }
    if (item.kind === 'left') {
      if (this.#phase !== 'behind') this.#left.push(item);
      return [];
    }
    this.#ends.look(item);
    return this.#phase === 'behind' ? [] : this.#take(item);
  }

  /** Once the source has ended. Null: it is refused, and `refusal` says why. */
  ended(sourceEnd: number): Adopted | null {
    const next = this.#next;
    if (this.#refusal !== null) return null;
    if (this.#begin === null && next !== null) {
      const words = `${standingWords(next)} is nowhere on the source, from ${this.#bounds.sourceStart} to ${sourceEnd - 1}`;
      this.#refuse('begin-not-found', next.base, null, words);
    } else if (this.#phase !== 'behind')
      this.#refuse('source-ended', next?.base ?? null, sourceEnd, 'the target goes on where the source has ended');
    const [begin, end] = [this.#begin, this.#end];
    if (begin !== null && end !== null && this.#refusal === null) {
      const other = this.#ends.others(end.source);
      if (other !== null)
        this.#refuse(
          'ambiguous',
          end.target,
          end.source,
          `the last batches of the target fit at ${end.source} and at ${other} of the source alike: they are the same, times included`,
        );
    }
    if (begin === null || end === null || this.#refusal !== null) return null;
    const [batches, madeAnew, records] = [this.#batches, this.#madeAnew, this.#records];
    const epoch = Math.max(this.#epoch, Math.min(this.#epoch + epochsPassedOver, epochMax));
    return { begin, end, batches, madeAnew, records, epoch };
  }

  #take(item: SourceBatch): readonly ProvenLine[] {
    const next = this.#next;
    if (next === null) return [];
    if (!isSame(item, next)) {
      if (this.#phase === 'following')
        this.#refuse('differs', next.base, item.from, `${standingWords(next)}, and on the source ${sourceWords(item)}`);
      this.#hasPassedOver = true;
      this.#left = [];
      return [];
    }
    const lines: ProvenLine[] = this.#left.map(({ from, to, why, epoch }) => ({
      line: { kind: 'left', from, to, why },
      epoch,
    }));
    this.#left = [];
    if (this.#begin === null) {
      // What was passed over was not copied: where only what has no counterpart stands before it, all was.
      const isWhole = !this.#hasPassedOver;
      this.#begin = { source: isWhole ? (lines[0]?.line.from ?? item.from) : item.from, target: next.base };
      if (!isWhole) lines.length = 0;
    }
    const line = lineOf(item, next);
    this.#end = { source: line.to, target: next.base + next.count };
    this.#phase = 'following';
    this.#batches += 1;
    this.#madeAnew += isMadeAnew(line) ? 1 : 0;
    this.#records += line.count;
    this.#epoch = Math.max(this.#epoch, next.epoch);
    this.#hasNext = false;
    return [...lines, { line, epoch: item.epoch }];
  }

  #refuse(kind: AdoptionRefusal['kind'], target: number | null, source: number | null, words: string): void {
    this.#refusal ??= { kind, target, source, words };
  }
}

/** Each start of a mover takes one, and may append nothing: what it had sent would pass for what comes later, were its epoch used again. */
export const epochsPassedOver = 100;
/** They are numbers of 16 bits with a sign; what goes on needs some. */
const epochMax = 30_000;

/** Its checksum is that of what stands there: what is read back is compared with it. */
function lineOf({ from, to, count, kept, isRebuilt }: SourceBatch, { base, checksum }: StandingBatch): SentLine {
  const line = { kind: 'sent', from, to, target: base, count, checksum, kept } as const;
  return isRebuilt === true ? { ...line, isRebuilt } : line;
}

/** Bytes as they were sent; of what was made anew the records, as a codec's other version makes other bytes of them. */
function isSame(source: SourceBatch, standing: StandingBatch): boolean {
  if (source.count !== standing.records || standing.records !== standing.count) return false;
  if (source.checksum === standing.checksum && source.firstMs === standing.firstMs) return true;
  const isAnew = source.kept !== null || source.isRebuilt === true;
  return isAnew && haveSameRecords(source.contents(), standing.contents());
}

function haveSameRecords(ones: readonly Seen[], others: readonly Seen[]): boolean {
  if (ones.length !== others.length) return false;
  return ones.every(({ timeMs, content }, index) => {
    const other = others[index];
    return other !== undefined && other.timeMs === timeMs && other.content === content;
  });
}

/**
 * Where on the source the last batches of the target stand. Only one place may fit: were there two, with the same bytes and the same times,
 * going on from the wrong one would leave out, or double, what is between them.
 */
class EndPlaces {
  readonly #tail: readonly StandingBatch[];
  /** The source may have had more before what it has now. */
  readonly #isCut: boolean;
  #recent: SourceBatch[] = [];
  readonly #places: number[] = [];

  constructor(tail: readonly StandingBatch[], isCut: boolean) {
    [this.#tail, this.#isCut] = [tail, isCut];
  }

  look(batch: SourceBatch): void {
    this.#recent.push(batch);
    if (this.#recent.length > this.#tail.length) this.#recent.shift();
    // Two are enough to know that it is not the only one.
    if (this.#places.length > 1 || !this.#fits()) return;
    this.#places.push(batch.to);
  }

  /** One that is not `end`; null: there is none. */
  others(end: number): number | null {
    return this.#places.find((place) => place !== end) ?? null;
  }

  /** The newest first. Before the first batch of a source that was cut anything may have stood. */
  #fits(): boolean {
    const [tail, recent] = [this.#tail, this.#recent];
    if (tail.length === 0 || (recent.length < tail.length && !this.#isCut)) return false;
    for (let back = 1; back <= recent.length; back += 1) {
      const [batch, standing] = [recent.at(-back), tail.at(-back)];
      if (batch === undefined || standing === undefined || !isSame(batch, standing)) return false;
    }
    return true;
  }
}

function standingWords({ base, count, checksum }: StandingBatch): string {
  return `the target's batch at ${base} (${counted(count)}, checksum ${hex(checksum)})`;
}

function sourceWords({ from, count, checksum }: SourceBatch): string {
  return `stands one at ${from} (${counted(count)}, checksum ${hex(checksum)})`;
}

function counted(count: number): string {
  return count === 1 ? '1 record' : `${count} records`;
}

function hex(checksum: number): string {
  return checksum.toString(16).padStart(8, '0');
}
