import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fetchApi } from '../../../src/io/kafka/messages/fetch.ts';
import { readRequestHeader, readResponse } from '../../../src/io/kafka/messages/frames.ts';
import { WireReader } from '../../../src/io/kafka/messages/wire-reader.ts';
import { goldenSamples } from './golden-values.ts';
import { plain, sampleClientId, sampleCorrelationId } from './sample.ts';

const golden = readFileSync(new URL('golden/kafka-4.3.1.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [name = '', direction = '', version = '', hex = ''] = line.split(' ');
    return { name, direction, version: Number(version), bytes: Buffer.from(hex, 'hex') };
  });

const ours = golden.flatMap((line) =>
  goldenSamples
    .filter(({ name, direction }) => name === line.name && direction === line.direction)
    .map((sample) => ({ ...line, sample, label: `${line.name} ${line.direction} v${line.version}` })),
);

describe('what Kafka itself writes', () => {
  test.each(ours)('$label is read', ({ sample, version, bytes }) => {
    expect(plain(sample.decode(version, bytes))).toEqual(plain(sample.value(version)));
  });

  test.each(ours)('$label is written byte for byte', ({ sample, version, bytes }) => {
    expect(Buffer.from(sample.encode(version)).toString('hex')).toBe(bytes.toString('hex'));
  });

  test('is there for every version of every message, both ways', () => {
    const lines = new Set(golden.map(({ name, direction, version }) => `${name} ${direction} ${version}`));
    const spoken = goldenSamples
      .filter(({ name }) => !name.includes('-'))
      .flatMap(({ name, direction, oldest, newest }) =>
        Array.from({ length: newest - oldest + 1 }, (_, index) => `${name} ${direction} ${oldest + index}`),
      );
    expect(spoken.filter((line) => !lines.has(line))).toEqual([]);
    expect(ours.length).toBe(golden.length - 1);
  });

  test('a request header says what comes, and from whom', () => {
    for (const { direction, bytes, version, sample } of ours.filter((line) => line.direction === 'request')) {
      const flexibleFrom = sample.name.startsWith('SaslHandshake') ? null : 99;
      const header = readRequestHeader(new WireReader(bytes), () => flexibleFrom);
      expect(header, `${sample.name} ${direction}`).toEqual({
        apiKey: bytes.readInt16BE(0),
        version,
        correlationId: sampleCorrelationId,
        clientId: sampleClientId,
      });
    }
  });

  test('a tagged field that only followers need is passed over', () => {
    const line = golden.find(({ name }) => name === 'Fetch-snapshot');
    const response = readResponse(fetchApi, 12, line?.bytes ?? new Uint8Array());
    expect(response.topics[0]?.partitions[0]).toMatchObject({
      errorCode: 1,
      divergingEpoch: null,
      currentLeader: null,
    });
  });
});
