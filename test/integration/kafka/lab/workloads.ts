import type { Cluster } from './cluster.ts';
import { tool } from './java.ts';
import type { Reach } from './kcat.ts';
import { run } from './running.ts';
import type { Properties } from './settings.ts';

export type VerifiableOptions = Reach & {
  readonly records: number;
  /** Records for each second; without it as fast as it goes. */
  readonly perSecond?: number;
  /** Of the first record, in milliseconds since 1970; later ones follow as they are sent. Without it: now. */
  readonly createdAtMs?: number;
};

/**
 * Kafka's VerifiableProducer: the values 0, 1, 2, … with acks=all, idempotent, over all partitions. Resolves when all are
 * acknowledged.
 */
export async function produceVerifiably(cluster: Cluster, topic: string, options: VerifiableOptions): Promise<void> {
  const { records, perSecond, createdAtMs, timeLimitMs = 120_000 } = options;
  const args = [
    ...(await reach(cluster, options, '--producer.config', patience)),
    ...['--topic', topic, '--acks', '-1', '--max-messages', String(records)],
    ...(perSecond === undefined ? [] : ['--throughput', String(perSecond)]),
    ...(createdAtMs === undefined ? [] : ['--message-create-time', String(createdAtMs)]),
  ];
  const { stdout } = await run(tool(cluster, 'org.apache.kafka.tools.VerifiableProducer', args), { timeLimitMs });
  const acknowledged = stdout.split('"name":"producer_send_success"').length - 1;
  if (acknowledged !== records) throw new Error(`VerifiableProducer: ${acknowledged} of ${records} were acknowledged`);
}

/** Values that VerifiableConsumer reads, as many as `records`, partition by partition as it gets them. */
export async function consumeVerifiably(
  cluster: Cluster,
  topic: string,
  { records, group, timeLimitMs = 120_000, ...options }: Reach & { readonly records: number; readonly group: string },
): Promise<string[]> {
  const args = [
    ...(await reach(cluster, options, '--consumer.config')),
    ...['--topic', topic, '--group-id', group],
    ...['--max-messages', String(records), '--reset-policy', 'earliest', '--verbose'],
  ];
  const { stdout } = await run(tool(cluster, 'org.apache.kafka.tools.VerifiableConsumer', args), { timeLimitMs });
  return stdout.split('\n').flatMap((line) => /"name":"record_data".*"value":"(.*?)"/.exec(line)?.[1] ?? []);
}

export type CopierOptions = {
  readonly from: string;
  readonly partition: number;
  readonly to: string;
  /** At most this many records are copied; of fewer, all. */
  readonly records: number;
  readonly transactionSize: number;
  /** Aborts some of its transactions, drawn by itself, and copies their records again. */
  readonly aborts: boolean;
  /** Also names the group and the transactional id. */
  readonly name: string;
  readonly timeLimitMs?: number;
};

export type Copied = { readonly records: number };

/** Kafka's TransactionalMessageCopier: consumes, produces and commits in transactions, to the end of what is there now. */
export async function copyInTransactions(cluster: Cluster, options: CopierOptions): Promise<Copied> {
  const { from, partition, to, records, transactionSize, aborts, name, timeLimitMs = 180_000 } = options;
  const args = [
    ...['--broker-list', cluster.bootstrap(), '--input-topic', from, '--input-partition', String(partition)],
    ...['--output-topic', to, '--max-messages', String(records), '--transaction-size', String(transactionSize)],
    ...['--transactional-id', `${name}-id`, '--consumer-group', `${name}-group`],
    ...(aborts ? ['--enable-random-aborts'] : []),
  ];
  const { stdout } = await run(tool(cluster, 'org.apache.kafka.tools.TransactionalMessageCopier', args), {
    timeLimitMs,
  });
  const last = stdout.split('\n').findLast((line) => /shutdown_?complete/i.test(line)) ?? '';
  const consumed = /"totalProcessed":"?(\d+)/.exec(last)?.[1];
  if (consumed === undefined) throw new Error(`TransactionalMessageCopier told no end: ${stdout.slice(-1000)}`);
  return { records: Number(consumed) };
}

/** Left alone, VerifiableProducer sends each record once and goes on when that fails. */
const patience: Properties = { retries: '2147483647', 'enable.idempotence': 'true' };

/** `--command-config` is the word of 4.x, where the older one still holds. */
async function reach(
  cluster: Cluster,
  { listener = 'direct', mechanism }: Reach,
  option: string,
  more: Properties = {},
): Promise<string[]> {
  const file = await cluster.clientConfig(listener, mechanism, more);
  return ['--bootstrap-server', cluster.bootstrap(listener), option, file];
}
