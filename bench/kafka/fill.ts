import { Random } from '../../src/sim/random.ts';
import type { Cluster } from '../../test/integration/kafka/lab/cluster.ts';
import { produce, type TextRecord } from '../../test/integration/kafka/lab/kcat.ts';
import { createTopic } from '../../test/integration/kafka/lab/tools.ts';
import type { Row } from './rows.ts';

/** What a broker takes at most as one batch, where that is wanted: the largest stored batch is smaller. */
export const topicConfigs = { 'max.message.bytes': String(4 * 1024 * 1024), 'file.delete.delay.ms': '1000' } as const;

/**
 * Makes the topic and has kcat fill it, a partition after the other, with about as many bytes of records: librdkafka closes a batch at a
 * number of records, so that all but a partition's last one are alike. Answers with the bytes that the records have.
 */
export async function fill(source: Cluster, row: Row, topic: string, bytes: number, seed: number): Promise<number> {
  await createTopic(source, topic, { partitions: row.partitions, configs: topicConfigs });
  const random = new Random(seed).fork(row.name);
  const pool = poolOf(random, row.recordBytes, Math.min(bytes, poolBytes));
  const perPartition = Math.round(bytes / row.partitions / row.recordBytes);
  const batchRecords = batchRecordsOf(row);
  for (let partition = 0; partition < row.partitions; partition++)
    for (let done = 0; done < perPartition; ) {
      const count = Math.min(
        perPartition - done,
        batchRecords * Math.ceil(100_000_000 / row.recordBytes / batchRecords),
      );
      const records = takeFrom(pool, partition * perPartition + done, count);
      const properties = {
        'batch.num.messages': String(batchRecords),
        'batch.size': String(8 * 1024 * 1024),
        'message.max.bytes': String(8 * 1024 * 1024),
        'linger.ms': '1000',
        'queue.buffering.max.messages': '4000000',
        'queue.buffering.max.kbytes': '1000000',
      };
      await produce(source, topic, records, { partition, codec: row.codec, idempotent: true, properties });
      done += count;
    }
  return perPartition * row.partitions * row.recordBytes;
}

/** Records that no compressor has seen a moment ago: its window is far smaller. */
const poolBytes = 32 * 1024 * 1024;

function takeFrom(pool: readonly TextRecord[], first: number, count: number): TextRecord[] {
  return Array.from({ length: count }, (_, index) => pool[(first + index) % pool.length] ?? { key: null, value: null });
}

/** By how much these records are compressed, by the size of the batch; measured, and the size that came of it is printed. */
function batchRecordsOf({ codec, storedKib, recordBytes }: Row): number {
  const ratio = codec === 'none' ? 1 : codec === 'lz4' ? 2 : 3.3;
  return Math.max(1, Math.floor((storedKib * 1024 * ratio) / (recordBytes + 10)));
}

function poolOf(random: Random, recordBytes: number, bytes: number): TextRecord[] {
  const words = Array.from({ length: 300 }, () => hex(random, random.integer(3, 9)));
  return Array.from({ length: Math.ceil(bytes / recordBytes) }, () => ({
    key: null,
    value: recordOf(random, words, recordBytes),
  }));
}

/** Like an event: names that all have, some that no other has, and words of which some are frequent. */
function recordOf(random: Random, words: readonly string[], bytes: number): string {
  let text = `{"id":"${hex(random, Math.min(32, bytes / 8))}","user":${random.integer(1, 1_000_000)},"event":"`;
  while (text.length < bytes) {
    const word = words[Math.floor(words.length * random.unit() ** 3)] ?? '';
    text += random.chance(0.05) ? ` ${hex(random, 6)}` : ` ${word}`;
  }
  return `${text.slice(0, bytes - 2)}"}`;
}

function hex(random: Random, digits: number): string {
  let text = '';
  while (text.length < digits) text += '0123456789abcdef'[random.integer(0, 15)];
  return text;
}
