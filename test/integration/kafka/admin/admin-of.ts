import type { KafkaAdmin } from '../../../../src/io/kafka/admin/kafka-admin.ts';
import { openAdmin } from '../../../../src/io/kafka/admin/open-admin.ts';
import type { Cluster } from '../lab/cluster.ts';

export type AdminAt = { readonly side?: string; readonly bootstrap?: string; readonly configFile?: string };

/** `configFile`: for another listener than the plain one. */
export function adminOf(cluster: Cluster, { side = 'target', bootstrap, configFile }: AdminAt = {}): KafkaAdmin {
  const addresses = (bootstrap ?? cluster.bootstrap()).split(',').map((address) => {
    const [host = '', port] = address.split(':');
    return { host, port: Number(port) };
  });
  return openAdmin({ side, bootstrap: addresses, configFile: configFile ?? null, version: '0.0.0' }).admin;
}
