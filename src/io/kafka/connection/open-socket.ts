import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsConnectionOptions } from 'node:tls';

/** What of TLS is configured; the certificate of the broker is always checked. */
export type TlsSettings = Pick<
  TlsConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'pfx' | 'ciphers' | 'minVersion' | 'maxVersion' | 'checkServerIdentity'
>;

export type SocketSettings = { readonly host: string; readonly port: number; readonly tls: TlsSettings | null };

/** Not connected yet. `ready` is the event that says it is. What arrives goes where `onread` says. */
export function openSocket({ host, port, tls }: SocketSettings, onread: OnReadOpts): OpenedSocket {
  const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, onread };
  if (tls === null) return { socket: connectPlain(options), ready: 'connect' };
  // Names of servers are told in the clear; an address is none.
  const named = isIP(host) === 0 ? { servername: host } : {};
  return { socket: connectTls({ ...options, ...tls, ...named, rejectUnauthorized: true }), ready: 'secureConnect' };
}

type OpenedSocket = { readonly socket: Socket; readonly ready: 'connect' | 'secureConnect' };
