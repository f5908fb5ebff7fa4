import type { KafkaAdmin } from '../../../../src/io/kafka/admin/kafka-admin.ts';
import { openAdmin } from '../../../../src/io/kafka/admin/open-admin.ts';
import type { Cluster } from '../lab/cluster.ts';

/** `configFile`: for another listener than the plain one. */
export function adminOf(
  cluster: Cluster,
  { side = 'target', bootstrap = cluster.bootstrap(), configFile = null as string | null } = {},
): KafkaAdmin {
  const addresses = bootstrap.split(',').map((address) => {
    const [host = '', port] = address.split(':');
    return { host, port: Number(port) };
  });
  return openAdmin({ side, bootstrap: addresses, configFile, version: '0.0.0' }).admin;
}
