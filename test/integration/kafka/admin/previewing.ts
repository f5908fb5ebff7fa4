import type { CopyPreview } from '../../../../src/cli/kafka/copy-preview/preview.ts';
import type { PreviewSide } from '../../../../src/cli/kafka/copy-preview/preview-side.ts';
import { type PreviewOptions, previewCopy } from '../../../../src/cli/kafka/copy-preview.ts';
import { systemClock } from '../../../../src/io/clock/system.ts';
import type { Cluster } from '../lab/cluster.ts';
import { adminOf } from './admin-of.ts';

export type Where = {
  readonly cluster: Cluster;
  readonly bootstrap?: string;
  readonly configFile?: string;
  /** In place of what the cluster tells. */
  readonly facts?: Partial<PreviewSide>;
};

/** The preview of a copy, as the verb makes it. */
export async function previewOf(
  source: Where,
  target: Where,
  topics: readonly string[],
  options: Partial<PreviewOptions> = {},
): Promise<CopyPreview> {
  const open = ({ cluster, facts, ...at }: Where, side: string) => {
    const admin = adminOf(cluster, { side, ...at });
    return facts === undefined ? admin : Object.assign(admin, facts);
  };
  const sides = { source: open(source, 'source'), target: open(target, 'target') };
  const reach = ({ cluster, bootstrap = cluster.bootstrap(), configFile }: Where) =>
    `--bootstrap-server ${bootstrap}${configFile === undefined ? '' : ` --command-config ${configFile}`}`;
  const { now, monotonic } = systemClock;
  const clock = { now, monotonic, sleep: (ms: number) => systemClock.sleep(ms, new AbortController().signal) };
  try {
    return await previewCopy(sides, {
      topics,
      from: { kind: 'earliest' },
      replicationFactor: null,
      rate: 60_000_000,
      isOurs: () => false,
      setAside: [],
      copiesAcls: true,
      reach: { source: reach(source), target: reach(target) },
      clock,
      readingsApartMs: 500,
      ...options,
    });
  } finally {
    await sides.source.close();
    await sides.target.close();
  }
}
