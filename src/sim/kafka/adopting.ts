import { epochsPassedOver, type SourceItem, type StandingBatch } from '../../core/move/adoption.ts';
import type { LedgerLine, Position, SentLine } from '../../core/move/ledger-lines.ts';
import { adoptPartition } from '../../engine/adopt-partition.ts';
import { batchFacts } from '../../io/kafka/bytes/batch-facts.ts';
import { recordContents } from '../../io/kafka/bytes/rebuild.ts';
import { PartitionLedger } from '../../io/kafka/ledger/partition-ledger.ts';
import type { SegmentFiles } from '../../io/kafka/ledger/segment-files.ts';
import { wholeOf } from '../../io/kafka/messages/byte-range.ts';
import { adoptionItemsIn } from '../../io/kafka/mover/adoption-items.ts';
import type { Wrong } from './checks/copy.ts';
import { linesOn } from './checks/lines.ts';
import { LedgerDisk } from './ledger-disk.ts';
import { ledgerKey } from './mover-run.ts';
import type { Mutation } from './mutation.ts';
import type { SimProcess } from './process.ts';
import type { SimPartition } from './world/partition.ts';

/** What both sides of a partition have, as whoever reads them is told. */
export type AdoptionView = {
  readonly items: readonly SourceItem[];
  readonly batches: readonly StandingBatch[];
  readonly tail: readonly StandingBatch[];
};

export type AdoptedPartition = {
  readonly disk: LedgerDisk;
  readonly begin: Position;
  readonly lines: readonly LedgerLine[];
};

type Pair = readonly [source: SimPartition, target: SimPartition];

type Given = {
  readonly process: SimProcess;
  readonly segmentBytesMax: number;
  readonly mutation: Mutation | null;
};

/** New ledgers, by the product's way, over the logs of two simulated clusters: of all partitions, or a string: why of none. */
export async function adoptAll(pairs: readonly Pair[], given: Given): Promise<readonly AdoptedPartition[] | string> {
  const adopted: AdoptedPartition[] = [];
  for (const [number, pair] of pairs.entries()) {
    const disk = new LedgerDisk();
    const result = await adoptOne(number, pair, disk, given);
    if (typeof result === 'string') return `partition ${number}: ${result}`;
    adopted.push({ disk, ...result });
  }
  return adopted;
}

async function adoptOne(
  number: number,
  [source, target]: Pair,
  disk: LedgerDisk,
  { process, segmentBytesMax, mutation }: Given,
): Promise<Omit<AdoptedPartition, 'disk'> | string> {
  if (source.leader === null || target.leader === null) return 'a partition has no leader';
  const [from, there] = [source.leader, target.leader];
  const files = disk.files(process, (perform) => perform());
  if (there.highWatermark === there.log.start) {
    // Of one that holds nothing the copy begins.
    const begin = { source: from.log.start, target: there.log.start };
    finish(new PartitionLedger(files, { ...ledgerKey, partition: number }, begin, segmentBytesMax), epochsPassedOver);
    return { begin, lines: [] };
  }
  const sourceEnd = from.log.lastStable(from.highWatermark);
  const seen = viewOf(number, [source, target], sourceEnd);
  const { items, batches, tail } = mutation?.adoption?.(seen) ?? seen;
  const lines: LedgerLine[] = [];
  let ledger: PartitionLedger | null = null;
  const result = await adoptPartition(
    { source: once({ items, goneTo: null }), target: once({ batches, goneTo: null }), tail },
    { sourceStart: from.log.start, targetStart: there.log.start, sourceEnd },
    {
      append({ line, epoch }, begin: Position) {
        ledger ??= new PartitionLedger(files, { ...ledgerKey, partition: number }, begin, segmentBytesMax);
        ledger.noteSourceEpoch(epoch);
        ledger.append(line);
        lines.push(line);
      },
    },
    new AbortController().signal,
  );
  if (result.kind === 'refused') return `${result.refusal.kind}: ${result.refusal.words}`;
  finish(ledger, result.adopted.epoch);
  return { begin: result.adopted.begin, lines };
}

function finish(ledger: PartitionLedger | null, epoch: number): void {
  ledger?.raiseEpoch(epoch);
  ledger?.close();
}

function viewOf(
  number: number,
  [source, target]: readonly [SimPartition, SimPartition],
  sourceEnd: number,
): AdoptionView {
  const { log } = source.truth;
  const bytes = log.read(log.start, sourceEnd, Number.POSITIVE_INFINITY, true);
  const bounds = { from: log.start, to: sourceEnd };
  const items = adoptionItemsIn(wholeOf(bytes), bounds, log.aborted(log.start, sourceEnd), recordBytesMax);
  const { log: standing, highWatermark } = target.truth;
  const batches = standing.batches
    .filter(({ last }) => last < highWatermark)
    .map(({ bytes: own }) => ({
      ...batchFacts(own, 0, 2n ** 62n + BigInt(number)),
      contents: () => recordContents(own, 0, recordBytesMax),
    }));
  const tail = batches.filter(({ base, count }) => base + count > highWatermark - tailOffsets);
  return { items, batches, tail };
}

/** As the verb has it. */
const tailOffsets = 64;
const recordBytesMax = 16 * 1024 * 1024;

function once<Piece>(piece: Piece): { next(): Promise<Piece | null> } {
  let left: Piece | null = piece;
  return {
    async next() {
      const next = left;
      left = null;
      return next;
    },
  };
}

/** A ledger that was made anew beside the one that was lost: where each batch came from is what nobody may guess. */
export function wrongsOfAdoption(lines: readonly LedgerLine[], lost: SegmentFiles): Wrong[] {
  const known = new Map(linesBefore(lost).map((line) => [line.target, line]));
  for (const line of lines) {
    const before = line.kind === 'sent' ? known.get(line.target) : undefined;
    if (line.kind !== 'sent' || before === undefined) continue;
    if (before.from === line.from && before.to === line.to && before.count === line.count) continue;
    const text = `target ${line.target} is adopted as source ${line.from} to ${line.to}, and was copied from ${before.from} to ${before.to}`;
    return [{ check: 'what is adopted is what was copied', text }];
  }
  return [];
}

/** One that was cut off with the power says nothing. */
function linesBefore(lost: SegmentFiles): SentLine[] {
  try {
    return linesOn(lost).lines.filter((line) => line.kind === 'sent');
  } catch {
    return [];
  }
}
