import type { Difference, Offsets } from '../../../core/move/alignment.ts';
import type { PartitionBounds, SideName, TopicSettings } from '../side.ts';
import type { Compared } from './compare.ts';

export type Verdict = 'equal' | 'different' | 'undecidable';

export type PartitionResult = {
  readonly partition: number;
  readonly verdict: Verdict;
  readonly equal: number;
  readonly counts: Readonly<Record<Difference['kind'], number>>;
  readonly runs: readonly Difference[];
  readonly source: SideFacts;
  readonly target: SideFacts;
  readonly before: { readonly side: SideName; readonly offsets: Offsets; readonly count: number } | null;
  /** Sentences beside the runs. */
  readonly notes: readonly string[];
};
export type SideFacts = {
  readonly logStart: number;
  readonly end: number;
  readonly records: number;
  /** Offsets that an open transaction holds back; they were not compared. */
  readonly heldBack: number;
  /** Deleted while it was read. */
  readonly gone: readonly Offsets[];
};

export type TopicResult = {
  readonly topic: string;
  readonly verdict: Verdict;
  readonly partitions: readonly PartitionResult[];
  readonly notes: readonly string[];
};

/** What the comparison of one partition means. */
export function partitionResult(
  compared: Compared,
  settings: Readonly<Record<SideName, TopicSettings>>,
): PartitionResult {
  const { equal, counts, differences, before, feeds } = compared;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const isCompacted = isCompact(settings.source) || isCompact(settings.target);
  const { source, target } = { source: feeds.source, target: feeds.target };
  const notes: string[] = [];
  let verdict: Verdict = total === 0 ? 'equal' : 'different';
  if (isCompacted && total > counts.retimed && counts.retimed === 0) {
    verdict = 'undecidable';
    notes.push(
      'a compacted side: what differs may have been taken out by compaction, which nobody can tell afterwards',
    );
  }
  const isOverrun = source.gone.length > 0 && total === counts.extra;
  if (isOverrun) {
    if (verdict === 'different') verdict = 'undecidable';
    notes.push(
      'the source deleted records while they were read: what the target has of them cannot be compared any more',
    );
  }
  if (before?.side === 'target') {
    if (verdict === 'equal') verdict = 'undecidable';
    const { from, to } = before.offsets;
    notes.push(
      `the source starts at offset ${source.bounds.logStart}: ${before.count} records of the target (${from} to ${to}) are older than all that it has`,
    );
  }
  if (before?.side === 'source') {
    verdict = 'different';
    const { from, to } = before.offsets;
    notes.push(
      `the target, whose log starts at ${target.bounds.logStart}, lacks the first ${before.count} records of the source (${from} to ${to})`,
    );
  }
  if (target.gone.length > 0) notes.push('the target deleted records while they were read: raise its retention');
  for (const [side, { bounds }] of [
    ['source', source],
    ['target', target],
  ] as const)
    if (bounds.highWatermark > bounds.end)
      notes.push(
        `${bounds.highWatermark - bounds.end} offsets of the ${side} from ${bounds.end} on wait for an open transaction, and were not compared`,
      );
  return {
    partition: source.bounds.partition,
    verdict,
    equal,
    counts,
    runs: differences,
    source: factsOf(source.bounds, source),
    target: factsOf(target.bounds, target),
    before,
    notes,
  };
}

/** Only times differ: why, as far as it can be told. */
export function timeNote({ counts, feeds: { source, target } }: Compared): string | null {
  if (counts.retimed === 0) return null;
  if (target.hasAppendTime && !source.hasAppendTime)
    return 'the target has times of append (message.timestamp.type=LogAppendTime) where the source has times of creation';
  if (source.hasAppendTime && !target.hasAppendTime)
    return 'the source has times of append (message.timestamp.type=LogAppendTime), and the target has others';
  return 'records have other times on the target: whoever copied them gave them new ones';
}

/** The worst counts: a difference, then what cannot be decided. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('different')) return 'different';
  return verdicts.includes('undecidable') ? 'undecidable' : 'equal';
}

function isCompact(settings: TopicSettings): boolean {
  return settings?.cleanupPolicy.split(',').some((policy) => policy.trim() === 'compact') ?? false;
}

function factsOf(
  { logStart, end, highWatermark }: PartitionBounds,
  { records, gone }: { readonly records: number; readonly gone: readonly Offsets[] },
): SideFacts {
  return { logStart, end, records, heldBack: Math.max(0, highWatermark - end), gone };
}
