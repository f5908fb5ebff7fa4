import type { Difference, Offsets } from '../../../core/move/alignment.ts';
import { whole } from '../../terminal/figures.ts';
import { amount } from './progress.ts';
import type { PartitionResult, TopicResult } from './result.ts';
import type { Lacking, Uneven } from './topics.ts';

export type Report = {
  readonly verdict: TopicResult['verdict'];
  readonly topics: readonly TopicResult[];
  readonly lacking: readonly Lacking[];
  readonly uneven: readonly Uneven[];
  readonly bytes: number;
  readonly elapsedMs: number;
};

/** What a person reads in the end. */
export function reportLines({ verdict, topics, lacking, uneven, bytes, elapsedMs }: Report): string[] {
  return [
    ...topics.flatMap(topicLines),
    ...lacking.map(({ topic, side }) => `${topic}: the ${side} has no such topic`),
    ...uneven.map(
      ({ topic, source, target }) => `${topic}: ${source} partitions on the source, ${target} on the target`,
    ),
    `${verdictWords[verdict]} (${amount(bytes)} read in ${(elapsedMs / 1000).toFixed(1)} s)`,
  ];
}

const verdictWords = {
  equal: 'equal: every record of both sides has its counterpart, in the same order',
  different: 'different',
  undecidable: 'undecidable: nothing is known to be wrong, and not everything can be compared any more',
};

function topicLines({ topic, verdict, partitions, notes }: TopicResult): string[] {
  const records = partitions.reduce((sum, { source }) => sum + source.records, 0);
  const many = `${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'}`;
  return [
    `${topic}: ${verdict}, ${many}, ${whole(records)} records on the source`,
    ...notes.map((note) => `  ${note}`),
    ...partitions.flatMap((partition) => partitionLines(topic, partition)),
  ];
}

function partitionLines(topic: string, { partition, verdict, counts, equal, runs, notes }: PartitionResult): string[] {
  if (verdict === 'equal' && notes.length === 0) return [];
  const name = `${topic}-${partition}`;
  const told = Object.entries(counts).filter(([, count]) => count > 0);
  const figures = [`${whole(equal)} equal`, ...told.map(([kind, count]) => `${whole(count)} ${kind}`)].join(', ');
  // That of other times is said once for the topic.
  const shown = runs.filter(({ kind }) => kind !== 'retimed');
  const more = shown.length - runsMax;
  return [
    `  ${name}: ${verdict}: ${figures}`,
    ...notes.map((note) => `    ${note}`),
    ...shown.slice(0, runsMax).map((run) => `    ${runWords(run)}`),
    ...(more > 0 ? [`    and ${more} more runs: --json has up to 1000 of them`] : []),
  ];
}

const runsMax = 20;

function runWords({ kind, source, target, count }: Difference): string {
  const records = `${whole(count)} ${count === 1 ? 'record' : 'records'}`;
  const [from, to] = [`source ${rangeWords(source)}`, `target ${rangeWords(target)}`];
  switch (kind) {
    case 'missing':
      return `missing: ${records} of the ${from}`;
    case 'extra':
      return `extra: ${records} of the ${to}, which the source has not`;
    case 'repeated':
      return `repeated: ${records} of the ${to}, which are there before already`;
    case 'reordered':
      return `reordered: ${records} of the ${source === null ? to : from}, in another place on the other side`;
    case 'changed':
      return `changed: ${records}, ${from}, ${to}`;
    case 'retimed':
      return `other times: ${records}, ${from}, ${to}`;
  }
}

function rangeWords(offsets: Offsets | null): string {
  if (offsets === null) return 'none';
  return offsets.from === offsets.to ? `offset ${offsets.from}` : `offsets ${offsets.from} to ${offsets.to}`;
}
