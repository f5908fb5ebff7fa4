import type { Seen } from '../../../core/move/alignment.ts';
import { isMadeAnew, type Position, type SentLine } from '../../../core/move/ledger-lines.ts';
import type { PartitionMark } from '../../../core/move/operation/events.ts';
import type { PlannedPartition } from '../../../core/move/operation/plan.ts';
import { Accounting } from '../../../core/move/proof/accounting.ts';
import { Findings, weights } from '../../../core/move/proof/finding.ts';
import { ReadBack } from '../../../core/move/proof/read-back.ts';
import { compareRecords } from '../../../core/move/proof/rebuilt.ts';
import { PortError } from '../../../engine/ports.ts';
import type { PartitionKey } from '../copy/world.ts';
import type { PartitionBounds } from '../side.ts';
import type { ProofPartition } from './result.ts';
import { SourceRecords } from './source-records.ts';
import type { LedgerTrail, ProofSide } from './world.ts';

/** One partition of a copy, and all that is known of it before it is read. */
export type PartitionToProve = {
  readonly topic: string;
  readonly planned: PlannedPartition;
  readonly key: PartitionKey;
  readonly trail: LedgerTrail | null;
  /** By the journal, or by the living controller: all before it stands on the target. */
  readonly settled: Position;
  readonly mark: PartitionMark | null;
  /** Somebody goes on writing it: nothing is looked at behind `settled`. */
  readonly isWritten: boolean;
  /** Others may write behind it. */
  readonly isOver: boolean;
  /** All that was asked for was copied, by the journal. */
  readonly isCopied: boolean;
  readonly isCompacted: boolean;
  readonly target: { readonly side: ProofSide; readonly bounds: PartitionBounds };
  /** Null: it cannot be asked; `sourceWhy` tells why. */
  readonly source: { readonly side: ProofSide; readonly bounds: PartitionBounds } | null;
  readonly sourceWhy: string;
  /** Where the ledger ends now. */
  readonly ledgerEnd: Position;
  /** Found out before it was read. */
  readonly stopped: string | null;
};

export type Watch = (read: { readonly offsets: number; readonly records: number; readonly bytes: number }) => void;

/** Reads the ledger and the target once, side by side. Throws PortError where the target cannot be read, and the signal's reason. */
export async function provePartition(
  given: PartitionToProve,
  watch: Watch,
  signal: AbortSignal,
): Promise<ProofPartition> {
  return await new PartitionProof(given, watch, signal).prove();
}

class PartitionProof {
  readonly #given: PartitionToProve;
  readonly #watch: Watch;
  readonly #signal: AbortSignal;
  readonly #findings = new Findings();
  readonly #accounting: Accounting;
  readonly #unproven = new WeakSet<SentLine>();
  readonly #readBack: ReadBack;
  #source: SourceRecords | null;
  #sourceWhy: string;
  #lines = 0;
  #madeAnew = 0;
  #compared = 0;
  #bytes = 0;
  /** Of the target: all before it was read. */
  #next = 0;

  constructor(given: PartitionToProve, watch: Watch, signal: AbortSignal) {
    this.#given = given;
    this.#watch = watch;
    this.#signal = signal;
    const { trail, planned, target, settled, isCompacted, isOver, source } = given;
    this.#accounting = new Accounting(trail?.begin ?? planned.begin, this.#findings);
    const { logStart } = target.bounds;
    const rules = { logStart, logEnd: this.#end, settled: settled.target, isCompacted, isOver };
    this.#readBack = new ReadBack(this.#sent(), rules, this.#findings);
    this.#sourceWhy = given.sourceWhy;
    const sourceBytes = (bytes: number) => watch({ offsets: 0, records: 0, bytes });
    this.#source = source === null ? null : new SourceRecords(source.side, source.bounds, sourceBytes);
  }

  /** Where reading ends. */
  get #end(): number {
    const { isWritten, settled, target } = this.#given;
    const { highWatermark } = target.bounds;
    return isWritten ? Math.min(highWatermark, settled.target) : highWatermark;
  }

  async prove(): Promise<ProofPartition> {
    const { stopped, planned, trail } = this.#given;
    if (stopped !== null) this.#findings.add({ kind: 'stopped', source: null, target: null, detail: stopped });
    this.#lookBefore();
    await this.#readOrTell();
    this.#readBack.end();
    this.#compareEnds();
    this.#accounting.close();
    const { logStart, highWatermark: logEnd } = this.#given.target.bounds;
    const { account, end } = this.#accounting;
    const { begin, partition } = planned;
    return {
      partition,
      verdict: this.#findings.verdict,
      account,
      before: {
        gone: Math.min(begin.source, planned.logStart),
        skipped: Math.max(0, begin.source - planned.logStart),
      },
      end: planned.end,
      target: { from: begin.target, to: end.target, logStart, logEnd },
      batches: {
        lines: this.#lines,
        proven: this.#readBack.proven,
        madeAnew: this.#madeAnew,
        compared: this.#compared,
      },
      records: this.#readBack.records,
      bytes: this.#bytes,
      ledger: trail === null ? null : { segments: trail.segments, ...trail.told() },
      counts: Object.fromEntries(this.#findings.counts),
      findings: this.#findings.listed.map((finding) => ({ ...finding, weight: weights[finding.kind] })),
    };
  }

  /** The lines that speak of batches. The sum is drawn on the way, so that the ledger is read once. */
  *#sent(): Generator<SentLine> {
    const { trail, mark, settled, isWritten, isCopied } = this.#given;
    for (const item of trail?.items() ?? []) {
      if (item.kind === 'segment') {
        if (item.broken !== null) this.#changed(`${item.segment}: ${item.broken}`);
        // Behind what is looked at somebody may have made something void meanwhile.
        if (!isWritten || item.at.source <= settled.source) this.#accounting.expect(item);
      } else if (item.kind === 'torn') {
        // The end of the last one may be on its way to the disk, or was when its writer died.
        if (!item.isLast || isCopied) this.#changed(`${item.segment}: ${item.why}`);
      } else if (!isWritten || item.line.to <= settled.source) {
        const { line, isProven } = item;
        this.#accounting.add(line);
        if (mark !== null && isQuiet(mark)) this.#accounting.compare(mark.account, 'the journal');
        if (line.kind === 'left') continue;
        this.#lines += 1;
        if (!isProven) this.#unproven.add(line);
        yield line;
      }
    }
  }

  #changed(detail: string): void {
    this.#findings.add({ kind: 'ledger-changed', source: null, target: null, detail });
  }

  #lookBefore(): void {
    const { trail, planned, target } = this.#given;
    const { begin } = planned;
    if (target.bounds.logStart < begin.target)
      this.#findings.add({
        ...{ kind: 'before', source: null },
        target: { from: target.bounds.logStart, to: begin.target },
        detail: 'what stood there before the copy began',
      });
    if (trail !== null && (trail.begin.source !== begin.source || trail.begin.target !== begin.target))
      this.#changed(
        `the ledger begins at ${trail.begin.source} (target ${trail.begin.target}), and the copy at ${begin.source} (target ${begin.target})`,
      );
  }

  /** What makes no sense on the target's disk is what is looked for, and ends this partition only. Throws other PortErrors. */
  async #readOrTell(): Promise<void> {
    const { planned, target } = this.#given;
    this.#next = Math.max(planned.begin.target, target.bounds.logStart);
    if (this.#next >= this.#end) return;
    try {
      await this.#read();
    } catch (error) {
      if (!(error instanceof PortError) || error.code !== 'corrupt') throw error;
      this.#readBack.giveUp();
      const [from, to] = [this.#next, this.#end];
      this.#findings.add({ kind: 'corrupt', source: null, target: { from, to: from }, detail: error.message });
      this.#findings.add({ kind: 'unread', source: null, target: { from, to }, detail: 'what is behind it' });
    }
  }

  async #read(): Promise<void> {
    const { topic, planned, target, ledgerEnd, key } = this.#given;
    const { partition } = planned;
    const from = this.#next;
    const reader = target.side.batches({ topic, partition, from, to: this.#end }, key);
    let bytesBehind = 0;
    for (;;) {
      // What is in memory already would keep everything else waiting, and Ctrl-C too.
      await new Promise((resolve) => setImmediate(resolve));
      this.#signal.throwIfAborted();
      const piece = await reader.next();
      if (piece === null) return;
      if (piece.goneTo !== null) this.#readBack.deletedTo(piece.goneTo);
      let records = 0;
      for (const batch of piece.batches) {
        const line = this.#readBack.add(batch);
        records += batch.records;
        if (line !== null) await this.#compare(line, batch.contents);
        if (batch.base >= ledgerEnd.target) bytesBehind += batch.bytes;
      }
      this.#bytes += piece.bytes;
      this.#watch({
        offsets: Math.max(0, Math.min(piece.next, ledgerEnd.target) - this.#next),
        records,
        bytes: piece.bytes,
      });
      this.#next = piece.next;
      if (bytesBehind < behindBytesMax || this.#next >= this.#end) continue;
      const rest = { from: this.#next, to: this.#end };
      const kind = this.#given.isOver ? 'behind' : 'unread';
      this.#findings.add({ kind, source: null, target: rest, count: 0, detail: 'what comes behind was not looked at' });
      return;
    }
  }

  /** What was made anew has its records compared; of what could not be compared when it was written, that is told. */
  async #compare(line: SentLine, contents: () => readonly Seen[]): Promise<void> {
    const places = placesOf(line);
    if (this.#unproven.has(line)) {
      this.#findings.add({ kind: 'unproven', ...places });
      return;
    }
    if (!isMadeAnew(line)) return;
    this.#madeAnew += 1;
    const source = await this.#recordsOf(line);
    if (source === null) {
      this.#findings.add({ kind: 'source-gone', ...places, detail: this.#sourceWhy });
      return;
    }
    const { gone, different } = compareRecords(line, source, contents());
    if (different !== null) {
      const detail = `source ${different.source}, target ${different.target}: ${different.why}`;
      this.#findings.add({ kind: 'other-records', ...places, detail });
    } else if (gone > 0) {
      const detail = `${gone} of ${line.count} records are not on the source any more`;
      this.#findings.add({ kind: 'source-gone', ...places, detail });
    } else this.#compared += 1;
  }

  /** Null: the source cannot be read. */
  async #recordsOf({ from, to }: SentLine): Promise<readonly Seen[] | null> {
    if (this.#source === null) return null;
    try {
      return await this.#source.take(from, to);
    } catch (error) {
      if (!(error instanceof PortError) || this.#signal.aborted) throw error;
      this.#sourceWhy = error.message;
      // Who does not answer is not asked again for each batch; a batch that makes no sense says nothing of the next one.
      if (error.code !== 'corrupt') this.#source = null;
      return null;
    }
  }

  /** The ledger's end beside what the journal has. */
  #compareEnds(): void {
    const { settled, planned, isCopied, isWritten, target } = this.#given;
    const { end } = this.#accounting;
    if (end.source < settled.source)
      this.#findings.add({
        kind: 'ledger-short',
        source: { from: end.source, to: settled.source },
        target: { from: end.target, to: Math.max(end.target, settled.target) },
        detail: `the ledger ends at ${end.source}, and by the journal all before ${settled.source} is settled`,
      });
    else if (isCopied && planned.end !== null && end.source < planned.end)
      this.#findings.add({
        ...{ kind: 'ledger-short', source: { from: end.source, to: planned.end }, target: null },
        detail: `it was to be copied up to ${planned.end}`,
      });
    const { highWatermark } = target.bounds;
    if (isWritten && highWatermark > settled.target)
      this.#findings.add({
        ...{ kind: 'later', source: null, target: { from: settled.target, to: highWatermark }, count: 0 },
        detail: 'it is being written: what was not settled when the proof began is not looked at',
      });
  }
}

/** Behind a copy that is over others write without end. */
const behindBytesMax = 8 * 1024 * 1024;

/** Nothing was on its way when it was written down. */
function isQuiet({ account, settled }: PartitionMark): boolean {
  return account.to === settled.source;
}

function placesOf({ from, to, target, count }: SentLine) {
  return { source: { from, to }, target: { from: target, to: target + count } };
}
