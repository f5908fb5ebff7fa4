import type { Position, SentLine } from '../../../core/move/ledger-lines.ts';
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
import { MalformedBytes } from '../bytes/malformed.ts';
import { type ByteRange, lengthOf } from '../messages/byte-range.ts';
import type { Item } from '../reader/source-items.ts';
import type { PartitionEvent } from './events.ts';
import { type Held, HeldItems } from './held-items.ts';
import type { Lease } from './lease.ts';
import type { Ledger } from './ports.ts';
import { type Prepared, prepared } from './prepared.ts';
import type { SourceView } from './source-reader.ts';
import { TransactionFates } from './transaction-fates.ts';

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

export type Taken = { readonly range: ByteRange; readonly lease: Lease | null };

/** One partition under way: what was fetched and not sent, what was sent and not answered, and the ledger of all of it. */
export class MovedPartition {
  readonly plan: PartitionPlan;
  readonly ledger: Ledger;
  readonly #rules: WindowRules;
  readonly #held = new HeldItems();
  readonly #fates = new TransactionFates();
  readonly #recordBytesMax: number;
  #writer: Writer;
  #fetchNext: number;
  #lastFetchedEpoch: number | null;
  #flaws = 0;
  /** Lines that were made void in this epoch: their requests may still arrive. */
  readonly #given: SentLine[] = [];
  #flaw: string | null = null;
  #settledBytes = 0;
  #tell: (event: PartitionEvent) => void = () => undefined;
  /** While the source is asked for it. */
  isFetching = false;
  /** The last answer had only a piece of a batch: it is asked for first, as then a broker sends one whole. */
  isHungry = false;
  /** When a request of it was given up last that may still be performed, by the monotonic clock; null: none may. */
  givenUpMs: number | null = null;
  /** The one that wrote it before has not settled what it had sent. */
  #isTakenOver = false;
  /** What the source told last. */
  view: SourceView | null = null;

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

  /** Before it is moved. */
  listen(tell: (event: PartitionEvent) => void): void {
    this.#tell = tell;
  }

  /** Another process has written it until now, and was ended in the middle. */
  takeOver(nowMs: number): void {
    this.#isTakenOver = true;
    this.givenUpMs = nowMs;
  }

  /** What the process before it had sent, and what does not stand on the target, may still be appended: sent again it would stand there twice. */
  mayStillCome({ logEnd }: Tail): boolean {
    const [last] = this.ledger.lastSent(1);
    return this.#isTakenOver && last !== undefined && last.target + last.count > logEnd;
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

  /** Settled since this mover began: batches as they stand on the target. */
  get settledBytes(): number {
    return this.#settledBytes;
  }

  get readyBytes(): number {
    return this.#held.unsentBytes;
  }

  /** All that was asked for stands on the target, and nothing may come behind it. */
  get isDone(): boolean {
    return this.hasAll && this.givenUpMs === null;
  }

  get hasAll(): boolean {
    const { end } = this.plan;
    return end !== null && this.#writer.phase.kind === 'writing' && this.#writer.settled.source >= end;
  }

  get wantsMore(): boolean {
    const { kind } = this.#writer.phase;
    const isOpen = this.plan.end === null || this.#fetchNext < this.plan.end;
    return isOpen && !this.isFetching && this.#flaw === null && (kind === 'writing' || kind === 'matching');
  }

  /** What was fetched from `fetchNext` on. `from`: what was asked; an answer to an older question is dropped. `lease`: of its bytes. */
  add(from: number, items: readonly Item[], lease: Lease | null = null): void {
    const { kind } = this.#writer.phase;
    if (from !== this.#fetchNext || (kind !== 'writing' && kind !== 'matching')) return;
    for (const item of items) {
      this.#held.add(item, lease);
      this.#fetchNext = item.to;
      this.#lastFetchedEpoch = epochBehind(item, this.#lastFetchedEpoch);
    }
    this.#match();
  }

  /** Retention has deleted what is before `to`. */
  addBelowLogStart(from: number, to: number): void {
    this.add(from, [{ kind: 'left', from, to, why: 'below-log-start', epoch: null, transaction: null }]);
  }

  /**
   * The source has less than what was asked for: somebody else leads it, whose log ends at `end`, or has nothing of the leaders after
   * `epoch`. false: some of what is gone was handed to the target already. Otherwise what was fetched and not sent is dropped.
   */
  retreat(end: number, epoch: number | null): boolean {
    const handed = this.#handed();
    const isLater = epoch !== null && handed.epoch !== null && handed.epoch > epoch;
    this.#tell({ kind: 'source-truncated', end, epoch, handedTo: handed.source });
    this.#forgetUnsent();
    return !isLater && end >= handed.source;
  }

  /** What was fetched is not what it has to be. It is fetched again, as it may have been damaged on the way; twice. */
  spoiled(why: string): void {
    this.#flaws += 1;
    if (this.#flaws > flawsMax) this.#stopBy(why);
    this.#forgetUnsent();
  }

  /**
   * The next batch, ready to be sent, with its line in the ledger. null: none may be sent now. `room`: bytes that the request can
   * take; a batch alone may be larger. Its lease has to be ended when no connection may send it any more.
   */
  take(nowMs: number, room: number): Taken | null {
    while (this.#writer.phase.kind === 'writing' && this.#leave()) {
      const held = this.#held.first;
      const newestMs = held?.item.kind === 'batch' ? held.item.newestMs : null;
      if (held === null || newestMs === null || !this.#maySend(newestMs, nowMs)) return null;
      const next = this.#prepare(held);
      // Either nothing was left of it, and it is a hole by now; or it is fetched again.
      if (next === null) continue;
      // Of what was rebuilt the newest record is known only now.
      if (lengthOf(next.range) > room || !this.#maySend(next.batch.newestMs, nowMs)) return null;
      if (this.#isOther(next.batch)) {
        if (this.#writer.flights.length > 0) return null;
        this.#writer = withNewEpoch(this.#writer);
        this.ledger.raiseEpoch(this.#writer.epoch);
        this.#given.length = 0;
      }
      if (!this.#isAsBefore(held.item)) return null;
      const { lease } = held;
      lease?.keep();
      this.#send(held.item, next);
      return { range: next.range, lease };
    }
    return null;
  }

  answer(answer: Answer): void {
    const before = this.#writer.corruptions;
    this.#change(withAnswer(this.#writer, answer));
    if (answer.kind === 'appended') {
      this.#flaws = 0;
      this.#settle();
    }
    // What arrived with a wrong checksum is fetched once more: it may have been damaged before it came here.
    if (this.#writer.corruptions > before) {
      this.#fates.forgetFrom(this.#writer.settled.source);
      this.#forget();
    }
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
    this.#isTakenOver = false;
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
    if (lost > 0)
      this.#tell({ kind: 'lost', targetFrom: writer.settled.target, targetTo: writer.settled.target + lost });
    if (writer.epoch !== before.epoch) this.ledger.raiseEpoch(writer.epoch);
    this.#become(writer);
    this.#settle();
    if (writer.phase.kind !== 'writing' && writer.phase.kind !== 'matching') return;
    this.#given.push(
      ...this.ledger.sentFrom(writer.settled.target).lines.filter(({ target }) => target >= writer.settled.target),
    );
    this.ledger.voidFrom(writer.settled);
    this.#fates.forgetFrom(writer.settled.source);
    // What does not stand there is sent again as it was, where it is what comes next.
    if (writer.phase.kind !== 'writing' || !this.#held.takeBack(writer.settled.source, this.#fetchNext)) this.#forget();
    this.#match();
  }

  #maySend(newestMs: number, nowMs: number): boolean {
    return maySend(this.#writer, newestMs, this.#rules, nowMs);
  }

  /** Its line first. */
  #send(item: Item, { batch, range }: Prepared): void {
    const { writer, flight } = withSent(this.#writer, batch);
    patchForAppend(range.bytes, range.from, { ...this.#appender(), baseSequence: flight.sequence });
    this.#write(flight.line, item.epoch ?? this.ledger.sourceEpoch, true);
    this.#writer = writer;
    this.#held.handOn();
  }

  /** Whether the source says of its transaction what it said before: if not, then nobody can tell what was to be copied. */
  #isAsBefore(item: Item): boolean {
    const why = this.#fates.note(item);
    if (why !== null) this.#stopBy(why);
    return this.#flaw === null;
  }

  #stopBy(why: string): void {
    if (this.#flaw !== null) return;
    this.#flaw = why;
    this.#tell({ kind: 'source-stopped', why });
    this.#forgetUnsent();
  }

  #settle(): void {
    this.#settledBytes += this.#held.settle(this.#writer.settled.source);
    this.#fates.settle(this.#writer.settled.source);
  }

  /** Behind all that was handed to the target and may stand there, and in which epoch the source had that. */
  #handed(): { readonly source: number; readonly epoch: number | null } {
    const { source } = handedOf(this.#writer);
    const { sourceEpoch } = this.ledger;
    const behind = this.#held.sent.filter(({ item }) => item.to > source);
    const epoch = behind.reduce((before: number | null, { item }) => epochBehind(item, before), sourceEpoch);
    return { source: behind.at(-1)?.item.to ?? source, epoch };
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

  /** What was not sent makes room for others while this one does not go on. */
  #change(writer: Writer): void {
    const before = this.#writer.phase.kind;
    this.#become(writer);
    if (before === 'writing' && writer.phase.kind !== 'writing') this.#forgetUnsent();
  }

  #become(writer: Writer): void {
    const { phase } = writer;
    const isNew = phase.kind !== this.#writer.phase.kind;
    this.#writer = writer;
    if (isNew && phase.kind === 'refused') this.#tell({ kind: 'refused', refusal: phase.refusal });
    if (!isNew || phase.kind !== 'damaged') return;
    this.#tell({ kind: 'damaged', damage: phase.damage });
    this.#forget();
  }

  /** All of it is taken from the source again. */
  #forget(): void {
    this.#held.clear();
    this.#forgetUnsent();
  }

  #forgetUnsent(): void {
    this.#held.clearUnsent();
    const handed = this.#handed();
    this.#fetchNext = handed.source;
    this.#lastFetchedEpoch = handed.epoch;
    this.isHungry = false;
  }

  /** What has no counterpart is written down, up to the next batch. false: nobody can tell what it is. */
  #leave(): boolean {
    for (let item = this.#held.first?.item; item?.kind === 'left'; item = this.#held.first?.item) {
      if (!this.#isAsBefore(item)) return false;
      this.ledger.noteSourceEpoch(item.epoch);
      this.ledger.append({ kind: 'left', from: item.from, to: item.to, why: item.why });
      this.#writer = withLeft(this.#writer, item.to);
      this.#held.handOn();
      if (this.#writer.flights.length === 0) this.#settle();
    }
    return true;
  }

  #match(): void {
    while (this.#writer.phase.kind === 'matching') {
      const gone = this.#goneTo();
      const held = this.#held.unsent.find(({ item }) => item.kind === 'batch');
      if (held === undefined) {
        if (this.plan.end !== null && this.#fetchNext >= this.plan.end) this.sourceEnded();
        return;
      }
      const next = this.#prepare(held);
      // Either nothing was left of it, and it is a hole by now; or it is fetched again.
      if (next === null) continue;
      this.#takeGone(gone, next.batch);
      if (!this.#leave() || !this.#isAsBefore(held.item)) return;
      const { writer, line, isProven } = withMatch(this.#writer, next.batch);
      this.#become(writer);
      if (line === null) return;
      if (!isProven) this.#tell({ kind: 'unproven', lines: [line] });
      this.#write(line, held.item.epoch, isProven);
      this.#held.drop();
    }
  }

  /** The source has nothing at `fetchNext`, now, or nothing is asked for from there on: there is nothing more to compare with. */
  sourceEnded(): void {
    if (this.#writer.phase.kind !== 'matching' || this.#hasBatch) return;
    this.#takeGone(this.#goneTo(), null);
    this.#leave();
    this.#become(withSourceEnded(this.#writer));
  }

  get #hasBatch(): boolean {
    return this.#held.unsent.some(({ item }) => item.kind === 'batch');
  }

  /** Where what the source does not have any more ends, before its next batch. */
  #goneTo(): number {
    let to = this.#writer.settled.source;
    for (const { item } of this.#held.unsent) {
      if (item.kind === 'batch') break;
      if (item.why === 'hole' || item.why === 'below-log-start') to = item.to;
    }
    return to;
  }

  #takeGone(to: number, next: Batch | null): void {
    const { writer, unproven } = withGone(this.#writer, to, next);
    this.#writer = writer;
    if (unproven.length === 0) return;
    this.#tell({ kind: 'unproven', lines: unproven });
    for (const line of unproven) this.#write(line, null, false);
    this.#held.dropTo(to);
  }

  #write(line: SentLine, epoch: number | null, isProven: boolean): void {
    this.ledger.noteSourceEpoch(epoch);
    this.ledger.append(line, isProven);
  }

  /** null: it cannot be sent. Either it is a hole, or what was fetched has been dropped. */
  #prepare(held: Held): Prepared | null {
    const { item } = held;
    if (held.prepared !== null || item.kind === 'left') return held.prepared;
    try {
      held.prepared = prepared(item, this.#appender(), this.#recordBytesMax);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.spoiled(`what the source has from offset ${item.from} on: ${error.message}`);
      return null;
    }
    if (held.prepared === null) this.#held.makeHole(held);
    return held.prepared;
  }
}

/** Of the leader that had appended what is before the end of the item. Nobody knows in which epoch what is missing was written. */
function epochBehind({ epoch, kind }: Item, before: number | null): number | null {
  return epoch !== null || kind === 'left' ? epoch : before;
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
