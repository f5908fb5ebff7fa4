import { endOf, type Position, type SentLine } from './ledger-lines.ts';
import { keptBits } from './offset-map.ts';
import { compareTail, type Damage, sequenceAfter, type Tail, type TailBatch } from './tail.ts';

/**
 * Who writes one partition of the target. Every change is a function from one writer to the next; nothing here sends anything.
 *
 * After any doubt nothing is sent until all that was sent is answered or given up, and the tail has been read back. What the tail
 * shows is settled; what it does not show was not appended and is taken from the source again.
 */
export type Writer = {
  readonly phase: Phase;
  /** All before it is known to stand on the target. */
  readonly settled: Position;
  /** The sequence number of a batch that lands there. */
  readonly settledSequence: number;
  /** Sent and not answered, oldest first. */
  readonly flights: readonly Flight[];
  readonly epoch: number;
  /** The newest record of what was sent last: the broker's memory of us is as old as that. null: nothing was sent yet. */
  readonly newestMs: number | null;
  /** Something was appended on this connection, so the broker knows our sequence numbers. */
  readonly isRemembered: boolean;
  /** So many times on end the broker has called out of order what follows from the log. */
  readonly disputes: number;
  /** So many times on end a batch has arrived with a checksum that is wrong. */
  readonly corruptions: number;
};

export type Phase =
  | { readonly kind: 'writing' }
  /** Some requests may still be answered. */
  | { readonly kind: 'doubt'; readonly why: string }
  /** All answers are in: the tail has to be read. */
  | { readonly kind: 'reading-back'; readonly why: string }
  /** Batches of ours stand behind the last line of the ledger: they are compared with the source before anything is sent. */
  | { readonly kind: 'matching'; readonly batches: readonly TailBatch[] }
  /** Something stands on the target that may not stand there. Nothing is written until a person has decided. */
  | { readonly kind: 'damaged'; readonly damage: Damage }
  /** The target takes nothing from us as things are. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly words: string | null };

export type Flight = {
  readonly line: SentLine;
  readonly sequence: number;
  /** Where the partition stands when it is answered: behind what the source has between it and the next one. */
  readonly settles: Position;
};

/** What a batch is like before it has its place on the target. */
export type Batch = Omit<SentLine, 'kind' | 'target'> & { readonly newestMs: number };

/** Why a broker will refuse the same batch again. `fenced`: somebody writes with a higher epoch. */
export type Refusal = 'fenced' | 'corrupt' | 'too-large' | 'timestamp' | 'invalid' | 'denied' | 'gone';
export type Answer =
  | { readonly kind: 'appended'; readonly base: number }
  /** `words`: the broker's own; null: it said none. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly words: string | null }
  | { readonly kind: 'out-of-order' }
  /** Its checksum was wrong: it was damaged on the way to the target, or before it was fetched. */
  | { readonly kind: 'corrupt' }
  /** Any other error: nobody knows whether it was appended. */
  | { readonly kind: 'unsettled'; readonly why: string };

export type WindowRules = {
  /** Requests in flight at most, where the broker is known to remember us. */
  readonly inFlightMax: number;
  /** The target's producer.id.expiration.ms: it forgets a producer whose newest record is older than that. */
  readonly expirationMs: number;
};

/**
 * A writer knows nothing of the target at first. `settled` is where the ledger stood before the last batches that may have been
 * in flight; `epoch` has to be higher than that of every writer before it.
 */
export function startWriter(settled: Position, epoch: number): Writer {
  const phase = { kind: 'reading-back', why: 'the copy has just begun here' } as const;
  return { phase, settled, settledSequence: 0, flights: [], epoch, newestMs: null, isRemembered: false, ...noTrouble };
}

const noTrouble = { disputes: 0, corruptions: 0 } as const;

/** Behind all that was sent. */
export function handedOf({ flights, settled }: Writer): Position {
  return flights.at(-1)?.settles ?? settled;
}

/**
 * Whether the batch may be sent now. More than one at a time only where the broker would refuse the second after it has lost the
 * first: else a gap would stay that nothing can fill.
 */
export function maySend(writer: Writer, newestMs: number, rules: WindowRules, nowMs: number): boolean {
  if (writer.phase.kind !== 'writing') return false;
  if (writer.flights.length === 0) return true;
  if (!writer.isRemembered || writer.flights.length >= rules.inFlightMax) return false;
  const youngMs = nowMs - rules.expirationMs * rememberedPart;
  return newestMs > youngMs && (writer.newestMs ?? Number.NEGATIVE_INFINITY) > youngMs;
}

/** The clocks of two machines differ, and a request takes its time. */
const rememberedPart = 0.9;

/** Hands a batch out: its line is written to the ledger, then it is sent. Only where `maySend` says so. */
export function withSent(writer: Writer, batch: Batch): { readonly writer: Writer; readonly flight: Flight } {
  const { newestMs, ...range } = batch;
  const line: SentLine = { kind: 'sent', ...range, target: handedOf(writer).target };
  const flight = { line, sequence: nextSequence(writer), settles: endOf(line) };
  return { writer: { ...writer, flights: [...writer.flights, flight], newestMs }, flight };
}

/** What the source has up to `to` has no counterpart on the target. */
export function withLeft(writer: Writer, to: number): Writer {
  const last = writer.flights.at(-1);
  if (last === undefined) return { ...writer, settled: { ...writer.settled, source: to } };
  const behind = { ...last, settles: { ...last.settles, source: to } };
  return { ...writer, flights: [...writer.flights.slice(0, -1), behind] };
}

/**
 * What is sent next is another batch than the one that had its sequence number before and may still be on its way: the broker would take
 * the two for one. So it gets an epoch of its own. Only while nothing is in flight.
 */
export function withNewEpoch(writer: Writer): Writer {
  return writer.flights.length > 0 ? writer : { ...writer, epoch: writer.epoch + 1, settledSequence: 0 };
}

/** The answer to the oldest request: a connection answers in order. */
export function withAnswer(writer: Writer, answer: Answer): Writer {
  const [oldest, ...flights] = writer.flights;
  if (oldest === undefined) return writer;
  const next: Writer = { ...writer, flights };
  if (writer.phase.kind === 'damaged') return next;
  if (answer.kind === 'appended') {
    if (answer.base !== oldest.line.target) return misplaced(next, oldest.line, answer.base);
    if (writer.phase.kind !== 'writing') return collected(next);
    const settledSequence = sequenceAfter(oldest.sequence, oldest.line.count);
    return { ...next, settled: oldest.settles, settledSequence, isRemembered: true, ...noTrouble };
  }
  // The first answer that is no success says what is wrong; those behind it follow from it.
  if (writer.phase.kind !== 'writing') return collected(next);
  if (answer.kind === 'refused') return { ...next, phase: answer };
  const corruptions = writer.corruptions + (answer.kind === 'corrupt' ? 1 : 0);
  // What is damaged when it comes from the source once more is damaged there.
  if (corruptions > corruptionsMax) return { ...next, phase: { kind: 'refused', refusal: 'corrupt', words: null } };
  const disputes = writer.disputes + (answer.kind === 'out-of-order' ? 1 : 0);
  return collected({ ...next, phase: { kind: 'doubt', why: reasonOf(answer) }, disputes, corruptions });
}

const corruptionsMax = 2;

function reasonOf(answer: Exclude<Answer, { kind: 'appended' | 'refused' }>): string {
  switch (answer.kind) {
    case 'out-of-order':
      return 'the broker calls a sequence number out of order';
    case 'corrupt':
      return 'the broker says that the checksum of a batch is wrong';
    case 'unsettled':
      return answer.why;
  }
}

/** Nothing more is sent before the tail has been read back; what was sent may still be answered. */
export function withDoubt(writer: Writer, why: string): Writer {
  return isOver(writer.phase) ? writer : collected({ ...writer, phase: { kind: 'doubt', why } });
}

/** No answer will come any more to anything that was sent: a time-out, a lost connection. */
export function withLost(writer: Writer, why: string): Writer {
  const next: Writer = { ...writer, flights: [], isRemembered: false };
  return isOver(writer.phase) ? next : { ...next, phase: { kind: 'reading-back', why } };
}

/** Goes on after what the target refused has been seen to: by reading back first. */
export function withRemedy(writer: Writer): Writer {
  if (writer.phase.kind !== 'refused') return writer;
  const phase: Phase = { kind: 'doubt', why: `what was ${writer.phase.refusal} has been seen to` };
  return collected({ ...writer, phase, ...noTrouble });
}

/** From where the tail has to be read, where the target's log ends at `logEnd`: one batch before that makes sure of the border. */
export function readBackFrom(writer: Writer, logEnd: number): number {
  return Math.max(0, Math.min(writer.settled.target, logEnd) - 1);
}

/**
 * The tail was read back while the high watermark was the log's end. `lines` are the ledger's last ones on the target, at least
 * from the line that holds `readBackFrom`; `isAll`: there are none before them. `start`: where the first of all had to land.
 */
export function withTail(
  writer: Writer,
  tail: Tail,
  lines: readonly SentLine[],
  isAll: boolean,
  start: Position,
): { readonly writer: Writer; readonly lost: number; readonly older: boolean } {
  const same = { writer, lost: 0, older: false };
  if (writer.phase.kind !== 'reading-back') return same;
  const finding = compareTail(lines, start, isAll, tail);
  if (finding.kind === 'older') return { ...same, older: true };
  const next: Writer = { ...writer, flights: [], isRemembered: false };
  if (finding.kind === 'damaged')
    return { ...same, writer: { ...next, phase: { kind: 'damaged', damage: finding.damage } } };
  const lost = Math.max(0, writer.settled.target - finding.at.target);
  const last = finding.kind === 'stands' ? finding.last : (finding.batches.at(-1) ?? null);
  if (last !== null && last.epoch > writer.epoch)
    return { ...same, writer: { ...next, phase: { kind: 'refused', refusal: 'fenced', words: null } } };
  const phase: Phase = finding.kind === 'stands' ? { kind: 'writing' } : { kind: 'matching', batches: finding.batches };
  const settled = behindLeft(writer, finding.at);
  return { writer: numbered({ ...next, phase, settled }, last), lost, older: false };
}

/**
 * The source has nothing any more from where the copy stands to `to`, and what stands on the target without a line may be of what it
 * had: as many batches as fit there, up to the one that is the same as `next`, are taken for ours by their producer id and their
 * number alone. Their lines are `unproven`. `next`: what the source has at `to`; null: nothing, it ends there.
 */
export function withGone(
  writer: Writer,
  to: number,
  next: Batch | null,
): { readonly writer: Writer; readonly unproven: readonly SentLine[] } {
  if (writer.phase.kind !== 'matching') return { writer, unproven: [] };
  const { batches } = writer.phase;
  const gone = goneOf(batches, to - writer.settled.source, next);
  if (gone.length === 0) return { writer, unproven: [] };
  let at = writer.settled;
  const unproven = gone.map((found, index): SentLine => {
    const isLast = index === gone.length - 1;
    const line = unprovenLine(at, isLast ? to : at.source + found.count, found);
    at = endOf(line);
    return line;
  });
  const rest = batches.slice(gone.length);
  const phase: Phase = rest.length === 0 ? { kind: 'writing' } : { kind: 'matching', batches: rest };
  return { writer: { ...writer, phase, settled: at }, unproven };
}

function goneOf(batches: readonly TailBatch[], room: number, next: Batch | null): readonly TailBatch[] {
  let left = room;
  const end = batches.findIndex((found) => {
    left -= found.count;
    return left < 0 || (next !== null && found.count === next.count && found.checksum === next.checksum);
  });
  return end === -1 ? batches : batches.slice(0, end);
}

/** Where the source had more offsets than the batch has records, nobody knows which of them: the first are as good as any. */
function unprovenLine({ source, target }: Position, to: number, { count, checksum }: TailBatch): SentLine {
  const kept = to - source === count ? null : keptBits(to - source, Array(count).keys());
  return { kind: 'sent', from: source, to, target, count, checksum, kept };
}

/**
 * The source's next batch, compared with the next one that stands on the target without a line. `line`: has to be written to
 * the ledger. `isProven`: its records are the same. If the source has taken some out since, then the batch is known by its offsets
 * alone. Any other that is not the same is damage: what stands there is not what the source has.
 */
export function withMatch(
  writer: Writer,
  batch: Batch,
): { readonly writer: Writer; readonly line: SentLine | null; readonly isProven: boolean } {
  const nothing = { line: null, isProven: true };
  if (writer.phase.kind !== 'matching') return { writer, ...nothing };
  const [found, ...batches] = writer.phase.batches;
  if (found === undefined) return { writer: { ...writer, phase: { kind: 'writing' } }, ...nothing };
  const { newestMs: _, ...range } = batch;
  const expected: SentLine = { kind: 'sent', ...range, target: writer.settled.target };
  const isSame = found.count === batch.count && found.checksum === batch.checksum;
  const wasCleaned = batch.to - batch.from === found.count && batch.count < found.count;
  if (found.base !== expected.target || !(isSame || wasCleaned)) {
    const damage = { what: 'other-bytes', offset: found.base, expected, found } as const;
    return { writer: { ...writer, phase: { kind: 'damaged', damage } }, ...nothing };
  }
  const line = isSame ? expected : unprovenLine(writer.settled, batch.to, found);
  const phase: Phase = batches.length === 0 ? { kind: 'writing' } : { kind: 'matching', batches };
  return { writer: { ...writer, phase, settled: endOf(line) }, line, isProven: isSame };
}

/** The source ends where the copy stands, and the target has more of ours: of what the source has lost since. */
export function withSourceEnded(writer: Writer): Writer {
  const [found] = writer.phase.kind === 'matching' ? writer.phase.batches : [];
  if (found === undefined) return writer;
  const damage = { what: 'other-bytes', offset: found.base, expected: null, found } as const;
  return { ...writer, phase: { kind: 'damaged', damage } };
}

function nextSequence({ flights, settledSequence }: Writer): number {
  const last = flights.at(-1);
  return last === undefined ? settledSequence : sequenceAfter(last.sequence, last.line.count);
}

function isOver({ kind }: Phase): boolean {
  return kind === 'damaged' || kind === 'refused';
}

function misplaced(writer: Writer, expected: SentLine, offset: number): Writer {
  return { ...writer, phase: { kind: 'damaged', damage: { what: 'misplaced', offset, expected, found: null } } };
}

/** All answers are in: what is doubted can be read back. */
function collected(writer: Writer): Writer {
  const { phase, flights } = writer;
  if (phase.kind !== 'doubt' || flights.length > 0) return writer;
  return { ...writer, isRemembered: false, phase: { kind: 'reading-back', why: phase.why } };
}

/** What has no counterpart behind the last batch that stands was settled with it. */
function behindLeft({ settled }: Writer, at: Position): Position {
  return settled.target === at.target && settled.source > at.source ? settled : at;
}

/**
 * The next sequence number follows from what stands in the log, as the broker's own does. One that it disputes all the same
 * twice is settled by a new epoch, which it takes at 0.
 */
function numbered(writer: Writer, last: TailBatch | null): Writer {
  if (writer.disputes >= 2) return { ...writer, epoch: writer.epoch + 1, settledSequence: 0, disputes: 0 };
  if (last === null) return writer;
  const isSame = last.epoch === writer.epoch;
  return { ...writer, settledSequence: isSame ? sequenceAfter(last.sequence, last.count) : 0 };
}
