import type { Address } from '../../src/io/kafka/broker-finder.ts';
import { type BrokerConnection, type ConnectionSettings, connectBroker } from '../../src/io/kafka/connection.ts';
import { KafkaCluster } from '../../src/io/kafka/kafka-cluster.ts';

const settings: Omit<ConnectionSettings, 'host' | 'port'> = {
  tls: null,
  sasl: null,
  clientId: 'drover-bench',
  clientVersion: '0',
  connectDeadlineMs: 10_000,
  requestDeadlineMs: 30_000,
  responseBytesMax: 256 * 1024 * 1024,
  unsentBytesMax: 16 * 1024 * 1024,
};

export function clusterAt(bootstrap: string): KafkaCluster {
  return new KafkaCluster({ ...settings, side: 'cluster', bootstrap: [addressOf(bootstrap)] });
}

/** To the only broker of a cluster. */
export async function brokerAt(bootstrap: string): Promise<BrokerConnection> {
  return await connectBroker({ ...settings, ...addressOf(bootstrap) }, new AbortController().signal);
}

function addressOf(bootstrap: string): Address {
  const [host = '', port = ''] = bootstrap.split(':');
  return { host, port: Number(port) };
}
