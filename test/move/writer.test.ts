import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LedgerLine, type SentLine, withLine } from '../../src/core/move/ledger-lines.ts';
import type { TailBatch } from '../../src/core/move/tail.ts';
import {
  type Batch,
  handedOf,
  maySend,
  startWriter,
  type Writer,
  withAnswer,
  withDoubt,
  withGone,
  withLeft,
  withLost,
  withMatch,
  withRemedy,
  withSent,
  withSourceEnded,
  withTail,
} from '../../src/core/move/writer.ts';
import { ModelBroker, tailOf } from './model-broker.ts';

const rules = { inFlightMax: 5, expirationMs: 86_400_000 };
const nowMs = 1_790_000_000_000;
const start = { source: 100, target: 0 };

describe('the writer of one partition', () => {
  test('nothing is sent before the tail has been read', () => {
    const writer = startWriter(start, 1);
    expect(maySend(writer, nowMs, rules, nowMs)).toBe(false);
    expect(maySend(readBack(writer, new ModelBroker()), nowMs, rules, nowMs)).toBe(true);
  });

  test('one is in flight until something was appended on this connection, then several', () => {
    let writer = readBack(startWriter(start, 1), new ModelBroker());
    writer = withSent(writer, batchAt(100)).writer;
    expect(maySend(writer, nowMs, rules, nowMs)).toBe(false);
    writer = withSent(withAnswer(writer, { kind: 'appended', base: 0 }), batchAt(110)).writer;
    expect(maySend(writer, nowMs, rules, nowMs)).toBe(true);
    writer = withLost(writer, 'connection lost');
    expect(writer.isRemembered).toBe(false);
  });

  test('old records go one by one, and so does what comes behind an old one: the broker has forgotten us by then', () => {
    const oldMs = nowMs - rules.expirationMs;
    let writer = readBack(startWriter(start, 1), new ModelBroker());
    writer = withAnswer(withSent(writer, batchAt(100)).writer, { kind: 'appended', base: 0 });
    const behindOld = withSent(writer, { ...batchAt(110), newestMs: oldMs }).writer;
    expect(maySend(behindOld, nowMs, rules, nowMs)).toBe(false);
    const behindNew = withSent(writer, batchAt(110)).writer;
    expect(maySend(behindNew, oldMs, rules, nowMs)).toBe(false);
    expect(maySend(behindNew, nowMs, rules, nowMs)).toBe(true);
  });

  test('an offset that was not expected stops the partition, even among answers that are only collected', () => {
    const sent = withSent(readBack(startWriter(start, 1), new ModelBroker()), batchAt(100)).writer;
    for (const writer of [sent, withDoubt(sent, 'another leader')]) {
      const { phase } = withAnswer(writer, { kind: 'appended', base: 7 });
      expect(phase).toMatchObject({ kind: 'damaged', damage: { what: 'misplaced', offset: 7 } });
    }
  });

  test('after an error all answers are collected before anything is read back', () => {
    let writer = remembered();
    for (const from of [110, 120, 130]) writer = withSent(writer, batchAt(from)).writer;
    writer = withAnswer(writer, { kind: 'unsettled', why: 'not the leader' });
    expect(writer.phase.kind).toBe('doubt');
    writer = withAnswer(writer, { kind: 'out-of-order' });
    expect(writer.phase.kind).toBe('doubt');
    writer = withAnswer(writer, { kind: 'out-of-order' });
    expect(writer.phase).toEqual({ kind: 'reading-back', why: 'not the leader' });
  });

  test('what has no counterpart is settled with the batch before it, not sooner', () => {
    let writer = withLeft(withSent(remembered(), batchAt(110)).writer, 125);
    expect(writer.settled).toEqual({ source: 110, target: 10 });
    expect(handedOf(writer)).toEqual({ source: 125, target: 20 });
    writer = withAnswer(writer, { kind: 'appended', base: 10 });
    expect(writer.settled).toEqual({ source: 125, target: 20 });
  });

  test('a refused batch stops the partition until it is seen to, and then the tail is read first', () => {
    let writer = withSent(withSent(remembered(), batchAt(110)).writer, batchAt(120)).writer;
    writer = withAnswer(writer, { kind: 'refused', refusal: 'too-large', words: 'too large' });
    expect(withRemedy(writer).phase.kind).toBe('doubt');
    writer = withRemedy(withAnswer(writer, { kind: 'out-of-order' }));
    expect(writer.phase.kind).toBe('reading-back');
  });

  test('a sequence number that is disputed twice is settled by a new epoch', () => {
    const broker = new ModelBroker();
    let writer = remembered(broker);
    for (const _ of [1, 2]) {
      writer = withAnswer(withSent(writer, batchAt(110)).writer, { kind: 'out-of-order' });
      writer = readBack(writer, broker, [lineAt(100, 0)]);
    }
    expect(writer).toMatchObject({ epoch: 2, settledSequence: 0, disputes: 0 });
  });

  test('who finds a higher epoch on the target has a successor and stops', () => {
    const broker = new ModelBroker();
    broker.append({ ...batchOf(lineAt(100, 0)), epoch: 7, sequence: 0 });
    const writer = readBack(startWriter(start, 3), broker, [lineAt(100, 0)]);
    expect(writer.phase).toEqual({ kind: 'refused', refusal: 'fenced', words: null });
  });

  test('what stands without a line is compared with the source, and becomes a line', () => {
    const broker = new ModelBroker();
    for (const [index, from] of [100, 110, 120].entries())
      broker.append({ ...batchOf(lineAt(from, index * 10)), epoch: 1, sequence: index * 10 });
    let writer = readBack(startWriter(start, 2), broker, [lineAt(100, 0)]);
    expect(maySend(writer, nowMs, rules, nowMs)).toBe(false);
    const matched = withMatch(writer, batchAt(110));
    expect(matched.line).toEqual(lineAt(110, 10));
    writer = withMatch(matched.writer, batchAt(120)).writer;
    expect(writer).toMatchObject({ phase: { kind: 'writing' }, settled: { source: 130, target: 30 } });
    const other = withMatch(matched.writer, { ...batchAt(120), checksum: 1 }).writer;
    expect(other.phase).toMatchObject({ kind: 'damaged', damage: { what: 'other-bytes', offset: 20 } });
  });

  test('what the source has no more is taken for ours by id and number, and called unproven', () => {
    const broker = new ModelBroker();
    for (const [index, from] of [100, 110, 120].entries())
      broker.append({ ...batchOf(lineAt(from, index * 10)), epoch: 1, sequence: index * 10 });
    const writer = readBack(startWriter(start, 2), broker, [lineAt(100, 0)]);
    const first = withGone(writer, 120, batchAt(120));
    expect(first.unproven).toEqual([lineAt(110, 10)]);
    expect(withMatch(first.writer, batchAt(120)).writer.settled).toEqual({ source: 130, target: 30 });
    const all = withGone(writer, 500, batchAt(500));
    expect(all.unproven.map(({ from, to, count }) => [from, to, count])).toEqual([
      [110, 120, 10],
      [120, 500, 10],
    ]);
    expect(all.writer).toMatchObject({ phase: { kind: 'writing' }, settled: { source: 500, target: 30 } });
    const none = withGone(writer, 115, batchAt(115));
    expect(none.unproven).toEqual([]);
  });

  test('a batch that the source has cleaned since is known by its offsets, and called unproven', () => {
    const broker = new ModelBroker();
    for (const [index, from] of [100, 110].entries())
      broker.append({ ...batchOf(lineAt(from, index * 10)), epoch: 1, sequence: index * 10 });
    const writer = readBack(startWriter(start, 2), broker, [lineAt(100, 0)]);
    const cleaned = withMatch(writer, { ...batchAt(110), count: 4, checksum: 1, kept: new Uint8Array(2) });
    expect(cleaned).toMatchObject({ isProven: false, line: lineAt(110, 10) });
    expect(cleaned.writer.settled).toEqual({ source: 120, target: 20 });
  });

  test('what stands without a line when the source has nothing more is damage', () => {
    const broker = new ModelBroker();
    for (const [index, from] of [100, 110].entries())
      broker.append({ ...batchOf(lineAt(from, index * 10)), epoch: 1, sequence: index * 10 });
    const writer = readBack(startWriter(start, 2), broker, [lineAt(100, 0)]);
    expect(withSourceEnded(writer).phase).toMatchObject({ kind: 'damaged', damage: { offset: 10 } });
  });

  test('a batch that is damaged on its way is sent again from the source, and what is damaged three times stops', () => {
    const broker = new ModelBroker();
    let writer = readBack(startWriter(start, 1), broker);
    for (const kind of ['reading-back', 'reading-back', 'refused']) {
      writer = withAnswer(withSent(writer, batchAt(100)).writer, { kind: 'corrupt' });
      expect(writer.phase.kind).toBe(kind);
      if (kind === 'reading-back') writer = readBack(writer, broker);
    }
    expect(withRemedy(writer)).toMatchObject({ phase: { kind: 'reading-back' }, corruptions: 0 });
  });
});

describe('any run of one partition', () => {
  test('leaves every record once and in order, or calls the partition damaged', () => {
    let damaged = 0;
    const runs = fc.tuple(fc.array(fc.constantFrom(...acts), { maxLength: 60 }), fc.boolean());
    fc.assert(
      fc.property(runs, ([chosen, remembers]) => {
        const run = new Run(remembers);
        run.performAll(chosen);
        if (run.isDamaged) {
          damaged += 1;
          // Nothing is, but where a batch was appended after its writer had given it up, or the broker forgot what it has to know.
          expect(run.late.size > 0 || chosen.includes('forget')).toBe(true);
          return;
        }
        expect(run.broker.log.map(({ checksum }) => checksum)).toEqual(run.expected());
      }),
      { numRuns: 5000 },
    );
    expect(damaged).toBeGreaterThan(0);
  });

  test('is never damaged by one writer while the broker remembers it, whatever comes late', () => {
    const chosen = fc.array(fc.constantFrom('send', 'answer', 'drop', 'cut', 'late'), { maxLength: 60 });
    let late = 0;
    fc.assert(
      fc.property(chosen, (those) => {
        const run = new Run(true);
        run.performAll(['send', 'answer', ...those]);
        late += run.late.size;
        expect(run.isDamaged).toBe(false);
        expect(run.broker.log.map(({ checksum }) => checksum)).toEqual(run.expected());
      }),
      { numRuns: 3000 },
    );
    expect(late).toBeGreaterThan(0);
  });
});

const acts = ['send', 'answer', 'drop', 'cut', 'late', 'crash', 'restart', 'forget'] as const;
type Act = (typeof acts)[number];

type Request = { readonly line: SentLine; readonly epoch: number; readonly sequence: number };

/** A writer, its ledger and a broker; whatever is sent is appended now, later, or never. */
class Run {
  readonly broker = new ModelBroker();
  #lines: LedgerLine[] = [];
  #writer: Writer;
  /** What was appended after its writer had given it up. */
  readonly late = new Set<TailBatch>();
  #late: Request[] = [];
  #answers: ReturnType<ModelBroker['append']>[] = [];

  constructor(remembers: boolean) {
    this.broker.remembers = remembers;
    const nothing = { source: 0, target: 0 };
    this.#writer = readBack(startWriter(nothing, 1), this.broker, [], nothing);
  }

  get isDamaged(): boolean {
    return this.#writer.phase.kind === 'damaged';
  }

  /** The checksums of the source's batches up to what the target has to have. */
  expected(): number[] {
    const until = this.#writer.settled.source;
    return Array.from({ length: until / 10 }, (_, index) => index * 10).flatMap((at) => (isMarker(at) ? [] : [at + 1]));
  }

  performAll(chosen: readonly Act[]): void {
    for (const act of chosen) this.#perform(act);
    this.#finish();
  }

  #perform(act: Act): void {
    if (act === 'send') this.#send('appended');
    if (act === 'drop') this.#send('dropped');
    if (act === 'late') this.#deliver();
    if (act === 'answer') this.#answer();
    if (act === 'forget') this.broker.forget();
    if (act === 'restart') this.broker.restart();
    if (act === 'cut') this.#cut();
    if (act === 'crash') this.#crash();
  }

  /** Everything that goes wrong has gone wrong: whatever is left is sent, answered, and read back. */
  #finish(): void {
    for (let turn = 0; turn < 20 && !this.isDamaged; turn++) {
      this.#deliver();
      while (this.#answers.length > 0) this.#answer();
      this.#cut();
    }
  }

  #send(fate: 'appended' | 'dropped'): void {
    // Without memory the broker is told to expire us at once.
    const expirationMs = this.broker.remembers ? rules.expirationMs : 0;
    if (!maySend(this.#writer, nowMs, { ...rules, expirationMs }, nowMs)) return;
    const { writer, flight } = withSent(this.#writer, this.#next());
    this.#writer = writer;
    this.#lines = withLine(this.#lines, flight.line);
    const request = { line: flight.line, epoch: writer.epoch, sequence: flight.sequence };
    if (fate === 'appended') this.#answers.push(this.#append(request));
    else this.#late.push(request);
    if (fate === 'dropped') this.#answers.push({ kind: 'unsettled', why: 'time-out' });
  }

  /** What the source has behind all that was handed out. */
  #next(): Batch {
    let at = handedOf(this.#writer).source;
    for (; isMarker(at); at += 10) {
      this.#lines = withLine(this.#lines, { kind: 'left', from: at, to: at + 10, why: 'control' });
      this.#writer = withLeft(this.#writer, at + 10);
    }
    return batchAt(at);
  }

  #append({ line, epoch, sequence }: Request) {
    return this.broker.append({ ...batchOf(line), epoch, sequence });
  }

  /** A request that was given up reaches the broker after all. */
  #deliver(): void {
    const request = this.#late.shift();
    if (request === undefined) return;
    const before = this.broker.log.length;
    this.#append(request);
    for (const batch of this.broker.log.slice(before)) this.late.add(batch);
  }

  #answer(): void {
    const answer = this.#answers.shift();
    if (answer === undefined) return;
    this.#writer = withAnswer(this.#writer, answer);
    if (this.#writer.phase.kind === 'reading-back') this.#readBack(this.#writer);
  }

  #cut(): void {
    this.#answers = [];
    this.#readBack(withLost(this.#writer, 'connection lost'));
  }

  #crash(): void {
    if (this.isDamaged) return;
    this.#answers = [];
    const sent = this.#lines.filter((line) => line.kind === 'sent').slice(-rules.inFlightMax);
    const first = sent[0];
    const settled = first === undefined ? { source: 0, target: 0 } : { source: first.from, target: first.target };
    this.#readBack(startWriter(settled, this.#writer.epoch + 1));
  }

  #readBack(writer: Writer): void {
    const sent = this.#lines.filter((line) => line.kind === 'sent');
    this.#writer = readBack(writer, this.broker, sent, { source: 0, target: 0 });
    while (this.#writer.phase.kind === 'matching') {
      const matched = withMatch(this.#writer, this.#next());
      this.#writer = matched.writer;
      if (matched.line !== null) this.#lines = withLine(this.#lines, matched.line);
    }
  }
}

function readBack(writer: Writer, broker: ModelBroker, lines: readonly SentLine[] = [], from = start): Writer {
  return withTail(writer, tailOf(broker, 0), lines, true, from).writer;
}

function remembered(broker = new ModelBroker()): Writer {
  const { writer, flight } = withSent(readBack(startWriter(start, 1), broker), batchAt(100));
  return withAnswer(writer, broker.append({ ...batchOf(flight.line), epoch: 1, sequence: 0 }));
}

function isMarker(at: number): boolean {
  return at % 70 === 30 || at % 70 === 40;
}

function batchAt(from: number): Batch {
  return { from, to: from + 10, count: 10, checksum: from + 1, kept: null, newestMs: nowMs };
}

function lineAt(from: number, target: number): SentLine {
  const { newestMs: _, ...range } = batchAt(from);
  return { kind: 'sent', ...range, target };
}

function batchOf({ count, checksum }: SentLine) {
  return { count, checksum, isOurs: true };
}
