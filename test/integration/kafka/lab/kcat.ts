import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchKcat } from '../../../../scripts/fetch/kcat.ts';
import { librdkafkaProperties } from './clients.ts';
import type { Cluster } from './cluster.ts';
import { type Listener, type Mechanism, usesSasl } from './listeners.ts';
import { type Program, type Running, run, start } from './running.ts';
import type { Properties } from './settings.ts';

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
export const codecs: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

/** Text without the two characters that kcat is given as delimiters, U+001E and U+001F. */
export type TextRecord = { readonly key: string | null; readonly value: string | null };

export type Reach = { readonly listener?: Listener; readonly mechanism?: Mechanism; readonly timeLimitMs?: number };

export type ProduceOptions = Reach & {
  readonly partition?: number;
  readonly codec?: Codec;
  readonly idempotent?: boolean;
  /** Of every record. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** More settings of librdkafka: `batch.num.messages`, `message.max.bytes`. */
  readonly properties?: Properties;
};

const [endOfRecord, endOfKey] = ['\u001e', '\u001f'];

/**
 * Returns when the brokers have acknowledged all of it (acks=all). kcat gives up when it has lost every connection that it had:
 * through a connection that breaks, produceVerifiably is the one to use.
 */
export async function produce(
  cluster: Cluster,
  topic: string,
  records: readonly TextRecord[],
  options: ProduceOptions = {},
): Promise<void> {
  const program = await producer(cluster, topic, records, options);
  await run(program, { timeLimitMs: options.timeLimitMs ?? 120_000, input: textOf(records) });
}

export type OpenTransaction = {
  commit(): Promise<void>;
  /** kill -9: it stays open until the coordinator's time-out for it. */
  abandon(): Promise<void>;
};

export type TransactionOptions = ProduceOptions & {
  /** `transactional.id`. */
  readonly id: string;
  /** After which the coordinator aborts it by itself. */
  readonly timeoutMs?: number;
  readonly partition: number;
};

/** Produces records in a transaction that stays open. Returns once the broker has all of them. */
export async function openTransaction(
  cluster: Cluster,
  topic: string,
  records: readonly TextRecord[],
  { id, timeoutMs = 600_000, ...options }: TransactionOptions,
): Promise<OpenTransaction> {
  const properties = {
    'transactional.id': id,
    'transaction.timeout.ms': String(timeoutMs),
    // A delivery may not take longer than its transaction.
    'message.timeout.ms': String(Math.min(timeoutMs, 60_000)),
    ...options.properties,
  };
  const end = () => endOffset(cluster, topic, options.partition, 'high watermark');
  const wanted = (await end()) + records.length;
  const running = start(await producer(cluster, topic, records, { ...options, idempotent: true, properties }), {
    timeLimitMs: timeoutMs + 60_000,
  });
  // kcat reads in blocks, of which the last would wait for more: records of length 0 fill it, and are passed over.
  running.stdin.write(textOf(records) + endOfRecord.repeat(64 * 1024));
  await until(async () => (await end()) >= wanted, running);
  return {
    commit: async () => {
      running.stdin.end();
      await running.ended;
    },
    abandon: async () => {
      running.signal('SIGKILL');
      await running.ended.catch(() => {});
    },
  };
}

export type ConsumeOptions = Reach & {
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** Of the first record; without it the log start. */
  readonly offset?: number;
};

export type ConsumedRecord = TextRecord & {
  readonly offset: number;
  readonly timestampMs: number;
  readonly timestampType: 'create' | 'logappend';
  readonly headers: readonly (readonly [name: string, value: string])[];
};

/** Everything that is in a partition now, checked by librdkafka (`check.crcs`). */
export async function consume(
  cluster: Cluster,
  topic: string,
  partition: number,
  options: ConsumeOptions = {},
): Promise<ConsumedRecord[]> {
  const program = await consumer(cluster, topic, partition, options, ['-J']);
  const { stdout } = await run(program, { timeLimitMs: options.timeLimitMs ?? 120_000 });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => recordOf(JSON.parse(line)));
}

export type Digest = { readonly md5: string; readonly records: number };

/**
 * MD5 of the time, key, headers and value of every record of a partition, in order; null and empty differ, offsets do not
 * count. `records` counts the occurrences of U+001E, which the digested text has at the end of each.
 */
export async function digest(
  cluster: Cluster,
  topic: string,
  partition: number,
  options: ConsumeOptions = {},
): Promise<Digest> {
  const format = `%T|%K|%k|%h|%S|%s${endOfRecord}`;
  const program = await consumer(cluster, topic, partition, options, ['-f', format]);
  const hash = createHash('md5');
  let records = 0;
  await run(program, {
    timeLimitMs: options.timeLimitMs ?? 300_000,
    onOutput: (chunk) => {
      hash.update(chunk);
      for (const byte of chunk) if (byte === 0x1e) records++;
    },
  });
  return { md5: hash.digest('hex'), records };
}

/** The next offset of a partition, or the first unstable one, or the first that is there. */
export async function endOffset(
  cluster: Cluster,
  topic: string,
  partition: number,
  which: 'high watermark' | 'last stable' | 'log start' = 'high watermark',
): Promise<number> {
  const isolation = which === 'last stable' ? 'read_committed' : 'read_uncommitted';
  const query = ['-Q', '-t', `${topic}:${partition}:${which === 'log start' ? -2 : -1}`];
  const program = await kcat(cluster, query, { properties: { 'isolation.level': isolation } });
  const { stdout } = await run(program, { timeLimitMs: 30_000 });
  const offset = /offset (\d+)$/m.exec(stdout)?.[1];
  if (offset === undefined) throw new Error(`kcat ${query.join(' ')} told no offset: ${stdout}`);
  return Number(offset);
}

function producer(
  cluster: Cluster,
  topic: string,
  records: readonly TextRecord[],
  options: ProduceOptions,
): Promise<Program> {
  const { partition = -1, codec = 'none', idempotent = false, headers = [], properties = {} } = options;
  const texts = records.flatMap(({ key, value }) => [key, value]);
  const hasNull = texts.includes(null);
  if (hasNull && texts.includes(''))
    throw new Error('kcat takes every empty text of one run for null, or none: produce them apart');
  if (texts.some((text) => text?.includes(endOfRecord) || text?.includes(endOfKey)))
    throw new Error('U+001E and U+001F are the delimiters here, and cannot be in a key or value');
  return kcat(
    cluster,
    [
      ...['-P', '-t', topic, '-p', String(partition), '-K', endOfKey, '-D', endOfRecord, '-z', codec],
      ...(hasNull ? ['-Z'] : []),
      ...headers.flatMap(([name, value]) => ['-H', `${name}=${value}`]),
    ],
    { ...options, properties: { acks: 'all', 'enable.idempotence': String(idempotent), ...properties } },
  );
}

function consumer(
  cluster: Cluster,
  topic: string,
  partition: number,
  { isolation = 'read_committed', offset, ...reach }: ConsumeOptions,
  output: readonly string[],
): Promise<Program> {
  const from = [
    '-C',
    '-q',
    '-e',
    '-t',
    topic,
    '-p',
    String(partition),
    '-o',
    offset === undefined ? 'beginning' : String(offset),
  ];
  const properties = { 'isolation.level': isolation, 'check.crcs': 'true', 'fetch.message.max.bytes': '8388608' };
  return kcat(cluster, [...from, ...output], { ...reach, properties });
}

async function kcat(
  cluster: Cluster,
  args: readonly string[],
  { listener = 'direct', mechanism = 'PLAIN', properties = {} }: Reach & { readonly properties?: Properties },
): Promise<Program> {
  if (usesSasl(listener) && mechanism !== 'PLAIN' && cluster.version.startsWith('4.'))
    throw new Error(
      `Kafka 4 refuses ${mechanism} from librdkafka before 2.6.1, which repeats its nonce: take PLAIN, or a tool in Java`,
    );
  const security = librdkafkaProperties(listener, cluster.certificates, mechanism);
  const settings = Object.entries({ ...security, ...properties }).flatMap(([name, value]) => [
    '-X',
    `${name}=${value}`,
  ]);
  const { environment } = cluster;
  return {
    name: 'kcat',
    path: await fetchKcat(),
    args: ['-b', cluster.bootstrap(listener), ...settings, ...args],
    environment,
  };
}

/** kcat passes over a record of length 0, and takes a missing delimiter of the key for no key: it is always there. */
function textOf(records: readonly TextRecord[]): string {
  return records.map(({ key, value }) => `${key ?? ''}${endOfKey}${value ?? ''}${endOfRecord}`).join('');
}

type Json = {
  readonly offset: number;
  readonly ts: number;
  readonly tstype: 'create' | 'logappend';
  readonly headers?: readonly string[];
  readonly key: string | null;
  readonly payload: string | null;
};

function recordOf({ offset, ts, tstype, headers = [], key, payload }: Json): ConsumedRecord {
  const names = headers.filter((_, at) => at % 2 === 0);
  const pairs = names.map((name, at) => [name, headers[2 * at + 1] ?? ''] as const);
  return { offset, timestampMs: ts, timestampType: tstype, headers: pairs, key, value: payload };
}

async function until(condition: () => Promise<boolean>, running: Running): Promise<void> {
  let ended = false;
  running.ended.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  while (!(await condition())) {
    // Rejects with what it said.
    if (ended) throw new Error(`kcat has ended before its records were there: ${(await running.ended).stderr}`);
    await sleep(50);
  }
}
