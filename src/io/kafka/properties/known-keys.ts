/** Keys that decide who is reached and how; `client-properties.ts` reads them. */
export const takenKeys = [
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.certificates',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.key.password',
  'ssl.endpoint.identification.algorithm',
  'client.id',
] as const;
export type TakenKey = (typeof takenKeys)[number];

export function isTaken(key: string): key is TakenKey {
  return takenKeys.some((taken) => taken === key);
}

/** Keys that would change who is trusted or let in if they were passed over, and what to do instead. */
export const refusedKeys: ReadonlyMap<string, string> = new Map([
  ...each(
    ['ssl.cipher.suites', 'ssl.enabled.protocols', 'ssl.protocol'],
    'Drover takes TLS 1.2 and 1.3 as Node has them: remove it',
  ),
  ...each(
    [
      'ssl.provider',
      'ssl.engine.factory.class',
      'ssl.trustmanager.algorithm',
      'ssl.keymanager.algorithm',
      'ssl.secure.random.implementation',
      'security.providers',
    ],
    'it names code of Java, which is not run here: remove it',
  ),
  ...each(
    ['sasl.client.callback.handler.class', 'sasl.login.callback.handler.class', 'sasl.login.class'],
    'it names code of Java, which is not run here: name user and password in sasl.jaas.config',
  ),
  ...each(
    ['config.providers'],
    'values of providers are not looked up here: write a file that has them, readable by you alone',
  ),
]);

/** Clients and tools have them; for what is read here they mean nothing. */
export function isOfNoEffect(key: string): boolean {
  return noEffect.has(key) || noEffectPrefixes.some((prefix) => key.startsWith(prefix));
}

/** Settings of mechanisms that are refused anyway, and of providers whose own key is. */
const noEffectPrefixes = [
  'sasl.kerberos.',
  'sasl.login.refresh.',
  'sasl.login.retry.',
  'sasl.oauthbearer.',
  'config.providers.',
  'confluent.',
  'metrics.',
];

const noEffect: ReadonlySet<string> = new Set(
  `acks allow.auto.create.topics auto.commit.interval.ms auto.include.jmx.reporter auto.offset.reset batch.size bootstrap.controllers
  bootstrap.servers buffer.memory check.crcs client.dns.lookup client.rack compression.gzip.level compression.lz4.level compression.type
  compression.zstd.level connections.max.idle.ms default.api.timeout.ms default.key.serde default.value.serde delivery.timeout.ms
  enable.auto.commit enable.idempotence enable.metrics.push exclude.internal.topics fetch.max.bytes fetch.max.wait.ms fetch.min.bytes
  group.id group.instance.id group.protocol group.remote.assignor heartbeat.interval.ms interceptor.classes
  isolation.level key.deserializer key.serializer linger.ms max.block.ms max.in.flight.requests.per.connection max.partition.fetch.bytes
  max.poll.interval.ms max.poll.records max.request.size metadata.max.age.ms metadata.max.idle.ms metadata.recovery.rebootstrap.trigger.ms
  metadata.recovery.strategy metric.reporters partition.assignment.strategy partitioner.adaptive.partitioning.enable
  partitioner.availability.timeout.ms partitioner.class partitioner.ignore.keys receive.buffer.bytes reconnect.backoff.max.ms
  reconnect.backoff.ms request.timeout.ms retries retry.backoff.max.ms retry.backoff.ms sasl.login.connect.timeout.ms
  sasl.login.read.timeout.ms send.buffer.bytes session.timeout.ms socket.connection.setup.timeout.max.ms
  socket.connection.setup.timeout.ms transaction.timeout.ms transaction.two.phase.commit.enable transactional.id
  value.deserializer value.serializer`.split(/\s+/),
);

function each(keys: readonly string[], remedy: string): [string, string][] {
  return keys.map((key) => [key, remedy]);
}
