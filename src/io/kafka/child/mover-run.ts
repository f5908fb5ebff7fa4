import { mkdirSync } from 'node:fs';
import type { FinderSettings } from '../broker-finder.ts';
import type { AssignedPartition, Beginning, ClusterAccess } from '../channel/messages.ts';
import type { MoverRun } from '../channel/movers-end.ts';
import { KafkaCluster } from '../kafka-cluster.ts';
import { PartitionLedger } from '../ledger/partition-ledger.ts';
import { SegmentFolder } from '../ledger/segment-folder.ts';
import { describeConfigs, resourceType } from '../messages/describe-configs.ts';
import type { MoverEvent } from '../mover/events.ts';
import { MovedPartition } from '../mover/moved-partition.ts';
import { Mover } from '../mover/mover.ts';
import type { MoverClock } from '../mover/ports.ts';
import type { MoverSettings } from '../mover/settings.ts';
import { figuresOf, keep, type Moved } from './figures.ts';
import { IdentifiedCluster } from './identified-cluster.ts';
import { ledgerFolder, producerIdOf } from './ledger-place.ts';

/**
 * `wasSettled`: nothing of the mover before this one can still be performed. `sendBeforeMs`: by performance.now. `tell` is called when the figures have something that has to be known before anything follows
 * from it. Everything that it opens is closed when it has ended.
 */
export async function startMover(
  beginning: Beginning,
  wasSettled: boolean,
  sendBeforeMs: () => number,
  tell: () => void,
): Promise<MoverRun> {
  const { version, isHeld, rate } = beginning;
  const clusterOf = (side: 'source' | 'target') => new KafkaCluster(settingsOf(side, beginning[side], version));
  const [source, target] = [clusterOf('source'), clusterOf('target')];
  const window = { inFlightMax: 5, expirationMs: await producerExpirationMs(target) };
  const { partitionsPerBroker } = beginning;
  const settings: MoverSettings = { ...moverSettings, window, rate, partitionsPerBroker, sendBeforeMs };
  const moved = beginning.partitions.map((one) => openPartition(beginning.ledgers, one, settings));
  // What it had sent may still come, as what this one gives up may.
  if (!wasSettled) for (const { partition } of moved) partition.takeOver(clock.monotonic());
  const heard = (event: MoverEvent) => {
    const own = moved.find(
      ({ partition: { plan } }) => plan.topic === event.topic && plan.partition === event.partition,
    );
    if (own !== undefined && keep(own, event)) tell();
  };
  const { partitions } = beginning;
  const idsOf = (side: 'sourceTopicId' | 'targetTopicId') =>
    new Map(partitions.map(({ topic, key }) => [topic, key[side]]));
  const onStranger = (side: string) => (topic: string, topicId: string) => {
    const why = `the topic was deleted on the ${side} and made anew (its id is ${topicId} now): nothing of it is copied`;
    for (const { partition } of moved) if (partition.plan.topic === topic) mover.stopped.set(partition, why);
  };
  const identified = new IdentifiedCluster(target, idsOf('targetTopicId'), onStranger('target'));
  const followed = new IdentifiedCluster(source, idsOf('sourceTopicId'), onStranger('source'));
  const mover: Mover = new Mover(
    {
      source: followed,
      ...{ target: identified, clock, settings, tell: heard },
    },
    moved.map(({ partition }) => partition),
  );
  let held = isHeld;
  let settled = isHeld;
  if (isHeld) await mover.hold();
  // A target is asked who leads only after a doubt: without this a topic made anew would be noticed by what lands in it.
  const names = [...new Set(partitions.map(({ topic }) => topic))];
  const looking = setInterval(() => void identified.leaders(names).catch(() => undefined), lookMs);
  const ended = mover.run().finally(async () => {
    clearInterval(looking);
    for (const { ledger } of moved) ledger.close();
    await Promise.all([source.close(), target.close()]);
  });
  return {
    ended,
    get isSettled() {
      return moved.every(({ partition }) => partition.givenUpMs === null);
    },
    figures: () => ({ ...figuresOf(mover, moved, settled, clock.now()), sourcePartitions: followed.partitions }),
    async hold() {
      held = true;
      await mover.hold();
      settled = held;
    },
    goOn() {
      held = false;
      settled = false;
      mover.resume();
    },
    changeRate: (perSecond) => mover.changeRate(perSecond),
    stop: () => mover.stop(),
  };
}

function openPartition(ledgers: string, assigned: AssignedPartition, settings: MoverSettings): Moved {
  const { topic, key, begin, end } = assigned;
  const folder = ledgerFolder(ledgers, topic, key);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ledger = new PartitionLedger(new SegmentFolder(folder), key, begin);
  const plan = {
    topic,
    partition: key.partition,
    targetTopic: topic,
    producerId: producerIdOf(key),
    start: begin,
    end,
  };
  const partition = new MovedPartition(plan, ledger, settings.window, settings.recordBytesMax);
  return { partition, ledger, unproven: [], lost: [] };
}

/**
 * How long a broker of the target remembers a producer that has written nothing. Where it does not tell: not at all, so that there is never
 * more than one request in flight.
 */
async function producerExpirationMs(cluster: KafkaCluster): Promise<number> {
  const { brokers } = await cluster.describe([]);
  const [first] = brokers;
  if (first === undefined) return 0;
  const broker = await cluster.connect(first.nodeId);
  try {
    const keys = ['producer.id.expiration.ms', 'transactional.id.expiration.ms'];
    const resources = [{ type: resourceType.broker, name: String(first.nodeId), keys }];
    const { resources: answers } = await broker.call(describeConfigs, { resources });
    const told = (key: string) => answers[0]?.configs.find(({ name }) => name === key)?.value ?? null;
    // Before 3.4 the one for transactions held for all producers.
    const value = told('producer.id.expiration.ms') ?? told('transactional.id.expiration.ms');
    return value === null ? 0 : Number(value);
  } finally {
    await broker.close();
  }
}

function settingsOf(side: string, access: ClusterAccess, version: string): FinderSettings {
  const { bootstrap, tls, checksNames, sasl, clientId } = access;
  const unchecked = checksNames ? {} : { checkServerIdentity: () => undefined };
  return {
    side,
    bootstrap,
    tls: tls === null ? null : { ...tls, ...unchecked },
    sasl,
    clientId: clientId ?? 'drover-copy',
    clientVersion: version,
    connectDeadlineMs: 10_000,
    requestDeadlineMs,
    responseBytesMax: 256 * mebibyte,
    unsentBytesMax: 16 * mebibyte,
  };
}

const mebibyte = 1024 * 1024;

const requestDeadlineMs = 30_000;
const lookMs = 2000;

export const moverSettings = {
  lateMsMax: requestDeadlineMs,
  refusedMsMax: 10_000,
  connectionsPerBroker: 2,
  requestsPerConnection: 5,
  requestBytesMax: 4 * mebibyte,
  fetchBytesMax: 8 * mebibyte,
  heldBytesMax: 64 * mebibyte,
  partitionBytesMax: 2 * mebibyte,
  recordBytesMax: 64 * mebibyte,
};

const clock: MoverClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal?.addEventListener('abort', done, { once: true });
    });
  },
};
