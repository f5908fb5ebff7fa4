import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from './copy-command.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { codecs, digest, produce } from './lab/kcat.ts';
import { createTopic } from './lab/tools.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1 }),
    startCluster({ version: '4.3.1', brokers: 1 }),
  ]);
  desk = openDesk(source, target);
});
afterAll(async () => {
  await desk?.close();
  await Promise.all([source?.stop(), target?.stop()]);
});

describe('drover kafka copy', () => {
  test('shows what it would change, and does nothing, until somebody agrees', async () => {
    await createTopic(source, 'asked', { partitions: 2, configs: { 'retention.ms': '3600000' } });
    await give('asked', 100);
    const { code, text } = await desk.copy('asked').ended;
    expect(code).toBe(2);
    expect(text).toContain('asked is made: 2 partitions');
    expect(text).toContain('retention.ms=3600000');
    const { partitions } = await target.metadata();
    expect(partitions.map(({ topic }) => topic)).not.toContain('asked');
  });

  test('makes the topic, copies all of it, restores what it had set aside, and the sides are equal', async () => {
    await createTopic(source, 'plain', { partitions: codecs.length, configs: { 'retention.ms': '3600000' } });
    for (const [partition, codec] of codecs.entries()) await give('plain', 2000, { partition, codec });
    const { code, text, errors } = await desk.copy('plain', '--yes').ended;
    expect(`${errors}${text}`).toContain('copied');
    expect(code).toBe(0);
    for (const partition of codecs.keys())
      expect(await digest(target, 'plain', partition)).toEqual(await digest(source, 'plain', partition));
    expect((await desk.verify('plain')).code).toBe(0);
    expect(desk.movers()).toEqual([]);
  });
});

async function give(topic: string, count: number, options: Parameters<typeof produce>[3] = {}): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(9),
  }));
  await produce(source, topic, records, options);
}
