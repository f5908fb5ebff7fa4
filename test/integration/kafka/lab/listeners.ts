/**
 * Where a broker is reached. `direct` is plain and always there, for the laboratory's own tools and between brokers; `proxied` is
 * plain behind a proxy that tests make misbehave, one for each broker.
 */
export type Listener = 'direct' | 'proxied' | 'sasl' | 'tls' | 'sasl-tls';

export type Mechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
export const mechanisms: readonly Mechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

/** The one user that listeners with SASL know. */
export const user = { name: 'drover', password: 'a "quoted" secret' } as const;

const order: readonly Listener[] = ['direct', 'proxied', 'sasl', 'tls', 'sasl-tls'];

const protocols: Readonly<Record<Listener, string>> = {
  direct: 'PLAINTEXT',
  proxied: 'PLAINTEXT',
  sasl: 'SASL_PLAINTEXT',
  tls: 'SSL',
  'sasl-tls': 'SASL_SSL',
};

export const controllerPort = 19_080;
export const zookeeperPort = 19_070;

/** The port at which a broker itself listens. */
export function portOf(listener: Listener, broker: number): number {
  return 19_100 + 100 * order.indexOf(listener) + broker;
}

/** The port of which it tells its clients: of `proxied` it is the proxy's. */
export function advertisedPortOf(listener: Listener, broker: number): number {
  return listener === 'proxied' ? 19_900 + broker : portOf(listener, broker);
}

/** All the ports that a listener of a broker takes. */
export function brokerPorts(listener: Listener, broker: number): number[] {
  return [...new Set([portOf(listener, broker), advertisedPortOf(listener, broker)])];
}

export function protocolOf(listener: Listener): string {
  return protocols[listener];
}

/** The word for it in a broker's settings. */
export function nameOf(listener: Listener): string {
  return listener.toUpperCase().replace('-', '_');
}

export function usesSasl(listener: Listener): boolean {
  return protocolOf(listener).startsWith('SASL_');
}

export function usesTls(listener: Listener): boolean {
  return protocolOf(listener).endsWith('SSL');
}
