import type { ClusterReference } from '../../../core/move/operation/plan.ts';
import { CliError } from '../../context.ts';
import type { JournalPlace } from '../../journal/path.ts';
import { packageVersion } from '../../version.ts';
import { bytesPerSecond } from '../copy/options.ts';
import { bootstrapOf, type SideName } from '../side.ts';
import type { ProofReach } from './world.ts';

/** As they were typed. */
export type ProveWords = JournalPlace & {
  readonly source?: string;
  readonly target?: string;
  readonly sourceConfig?: string;
  readonly targetConfig?: string;
  readonly maxRate?: string;
  readonly html?: string;
  readonly json?: true;
};

/** As the copy was told, unless something else is said: brokers may have moved, and the file too. Throws CliError. */
export function reachOf(side: SideName, { bootstrap, configFile }: ClusterReference, words: ProveWords): ProofReach {
  const rate = words.maxRate === undefined ? null : bytesPerSecond(words.maxRate);
  return {
    side,
    bootstrap: bootstrapOf(side, words[side] ?? bootstrap),
    configFile: words[`${side}Config`] ?? configFile,
    version: packageVersion(),
    rate,
  };
}

/** Throws CliError where it is another cluster than that of the copy. */
export function requireCluster(side: SideName, { clusterId, bootstrap }: ClusterReference, found: string): void {
  if (found === clusterId) return;
  throw new CliError(
    `the ${side} is cluster ${found}, and the copy was of cluster ${clusterId} (at ${bootstrap} then)`,
    `say where it is now with --${side} HOST:PORT`,
  );
}
