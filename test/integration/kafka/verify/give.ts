import { type Codec, codecNames } from '../../../../src/io/kafka/bytes/codecs.ts';
import { batchOf, type PlainRecord } from '../../../../src/io/kafka/bytes/encode-batch.ts';
import { connectBroker } from '../../../../src/io/kafka/connection.ts';
import { wholeOf } from '../../../../src/io/kafka/messages/byte-range.ts';
import { codeOf, errorName, noError } from '../../../../src/io/kafka/messages/error-codes.ts';
import { produceApi } from '../../../../src/io/kafka/messages/produce.ts';
import type { Cluster } from '../lab/cluster.ts';

export type Given = {
  readonly key: string | null;
  readonly value: string | null;
  readonly timeMs: number;
  /** Without them: one header, with the key. */
  readonly headers?: readonly [];
};

/** kcat gives every record the time of now; these have the time that they are given. */
export async function give(
  cluster: Cluster,
  at: { readonly topic: string; readonly partition: number },
  records: readonly Given[],
  { codec = 'none', batchRecords = 100 }: { readonly codec?: Codec; readonly batchRecords?: number } = {},
): Promise<void> {
  const [host = '', port = ''] = cluster.bootstrap().split(':');
  const settings = { host, port: Number(port), tls: null, sasl: null, clientId: 'give', clientVersion: '1' };
  const limits = { connectDeadlineMs: 10_000, requestDeadlineMs: 30_000 };
  const connection = await connectBroker(
    { ...settings, ...limits, responseBytesMax: 1024 * 1024, unsentBytesMax: 64 * 1024 * 1024 },
    new AbortController().signal,
  );
  try {
    const appender = { producerId: -1n, producerEpoch: -1, baseSequence: -1 };
    for (let from = 0; from < records.length; from += batchRecords) {
      const plain = records.slice(from, from + batchRecords).map(plainOf);
      const batch = { partition: at.partition, records: wholeOf(batchOf(plain, codec, appender)) };
      const topics = [{ topic: at.topic, partitions: [batch] }];
      const question = { transactionalId: null, acks: 'all', timeoutMs: 30_000, topics } as const;
      const append = async () => {
        const response = await connection.call(produceApi, question);
        return response.topics[0]?.partitions[0]?.errorCode ?? -1;
      };
      let code = await append();
      // Metadata names a leader a moment before it takes anything.
      while (code === codeOf('NOT_LEADER_OR_FOLLOWER')) code = await append();
      if (code !== noError) throw new Error(`${at.topic}-${at.partition}: ${errorName(code)}`);
    }
  } finally {
    await connection.close();
  }
}

export function someRecords(count: number, first = 0): Given[] {
  return Array.from({ length: count }, (_, index) => {
    const number = first + index;
    const value = number % 11 === 5 ? null : `${number}: ${'value '.repeat(number % 30)}`;
    return { key: number % 7 === 3 ? null : `key-${number % 7}`, value, timeMs: 1_700_000_000_000 + number };
  });
}

export const everyCodec: readonly Codec[] = codecNames;

function plainOf({ key, value, timeMs, headers }: Given): PlainRecord {
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text, 'utf8'));
  const ofKey = [{ key: Buffer.from('of'), value: bytes(key) }];
  return { key: bytes(key), value: bytes(value), headers: headers ?? ofKey, timestamp: timeMs };
}
