import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchKafka, type Kafka, type KafkaVersion } from '../../../../scripts/fetch/kafka.ts';
import { type Broker, type Server, serverOf } from './broker.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { writeClientProperties } from './clients.ts';
import { type Guard, openGuard } from './guard.ts';
import { type JavaPlace, prepareJava, server, tool } from './java.ts';
import {
  advertisedPortOf,
  brokerPorts,
  controllerPort,
  type Listener,
  type Mechanism,
  mechanisms,
  portOf,
  user,
  usesSasl,
  usesTls,
  zookeeperPort,
} from './listeners.ts';
import { isWhole, type Metadata, readMetadata } from './metadata.ts';
import { claimPlace, type Place } from './place.ts';
import { openProxy } from './proxy.ts';
import { run } from './running.ts';
import { brokerProperties, keptByZookeeper, type Properties, propertiesText, zookeeperProperties } from './settings.ts';

export type ClusterOptions = {
  readonly version: KafkaVersion;
  readonly brokers: 1 | 3;
  /** For the server.properties of every broker; wins over what the laboratory writes. */
  readonly properties?: Properties;
  /** Beside `direct`. */
  readonly listeners?: readonly Exclude<Listener, 'direct'>[];
  /** Of each broker; by default 512, of three 256. */
  readonly heapMib?: number;
};

export type Cluster = JavaPlace & {
  readonly version: KafkaVersion;
  /** By id, from 1. In Kafka 3 and 4 broker 1 is the only controller too: kill the others. */
  readonly brokers: readonly Broker[];
  readonly certificates: Certificates | null;
  /** host:port of every broker. */
  bootstrap(listener?: Listener): string;
  /** Path of a properties file for clients, as Kafka's tools take it as `--command-config`. */
  clientConfig(listener: Listener, mechanism?: Mechanism, more?: Properties): Promise<string>;
  broker(id: number): Broker;
  metadata(): Promise<Metadata>;
  /** Waits until every broker that is meant to run is in Metadata, and in the ISR of each partition that it has a replica of. */
  untilWhole(): Promise<Metadata>;
  /** Ends every process that belongs to it, and removes its folder. */
  stop(): Promise<void>;
};

const startTimeLimitMs = 120_000;

/** Real brokers on a loopback address of their own. Nothing of it outlives this process. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const kafka = await fetchKafka(options.version);
  const listeners: readonly Listener[] = ['direct', ...(options.listeners ?? [])];
  const ids = options.brokers === 1 ? [1] : [1, 2, 3];
  const guard = await openGuard();
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    await guard.close();
    for (const close of closers.splice(0)) await close();
  };
  try {
    const place = await claimPlace([
      ...(keptByZookeeper(options.version) ? [zookeeperPort] : [controllerPort]),
      ...listeners.flatMap((listener) => ids.flatMap((id) => brokerPorts(listener, id))),
    ]);
    closers.push(() => place.release());
    const cluster = await lay({ options, kafka, guard, place, listeners, ids, stop });
    for (const { proxy } of cluster.brokers) if (proxy !== null) closers.push(() => proxy.close());
    await serve(cluster, options.version, place, listeners);
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

type Plan = {
  readonly options: ClusterOptions;
  readonly kafka: Kafka;
  readonly guard: Guard;
  readonly place: Place;
  readonly listeners: readonly Listener[];
  readonly ids: readonly number[];
  readonly stop: () => Promise<void>;
};

/** Everything but running processes. */
async function lay({ options, kafka, guard, place, listeners, ids, stop }: Plan): Promise<Cluster> {
  const { folder, environment } = guard;
  const java: JavaPlace = { kafka, folder, environment };
  await prepareJava(java);
  const secure = listeners.some(usesTls);
  const certificates = secure ? await makeCertificates(folder, place.address, environment) : null;
  const { version, properties = {}, heapMib = ids.length === 1 ? 512 : 256 } = options;
  const brokers: Broker[] = [];
  for (const id of ids) {
    const data = properties['log.dirs'] ?? join(folder, `data-${id}`);
    const file = join(folder, `broker-${id}.properties`);
    const wanted = {
      version,
      id,
      brokers: ids.length,
      address: place.address,
      data,
      listeners,
      certificates,
      properties,
    };
    await writeFile(file, propertiesText(brokerProperties(wanted)));
    const process = serverOf(server(java, 'kafka.Kafka', [file], heapMib), join(folder, `broker-${id}.log`));
    const proxy = listeners.includes('proxied')
      ? await openProxy(
          { host: place.address, port: portOf('proxied', id) },
          { host: place.address, port: advertisedPortOf('proxied', id) },
        )
      : null;
    brokers.push({ ...process, id, data, proxy });
  }
  const bootstrap = (listener: Listener = 'direct') =>
    ids.map((id) => `${place.address}:${advertisedPortOf(listener, id)}`).join(',');
  const metadata = () => readMetadata(bootstrap(), environment);
  return {
    ...java,
    version,
    brokers,
    certificates,
    bootstrap,
    clientConfig: (listener, mechanism = 'SCRAM-SHA-512', more = {}) =>
      writeClientProperties(folder, certificates, listener, mechanism, more),
    broker: (id) => brokers.find((broker) => broker.id === id) ?? unknownBroker(id),
    metadata,
    untilWhole: () => untilWhole(brokers, metadata),
    stop,
  };
}

function unknownBroker(id: number): never {
  throw new Error(`no broker ${id} in this cluster`);
}

async function serve(
  cluster: Cluster,
  version: KafkaVersion,
  place: Place,
  listeners: readonly Listener[],
): Promise<void> {
  if (keptByZookeeper(version)) await startZookeeper(cluster, place);
  else await format(cluster);
  for (const broker of cluster.brokers) await broker.start();
  await cluster.untilWhole();
  if (!listeners.some(usesSasl)) return;
  // One after the other: 2.8.2 reads a user from ZooKeeper and writes it back, and of two at once it keeps one.
  for (const mechanism of mechanisms) if (mechanism !== 'PLAIN') await addScramUser(cluster, mechanism);
}

/** One mechanism at a time is what brokers take. */
async function addScramUser(cluster: Cluster, mechanism: Mechanism): Promise<void> {
  const who = ['--entity-type', 'users', '--entity-name', user.name];
  const what = ['--alter', '--add-config', `${mechanism}=[password=${user.password}]`];
  const args = ['--bootstrap-server', cluster.bootstrap(), ...who, ...what];
  await run(tool(cluster, 'kafka.admin.ConfigCommand', args), { timeLimitMs: 60_000 });
}

async function format(cluster: Cluster): Promise<void> {
  // As Kafka draws them, but for a first character that would look like an option.
  const id = `A${randomBytes(16).toString('base64url').slice(1)}`;
  const formatted = cluster.brokers.map((broker) => {
    const file = join(cluster.folder, `broker-${broker.id}.properties`);
    return run(tool(cluster, 'kafka.tools.StorageTool', ['format', '-t', id, '-c', file]), { timeLimitMs: 60_000 });
  });
  await Promise.all(formatted);
}

async function startZookeeper(cluster: Cluster, { address }: Place): Promise<void> {
  const file = join(cluster.folder, 'zookeeper.properties');
  await mkdir(join(cluster.folder, 'zookeeper'));
  await writeFile(file, propertiesText(zookeeperProperties(cluster.folder, address)));
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
  await serverOf(server(cluster, main, [file], 128), join(cluster.folder, 'zookeeper.log')).start();
}

async function untilWhole(servers: readonly Broker[], metadata: () => Promise<Metadata>): Promise<Metadata> {
  const endsAt = performance.now() + startTimeLimitMs;
  for (;;) {
    const collapsed = servers.map((one: Server) => one.collapse()).find((why) => why !== null);
    if (collapsed !== undefined) throw new Error(collapsed);
    const running = servers.filter((broker) => broker.pid() !== null).map(({ id }) => id);
    const seen = await metadata().catch((error: unknown) => String(error));
    if (typeof seen !== 'string' && isWhole(seen, running)) return seen;
    if (performance.now() > endsAt) {
      const logs = servers.map(({ id, log }) => `broker ${id}:\n${log()}`).join('\n');
      throw new Error(`not whole within ${startTimeLimitMs} ms; Metadata: ${JSON.stringify(seen)}\n${logs}`);
    }
    await sleep(100);
  }
}
