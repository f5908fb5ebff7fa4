import type { MovedPartition } from '../../io/kafka/mover/moved-partition.ts';
import type { Cluster, Ledger } from '../../io/kafka/mover/ports.ts';
import type { MoverSettings } from '../../io/kafka/mover/settings.ts';
import type { AdoptionView } from './adopting.ts';
import type { CheckName } from './checks/violation.ts';
import type { SimProcess } from './process.ts';
import type { FaultName } from './scenario.ts';

/** A known-bad product, made of the real one by changing what its ports promise. */
export type Mutation = {
  readonly name: string;
  /** A seed in which it is seen. */
  readonly seenIn: number;
  /** Worlds without any of these do not show it; none: all may. */
  readonly shownBy: readonly FaultName[];
  readonly caughtBy: readonly CheckName[];
  readonly source?: (cluster: Cluster) => Cluster;
  readonly target?: (cluster: Cluster, ledgers: readonly Ledger[], process: SimProcess) => Cluster;
  readonly ledger?: (ledger: Ledger) => Ledger;
  readonly settings?: (settings: MoverSettings) => MoverSettings;
  /** What is read of both sides where a ledger is lost. */
  readonly adoption?: (view: AdoptionView) => AdoptionView;
  readonly partition?: (partition: MovedPartition) => void;
};
