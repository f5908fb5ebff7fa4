import type { Position, SentLine } from '../../../core/move/ledger-lines.ts';
import { keptBits } from '../../../core/move/offset-map.ts';
import type { Tail, TailBatch } from '../../../core/move/tail.ts';
import {
  type Answer,
  type Batch,
  handedOf,
  maySend,
  startWriter,
  type WindowRules,
  type Writer,
  withAnswer,
  withDoubt,
  withGone,
  withLeft,
  withLost,
  withMatch,
  withNewEpoch,
  withRemedy,
  withSent,
  withSourceEnded,
  withTail,
} from '../../../core/move/writer.ts';
import { type Appender, patchForAppend } from '../bytes/append.ts';
import { maxTimestamp, recordCount, recordsCrcOf } from '../bytes/batch.ts';
import { rebuiltLegacy } from '../bytes/legacy.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { rebuiltBatch } from '../bytes/rebuild.ts';
import { type ByteRange, lengthOf, wholeOf } from '../messages/byte-range.ts';
import type { BatchItem, Item } from '../reader/source-items.ts';
import type { Ledger } from './ports.ts';

export type PartitionPlan = {
  readonly topic: string;
  readonly partition: number;
  readonly targetTopic: string;
  readonly producerId: bigint;
  /** Where the copy begins on both sides. */
  readonly start: Position;
  /** Nothing at or behind it is copied; null: it is followed. */
  readonly end: number | null;
};

/** One partition under way: what was fetched and not sent, what was sent and not answered, and the ledger of all of it. */
export class MovedPartition {
  readonly plan: PartitionPlan;
  readonly ledger: Ledger;
  readonly #rules: WindowRules;
  readonly #ready: Item[] = [];
  readonly #recordBytesMax: number;
  #writer: Writer;
  #prepared: Prepared | null = null;
  #readyBytes = 0;
  #fetchNext: number;
  #lastFetchedEpoch: number | null;
  #flaws = 0;
  /** Lines that were made void in this epoch: their requests may still arrive. */
  readonly #given: SentLine[] = [];
  #flaw: string | null = null;
  /** While the source is asked for it. */
  isFetching = false;
  /** The last answer had only a piece of a batch: it is asked for first, as then a broker sends one whole. */
  isHungry = false;
  /** What stands on the target and could not be compared with the source, which does not have it any more. */
  readonly unproven: SentLine[] = [];
  lost = 0;

  constructor(plan: PartitionPlan, ledger: Ledger, rules: WindowRules, recordBytesMax: number) {
    this.plan = plan;
    this.ledger = ledger;
    this.#rules = rules;
    this.#recordBytesMax = recordBytesMax;
    const epoch = ledger.epoch + 1;
    ledger.raiseEpoch(epoch);
    this.#writer = startWriter(this.#sureOf(), epoch);
    this.#fetchNext = this.#writer.settled.source;
    this.#lastFetchedEpoch = null;
  }

  get writer(): Writer {
    return this.#writer;
  }

  get fetchNext(): number {
    return this.#fetchNext;
  }

  /** The epoch of the source's leader that had appended what is before `fetchNext`; null: not known. */
  get lastFetchedEpoch(): number | null {
    return this.#lastFetchedEpoch;
  }

  /** What of the source cannot be copied, and comes again and again; null: nothing. */
  get flaw(): string | null {
    return this.#flaw;
  }

  get readyBytes(): number {
    return this.#readyBytes;
  }

  /** All that was asked for stands on the target. */
  get isDone(): boolean {
    const { end } = this.plan;
    return end !== null && this.#writer.phase.kind === 'writing' && this.#writer.settled.source >= end;
  }

  get wantsMore(): boolean {
    const { kind } = this.#writer.phase;
    const isOpen = this.plan.end === null || this.#fetchNext < this.plan.end;
    return isOpen && !this.isFetching && this.#flaw === null && (kind === 'writing' || kind === 'matching');
  }

  /** What was fetched from `fetchNext` on. `from`: what was asked; an answer to an older question is dropped. */
  add(from: number, items: readonly Item[]): void {
    const { kind } = this.#writer.phase;
    if (from !== this.#fetchNext || (kind !== 'writing' && kind !== 'matching')) return;
    for (const item of items) {
      this.#ready.push(item);
      if (item.kind === 'batch') this.#readyBytes += item.end - item.at;
      this.#fetchNext = item.to;
      // Nobody knows in which epoch what is missing was written.
      if (item.epoch !== null || item.kind === 'left') this.#lastFetchedEpoch = item.epoch;
    }
    this.#match();
  }

  /** Retention has deleted what is before `to`. */
  addBelowLogStart(from: number, to: number): void {
    this.add(from, [{ kind: 'left', from, to, why: 'below-log-start', epoch: null }]);
  }

  /**
   * The source has less than what was asked for: somebody else leads it, whose log ends at `end`, or has nothing of the leaders after
   * `epoch`. false: some of what is gone was handed to the target already. Otherwise what was fetched and not sent is dropped.
   */
  retreat(end: number, epoch: number | null): boolean {
    const { sourceEpoch } = this.ledger;
    const isLater = epoch !== null && sourceEpoch !== null && sourceEpoch > epoch;
    if (isLater || end < handedOf(this.#writer).source) return false;
    this.#forget();
    return true;
  }

  /** What was fetched is not what it has to be. It is fetched again, as it may have been damaged on the way; twice. */
  spoiled(why: string): void {
    this.#flaws += 1;
    if (this.#flaws > flawsMax) this.#flaw = why;
    this.#forget();
  }

  /**
   * The next batch, ready to be sent, with its line in the ledger. null: none may be sent now. `room`: bytes that the request can
   * take; a batch alone may be larger.
   */
  take(nowMs: number, room: number): ByteRange | null {
    while (this.#writer.phase.kind === 'writing') {
      this.#leave();
      const item = this.#ready[0];
      if (item?.kind !== 'batch' || !maySend(this.#writer, item.newestMs, this.#rules, nowMs)) return null;
      const prepared = this.#prepare(item);
      // Either nothing was left of it, and it is a hole by now; or it is fetched again.
      if (prepared === null) continue;
      // Of what was rebuilt the newest record is known only now.
      if (lengthOf(prepared.range) > room || !maySend(this.#writer, prepared.batch.newestMs, this.#rules, nowMs))
        return null;
      if (this.#isOther(prepared.batch)) {
        if (this.#writer.flights.length > 0) return null;
        this.#writer = withNewEpoch(this.#writer);
        this.ledger.raiseEpoch(this.#writer.epoch);
        this.#given.length = 0;
      }
      const { writer, flight } = withSent(this.#writer, prepared.batch);
      const appender = { ...this.#appender(), baseSequence: flight.sequence };
      patchForAppend(prepared.range.bytes, prepared.range.from, appender);
      this.#write(flight.line, item.epoch ?? this.ledger.sourceEpoch, true);
      this.#writer = writer;
      this.#shift();
      return prepared.range;
    }
    return null;
  }

  answer(answer: Answer): void {
    if (answer.kind === 'appended') this.#flaws = 0;
    this.#change(withAnswer(this.#writer, answer));
  }

  doubt(why: string): void {
    this.#change(withDoubt(this.#writer, why));
  }

  lose(why: string): void {
    this.#change(withLost(this.#writer, why));
  }

  /** Goes on after what the target refused has been seen to. */
  remedied(): void {
    this.#change(withRemedy(this.#writer));
  }

  readBack(tail: Tail): void {
    const before = this.#writer;
    let read = this.#compared(tail);
    // A request that was given up may have arrived late: then its line, which was made void, is true after all.
    for (let found = arrivedLate(read.writer); found !== null && this.ledger.restore(found); ) {
      const [line] = this.ledger.lastSent(1);
      // What had no counterpart before it may have been written down otherwise: the ledger has it as it was then.
      if (line !== undefined) this.#writer = { ...this.#writer, settled: { source: line.from, target: line.target } };
      read = this.#compared(tail);
      found = arrivedLate(read.writer);
    }
    const { writer, lost } = read;
    this.lost += lost;
    if (writer.epoch !== before.epoch) this.ledger.raiseEpoch(writer.epoch);
    this.#writer = writer;
    if (writer.phase.kind !== 'writing' && writer.phase.kind !== 'matching') return;
    this.#given.push(
      ...this.ledger.sentFrom(writer.settled.target).lines.filter(({ target }) => target >= writer.settled.target),
    );
    this.ledger.voidFrom(writer.settled);
    this.#forget();
    this.#match();
  }

  /** Whether another batch was given the next place, and the sequence number that goes with it, before. */
  #isOther({ count, checksum }: Batch): boolean {
    const { target } = handedOf(this.#writer);
    const before = this.#given.filter((line) => line.target <= target && target < line.target + line.count);
    return before.some((line) => line.target !== target || line.count !== count || line.checksum !== checksum);
  }

  #compared(tail: Tail) {
    const { lines, isAll } = this.ledger.sentFrom(tail.from);
    return withTail(this.#writer, tail, lines, isAll, this.plan.start);
  }

  /** The position before the last batches that may have been in flight when the ledger was written last. */
  #sureOf(): Position {
    const [first] = this.ledger.lastSent(this.#rules.inFlightMax);
    return first === undefined ? this.ledger.end : { source: first.from, target: first.target };
  }

  #appender(): Appender {
    return { producerId: this.plan.producerId, producerEpoch: this.#writer.epoch, baseSequence: 0 };
  }

  #change(writer: Writer): void {
    const before = this.#writer.phase.kind;
    this.#writer = writer;
    // What is doubted is taken from the source again, from where the tail says.
    if (before === 'writing' && writer.phase.kind !== 'writing') this.#forget();
  }

  #forget(): void {
    this.#ready.length = 0;
    this.#readyBytes = 0;
    this.#prepared = null;
    this.#fetchNext = handedOf(this.#writer).source;
    this.#lastFetchedEpoch = this.ledger.sourceEpoch;
    this.isHungry = false;
  }

  /** What has no counterpart is written down, up to the next batch. */
  #leave(): void {
    for (let item = this.#ready[0]; item?.kind === 'left'; item = this.#ready[0]) {
      this.ledger.noteSourceEpoch(item.epoch);
      this.ledger.append({ kind: 'left', from: item.from, to: item.to, why: item.why });
      this.#writer = withLeft(this.#writer, item.to);
      this.#ready.shift();
    }
  }

  #shift(): void {
    const item = this.#ready.shift();
    if (item?.kind === 'batch') this.#readyBytes -= item.end - item.at;
    this.#prepared = null;
  }

  #match(): void {
    while (this.#writer.phase.kind === 'matching') {
      const gone = this.#goneTo();
      const item = this.#ready.find(({ kind }) => kind === 'batch');
      if (item?.kind !== 'batch') {
        if (this.plan.end !== null && this.#fetchNext >= this.plan.end) this.sourceEnded();
        return;
      }
      const prepared = this.#prepare(item);
      // Either nothing was left of it, and it is a hole by now; or it is fetched again.
      if (prepared === null) continue;
      this.#takeGone(gone, prepared.batch);
      this.#leave();
      const { writer, line, isProven } = withMatch(this.#writer, prepared.batch);
      this.#writer = writer;
      if (line === null) return;
      this.#write(line, item.epoch, isProven);
      this.#shift();
    }
  }

  /** The source has nothing at `fetchNext`, now, or nothing is asked for from there on: there is nothing more to compare with. */
  sourceEnded(): void {
    if (this.#writer.phase.kind !== 'matching' || this.#ready.some(({ kind }) => kind === 'batch')) return;
    this.#takeGone(this.#goneTo(), null);
    this.#leave();
    this.#writer = withSourceEnded(this.#writer);
  }

  /** Where what the source does not have any more ends, before its next batch. */
  #goneTo(): number {
    const first = this.#ready.findIndex(({ kind }) => kind === 'batch');
    const lefts = first === -1 ? this.#ready : this.#ready.slice(0, first);
    const gone = lefts.findLast(
      (item) => item.kind === 'left' && (item.why === 'hole' || item.why === 'below-log-start'),
    );
    return gone?.to ?? this.#writer.settled.source;
  }

  #takeGone(to: number, next: Batch | null): void {
    const { writer, unproven } = withGone(this.#writer, to, next);
    this.#writer = writer;
    for (const line of unproven) this.#write(line, null, false);
    if (unproven.length === 0) return;
    const behind = this.#ready.findIndex((item) => item.to > to);
    this.#ready.splice(0, behind === -1 ? this.#ready.length : behind);
  }

  #write(line: SentLine, epoch: number | null, isProven: boolean): void {
    this.ledger.noteSourceEpoch(epoch);
    this.ledger.append(line);
    if (!isProven) this.unproven.push(line);
  }

  /** null: it cannot be sent. Either it is a hole, or what was fetched has been dropped. */
  #prepare(item: BatchItem): Prepared | null {
    if (this.#prepared?.item === item) return this.#prepared;
    try {
      this.#prepared = item.form === 'as it is' ? asItIs(item) : rebuilt(item, this.#appender(), this.#recordBytesMax);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.spoiled(`what the source has from offset ${item.from} on: ${error.message}`);
      return null;
    }
    if (this.#prepared === null) {
      this.#readyBytes -= item.end - item.at;
      this.#ready[0] = { kind: 'left', from: item.from, to: item.to, why: 'hole', epoch: item.epoch };
    }
    return this.#prepared;
  }
}

/** What was damaged on the way is not damaged three times. */
const flawsMax = 2;

/** The first batch of ours that stands where the ledger has another one, or none. */
function arrivedLate({ phase }: Writer): TailBatch | null {
  if (phase.kind === 'matching') return phase.batches[0] ?? null;
  if (phase.kind !== 'damaged') return null;
  const { found } = phase.damage;
  return found?.isOurs === true ? found : null;
}

type Prepared = { readonly item: BatchItem; readonly batch: Batch; readonly range: ByteRange };

function asItIs(item: BatchItem): Prepared {
  const { bytes, at, end, from, to, newestMs } = item;
  const count = recordCount(bytes, at);
  const batch = { from, to, count, checksum: recordsCrcOf(bytes, at), kept: null, newestMs };
  return { item, batch, range: { bytes, from: at, to: end } };
}

function rebuilt(item: BatchItem, appender: Appender, outputBytesMax: number): Prepared | null {
  const { bytes, at, from, to } = item;
  const keeps = (offset: number) => offset >= from && offset < to;
  const made =
    item.form === 'legacy'
      ? rebuiltLegacy(bytes, at, item.end, {
          appender,
          outputBytesMax,
          contentBytesMax: Number.POSITIVE_INFINITY,
          keeps,
        })
      : { rebuilt: rebuiltBatch(bytes, at, { appender, outputBytesMax, keeps }), next: item.end };
  if (made.rebuilt === null) return null;
  const { bytes: range, sourceOffsets } = made.rebuilt;
  const count = sourceOffsets.length;
  const isAll = count === to - from;
  const offsets = sourceOffsets.map((offset) => offset - from);
  const kept = isAll ? null : keptBits(to - from, offsets);
  const batch = { from, to, count, checksum: recordsCrcOf(range, 0), kept, newestMs: maxTimestamp(range, 0) };
  return { item, batch, range: wholeOf(range) };
}
