import { join } from 'node:path';
import type { KafkaVersion } from '../../../../scripts/fetch/kafka.ts';
import type { Certificates } from './certificates.ts';
import {
  advertisedPortOf,
  controllerPort,
  type Listener,
  mechanisms,
  nameOf,
  portOf,
  protocolOf,
  user,
  usesSasl,
  usesTls,
  zookeeperPort,
} from './listeners.ts';

export type Properties = Readonly<Record<string, string>>;

export type BrokerPlan = {
  readonly version: KafkaVersion;
  readonly id: number;
  /** How many there are. */
  readonly brokers: number;
  readonly address: string;
  readonly data: string;
  readonly listeners: readonly Listener[];
  /** null: no listener has TLS. */
  readonly certificates: Certificates | null;
  /** Wins over everything else. */
  readonly properties: Properties;
};

/** 2.8's KRaft is a preview that lacks transactions, so ZooKeeper keeps it. */
export function keptByZookeeper(version: KafkaVersion): boolean {
  return version.startsWith('2.');
}

/** What a server.properties says. */
export function brokerProperties(plan: BrokerPlan): Properties {
  return {
    ...(keptByZookeeper(plan.version) ? zookeeperQuorum(plan) : kraftQuorum(plan)),
    ...listenerProperties(plan),
    ...securityProperties(plan),
    ...smallCluster(plan),
    'log.dirs': plan.data,
    ...plan.properties,
  };
}

/** Values with line ends are not needed by anything here. */
export function propertiesText(properties: Properties): string {
  const escaped = (value: string) => value.replaceAll('\\', '\\\\');
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escaped(value)}\n`)
    .join('');
}

/** One controller, in broker 1: whoever kills it stops elections until it is back. */
function kraftQuorum({ id, address }: BrokerPlan): Properties {
  return {
    'process.roles': id === 1 ? 'broker,controller' : 'broker',
    'node.id': String(id),
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@${address}:${controllerPort}`,
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  };
}

function zookeeperQuorum({ id, address }: BrokerPlan): Properties {
  return {
    'broker.id': String(id),
    'zookeeper.connect': `${address}:${zookeeperPort}`,
    'zookeeper.session.timeout.ms': '3000',
  };
}

function listenerProperties({ version, id, address, listeners }: BrokerPlan): Properties {
  const controller = !keptByZookeeper(version) && id === 1 ? [`CONTROLLER://${address}:${controllerPort}`] : [];
  const map = listeners.map((listener) => `${nameOf(listener)}:${protocolOf(listener)}`);
  return {
    listeners: [...listeners.map((one) => `${nameOf(one)}://${address}:${portOf(one, id)}`), ...controller].join(','),
    'advertised.listeners': listeners
      .map((one) => `${nameOf(one)}://${address}:${advertisedPortOf(one, id)}`)
      .join(','),
    'listener.security.protocol.map': [...map, 'CONTROLLER:PLAINTEXT'].join(','),
    'inter.broker.listener.name': nameOf('direct'),
  };
}

function securityProperties({ listeners, certificates }: BrokerPlan): Properties {
  const properties: Record<string, string> = {};
  for (const listener of listeners) {
    const prefix = `listener.name.${nameOf(listener).toLowerCase()}`;
    if (usesSasl(listener)) Object.assign(properties, saslProperties(prefix));
    if (usesTls(listener) && certificates !== null) {
      Object.assign(properties, {
        [`${prefix}.ssl.keystore.type`]: 'PKCS12',
        [`${prefix}.ssl.keystore.location`]: certificates.broker,
        [`${prefix}.ssl.keystore.password`]: certificates.password,
        [`${prefix}.ssl.key.password`]: certificates.password,
        [`${prefix}.ssl.truststore.type`]: 'PEM',
        [`${prefix}.ssl.truststore.location`]: certificates.authority,
        [`${prefix}.ssl.client.auth`]: 'requested',
      });
    }
  }
  return properties;
}

function saslProperties(prefix: string): Properties {
  const known = `user_${user.name}="${quoted(user.password)}"`;
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: mechanisms.join(','),
    [`${prefix}.plain.sasl.jaas.config`]: `org.apache.kafka.common.security.plain.PlainLoginModule required ${known};`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  };
}

/** As JAAS wants it between double quotes. */
export function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

function smallCluster({ brokers }: BrokerPlan): Properties {
  const copies = String(brokers);
  const quorum = brokers === 1 ? '1' : '2';
  return {
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': quorum,
    'transaction.state.log.num.partitions': '4',
    'default.replication.factor': copies,
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
  };
}

/** What ZooKeeper is told; the tick bounds the sessions of its clients from below. */
export function zookeeperProperties(folder: string, address: string): Properties {
  return {
    dataDir: join(folder, 'zookeeper'),
    clientPort: String(zookeeperPort),
    clientPortAddress: address,
    tickTime: '500',
    'admin.enableServer': 'false',
  };
}
