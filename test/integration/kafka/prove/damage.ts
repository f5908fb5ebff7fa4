import { cp, glob, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { batchEnd, batchesIn, checkedFrom } from '../../../../src/io/kafka/bytes/batch.ts';
import { crc32c } from '../../../../src/io/kafka/bytes/crc32c.ts';
import { batchOf } from '../../../../src/io/kafka/bytes/encode-batch.ts';
import { producerIdOf } from '../../../../src/io/kafka/child/ledger-place.ts';
import { connectBroker } from '../../../../src/io/kafka/connection.ts';
import type { LedgerKey } from '../../../../src/io/kafka/ledger/segment.ts';
import { wholeOf } from '../../../../src/io/kafka/messages/byte-range.ts';
import { produceApi } from '../../../../src/io/kafka/messages/produce.ts';
import type { Cluster } from '../lab/cluster.ts';

/** One bit of the last byte of a batch on a broker's disk. `checksum made to fit`: as if somebody had written other records. */
export async function changeOnDisk(
  cluster: Cluster,
  topic: string,
  batch: number,
  how: 'checksum left' | 'checksum made to fit',
): Promise<void> {
  const { data } = cluster.broker(1);
  for await (const name of glob(`${topic}-0/*.log`, { cwd: data })) {
    const path = join(data, name);
    const bytes = await readFile(path);
    const at = batchesIn(bytes, 0, bytes.length).at[batch];
    if (at === undefined) throw new Error(`${name} has no batch ${batch}`);
    const end = batchEnd(bytes, at);
    bytes[end - 1] = (bytes[end - 1] ?? 0) ^ 1;
    if (how === 'checksum made to fit') bytes.writeUInt32BE(crc32c(bytes, at + checkedFrom, end), at + 17);
    const file = await open(path, 'r+');
    await file.write(bytes, at, end - at, at);
    await file.close();
  }
}

/** A batch with the producer id of the copy itself, as a request of it would be that arrives late. */
export async function appendAsTheCopy(cluster: Cluster, topic: string, key: LedgerKey): Promise<void> {
  const [host = '', port = ''] = cluster.bootstrap().split(':');
  const settings = { host, port: Number(port), tls: null, sasl: null, clientId: 'late', clientVersion: '1' };
  const limits = { connectDeadlineMs: 10_000, requestDeadlineMs: 30_000, responseBytesMax: 1e6, unsentBytesMax: 1e6 };
  const connection = await connectBroker({ ...settings, ...limits }, new AbortController().signal);
  const appender = { producerId: producerIdOf(key), producerEpoch: 100, baseSequence: 0 };
  const records = wholeOf(
    batchOf([{ key: null, value: Buffer.from('late'), timestamp: 1, headers: [] }], 'none', appender),
  );
  const topics = [{ topic, partitions: [{ partition: 0, records }] }];
  try {
    const response = await connection.call(produceApi, {
      transactionalId: null,
      acks: 'all',
      timeoutMs: 10_000,
      topics,
    });
    const code = response.topics[0]?.partitions[0]?.errorCode;
    if (code !== 0) throw new Error(`error ${code}`);
  } finally {
    await connection.close();
  }
}

/** The state directory once more, in which the ledger of this partition has lost the entries behind this share of its bytes. */
export async function withCutLedger(stateDirectory: string, to: string, topic: string, share: number): Promise<string> {
  await cp(stateDirectory, to, { recursive: true });
  const folder = (await readdir(join(to, 'copies'))).find((name) => name.startsWith(`${topic}.`)) ?? '';
  const [segment = ''] = await readdir(join(to, 'copies', folder, '0'));
  const path = join(to, 'copies', folder, '0', segment);
  const bytes = await readFile(path);
  const head = bytes.indexOf(0x0a) + 1;
  await writeFile(path, bytes.subarray(0, head + Math.floor((bytes.length - head) * share)));
  return join(to, 'journal.db');
}
