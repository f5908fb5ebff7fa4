import type { CopyStatus, PartitionStatus } from './status.ts';

/**
 * A copy in the text format of Prometheus, version 0.0.4. Counters count for the whole copy and not for one process, so that a
 * controller that begins anew goes on where the one before was.
 */
export function copyMetrics(status: CopyStatus): string {
  const own = { operation: status.operation };
  const each = (value: (one: PartitionStatus) => number | null): Sample[] =>
    status.partitions.flatMap((one) => {
      const found = value(one);
      const labels = { ...own, topic: one.topic, partition: String(one.partition) };
      return found === null ? [] : [{ labels, value: found }];
    });
  const isState = (names: readonly string[], now: string, more: Labels): Sample[] =>
    names.map((state) => ({ labels: { ...more, state }, value: state === now ? 1 : 0 }));
  const families: readonly Family[] = [
    ['bytes_total', 'counter', 'Appended to the target by this copy.', [{ labels: own, value: status.bytes }]],
    [
      'records_total',
      'counter',
      'Copied since the copy of these topics began.',
      [{ labels: own, value: status.records }],
    ],
    [
      ...(['rate_limit_bytes_per_second', 'gauge', 'To each broker of the target; missing: no limit.'] as const),
      status.rate === null ? [] : [{ labels: own, value: status.rate }],
    ],
    ['held', 'gauge', '1 while it is held.', [{ labels: own, value: status.held === null ? 0 : 1 }]],
    ['stage', 'gauge', '1 for the stage that it is in.', isState(stages, status.stage, own)],
    ['unproven_ranges', 'gauge', 'Ranges that could not be compared.', [{ labels: own, value: status.unproven }]],
    ['partition_source_offset', 'gauge', 'The next offset of the source to be copied.', each(({ source }) => source)],
    ['partition_target_offset', 'gauge', 'The next offset of the target to be written.', each(({ target }) => target)],
    [
      'partition_lag_offsets',
      'gauge',
      'Offsets of the source that are not copied, to its end as it is now.',
      each(lagOf),
    ],
    [
      ...([
        'partition_retention_headroom_offsets',
        'gauge',
        'Between what the source has deleted and what is copied next.',
      ] as const),
      each(({ ends, source, state }) => (ends === null || state === 'done' ? null : source - ends.logStart)),
    ],
    [
      ...(['partition_state', 'gauge', '1 for the state that it is in.'] as const),
      status.partitions.flatMap(({ topic, partition, state }) =>
        isState(states, state, { ...own, topic, partition: String(partition) }),
      ),
    ],
  ];
  return families.flatMap(linesOf).join('');
}

type Labels = Readonly<Record<string, string>>;
type Sample = { readonly labels: Labels; readonly value: number };
type Family = readonly [name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]];

const stages: readonly CopyStatus['stage'][] = [
  ...(['preparing', 'copying', 'rebuilding', 'restoring', 'copied', 'aborted', 'removing', 'removed'] as const),
];
const states: readonly PartitionStatus['state'][] = ['copying', 'waiting', 'done', 'damaged', 'stopped'];

function lagOf({ source, ends, end }: PartitionStatus): number | null {
  const to = ends?.highWatermark ?? end;
  return to === null ? null : Math.max(0, to - source);
}

function linesOf([name, type, help, samples]: Family): string[] {
  if (samples.length === 0) return [];
  const full = `drover_copy_${name}`;
  const lines = samples.map(({ labels, value }) => `${full}{${labelWords(labels)}} ${value}\n`);
  return [`# HELP ${full} ${help}\n`, `# TYPE ${full} ${type}\n`, ...lines];
}

/** Names of topics have neither quotes nor backslashes. */
function labelWords(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');
}
