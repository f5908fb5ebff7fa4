import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { LedgerKey } from '../ledger/segment.ts';

/** Where the ledger of a partition is kept: by what is copied to where, and not by the command that asked for it. */
export function ledgerFolder(ledgers: string, topic: string, key: LedgerKey): string {
  const { sourceCluster, sourceTopicId, targetCluster, targetTopicId, partition } = key;
  const pair = hashOf([sourceCluster, sourceTopicId, targetCluster, targetTopicId]).toString('hex').slice(0, 16);
  // The name is for people. What belongs to what is told by the hash, and by the key in each file.
  return join(ledgers, `${topic.slice(0, 100)}.${pair}`, String(partition));
}

/**
 * The producer id of a copy of one partition: the same whenever it is copied from here to there, and another one for anything else. Clusters
 * give ids from 0 upwards, and none of them gets to 2^62.
 */
export function producerIdOf(key: LedgerKey): bigint {
  const { sourceCluster, sourceTopicId, targetCluster, targetTopicId, partition } = key;
  const hash = hashOf([sourceCluster, sourceTopicId, String(partition), targetCluster, targetTopicId]);
  return 2n ** 62n + (hash.readBigUInt64BE(0) >> 2n);
}

function hashOf(parts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(parts)).digest();
}
