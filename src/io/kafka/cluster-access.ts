import type { ClusterAccess } from './channel/messages.ts';
import { poolSettings, type ReaderOptions } from './reader/open-reader.ts';

/** How the process that moves the data reaches a cluster, secrets included: for nobody but that process. */
export function clusterAccess(options: ReaderOptions): ClusterAccess {
  const { bootstrap, tls, sasl, clientId } = poolSettings(options, 'drover-copy').settings;
  if (tls === null) return { bootstrap, tls: null, checksNames: true, sasl, clientId };
  const { checkServerIdentity, ...sent } = tls;
  return { bootstrap, tls: sent, checksNames: checkServerIdentity === undefined, sasl, clientId };
}
