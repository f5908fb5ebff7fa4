import { readFileSync } from 'node:fs';
import type { Codec } from '../../../src/io/kafka/bytes/codecs.ts';
import { encodedBody, type RecordSeen, recordDigest } from '../../../src/io/kafka/bytes/records.ts';

export type GoldenRecord = {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [key: string, value: string | null])[];
};

/** What Kafka's own reader says. Of messages before v2 it knows no base offset and no fields of producers. */
export type GoldenBatch = {
  readonly magic: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly bytes: number;
  readonly codec: Codec;
  readonly appendTime: boolean;
  readonly maxTimestamp: number;
  readonly records: readonly GoldenRecord[];
  readonly crc?: number;
  readonly baseTimestamp?: number;
  readonly count?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly leaderEpoch?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly deleteHorizon?: boolean;
};

export type Golden = { readonly name: string; readonly bytes: Buffer; readonly batches: readonly GoldenBatch[] };

export const golden: readonly Golden[] = readFileSync(new URL('./golden.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const { name, hex, batches } = JSON.parse(line);
    return { name, bytes: Buffer.from(hex, 'hex'), batches };
  });

export const goldenV2 = golden.filter(({ name }) => name.startsWith('v2-'));
export const goldenLegacy = golden.filter(({ name }) => /^v[01]-/.test(name));

/** A fresh copy of the bytes, as tests change them. */
export function goldenBytes(name: string): Buffer {
  const found = golden.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no golden bytes called ${name}`);
  return Buffer.from(found.bytes);
}

/** What our own readers have to say of records that Kafka's reader found, with times of creation or with one of append. */
export function seenOf(records: readonly GoldenRecord[]): RecordSeen[] {
  return records.map(({ offset, timestamp, key, value, headers }) => ({
    offset,
    digest: recordDigest(
      BigInt(timestamp),
      encodedBody({
        key: fromHex(key),
        value: fromHex(value),
        headers: headers.map((header) => ({ key: Buffer.from(header[0], 'hex'), value: fromHex(header[1]) })),
      }),
    ),
  }));
}

function fromHex(hex: string | null): Buffer | null {
  return hex === null ? null : Buffer.from(hex, 'hex');
}
