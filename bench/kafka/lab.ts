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
  const starting = [start(), start()] as const;
  const connections: BrokerConnection[] = [];
  const close = closing(async () => {
    // Whoever interrupts a start waits for it: then there is something to stop.
    const started = await Promise.allSettled(starting);
    for (const connection of connections) await connection.close();
    await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.stop() : null)));
  });
  try {
    const [source, target] = await Promise.all(starting);
    const from = await brokerAt(source.bootstrap());
    connections.push(from);
    const to = await brokerAt(target.bootstrap());
    connections.push(to);
    return { source, target, from, to, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(): Promise<Cluster> {
  return await startCluster({ version: labVersion, brokers: 1, heapMib });
}

export function brokerPid({ brokers }: Cluster): number {
  const pid = brokers[0]?.pid() ?? null;
  if (pid === null) throw new Error(`the broker has ended: ${brokers[0]?.log()}`);
  return pid;
}
