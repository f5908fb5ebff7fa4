import type { BrokerConnection } from '../../src/io/kafka/connection.ts';
import { type Cluster, startCluster } from '../../test/integration/kafka/lab/cluster.ts';
import { closing } from '../frame/closing.ts';
import { brokerAt } from './client.ts';

/** Two clusters of one broker each, and a connection to either for questions. */
export type Lab = {
  readonly source: Cluster;
  readonly target: Cluster;
  readonly from: BrokerConnection;
  readonly to: BrokerConnection;
  close(): Promise<void>;
};

export const labVersion = '4.3.1';
const heapMib = 1024;

export async function openLab(): Promise<Lab> {
  const clusters: Cluster[] = [];
  const connections: BrokerConnection[] = [];
  const close = closing(async () => {
    for (const connection of connections) await connection.close();
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  });
  try {
    const open = async (): Promise<[Cluster, BrokerConnection]> => {
      const cluster = await startCluster({ version: labVersion, brokers: 1, heapMib });
      clusters.push(cluster);
      const connection = await brokerAt(cluster.bootstrap());
      connections.push(connection);
      return [cluster, connection];
    };
    const [[source, from], [target, to]] = await Promise.all([open(), open()]);
    return { source, target, from, to, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export function brokerPid({ brokers }: Cluster): number {
  const pid = brokers[0]?.pid() ?? null;
  if (pid === null) throw new Error(`the broker has ended: ${brokers[0]?.log()}`);
  return pid;
}
