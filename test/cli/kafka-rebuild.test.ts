import { describe, expect, test } from 'vitest';
import type { AdoptionSide } from '../../src/cli/kafka/adopt/world.ts';
import { type CopyWords, copyOptions } from '../../src/cli/kafka/copy/options.ts';
import type { CopySide } from '../../src/cli/kafka/copy/world.ts';
import { rebuildRequest } from '../../src/cli/kafka/rebuild/rebuild.ts';
import { systemClock } from '../../src/io/clock/system.ts';
import { differences } from '../docs/page.ts';
import { contextInMemory } from '../made/context.ts';
import { previewSide } from '../made/preview-side.ts';
import { topicFacts } from '../made/topics.ts';

const words: CopyWords = {
  ...{ source: 'old:9092', target: 'new:9092', topics: 'orders|clicks', from: 'earliest', order: 'name' },
  ...{ diskFloor: '5%', offsets: 'mapped', wait: '10m', unlimited: true },
};

describe('kafka copy --rebuild', () => {
  test('asks for a topic of which every batch is ours, with where each partition ended', async () => {
    const { request, text } = await asked({ words: { yes: true } });
    expect(request).toEqual({
      ...{ kind: 'rebuild', by: 'kim', reason: null, topic: 'orders', topicId: 'id', replicationFactor: 3 },
      ends: [
        { partition: 0, logEnd: 30 },
        { partition: 1, logEnd: 30 },
      ],
    });
    expect(text).toContain(
      'orders is deleted on the target and made anew, with its settings: 60 offsets in 2 partitions',
    );
  });

  test('shows it, and asks for nothing, where nobody can agree', async () => {
    const { request, text, code } = await asked({ words: { json: true } });
    expect(request).toBe('not agreed');
    expect(code).toBe(2);
    const line = JSON.parse(text);
    expect(line.rebuild.partitions).toEqual([
      { partition: 0, logStart: 0, logEnd: 30 },
      { partition: 1, logStart: 0, logEnd: 30 },
    ]);
    expect(differences('kafka-copy.md', 'kafka-copy', line)).toEqual([]);
  });

  test('refuses one with a batch of somebody else, by partition, offset and producer', async () => {
    await expect(asked({ words: { yes: true }, foreignAt: 1 })).rejects.toThrow(
      'orders-1: the batch at offset 20 (10 records), of producer 77',
    );
  });

  test('refuses one on which a group has committed, by its name, and reads nothing then', async () => {
    const reads: number[] = [];
    await expect(asked({ words: { yes: true }, groups: ['readers', 'readers'], reads })).rejects.toThrow(
      'groups have committed offsets on it, and nothing was done: readers',
    );
    expect(reads).toEqual([]);
  });

  test('refuses a topic that is not among those of the command, or is another one by now', async () => {
    await expect(asked({ topic: 'others' })).rejects.toThrow('--topics orders|clicks does not name it');
    await expect(asked({ expectedId: 'of before' })).rejects.toThrow('the target has another topic of that name');
  });

  test('refuses one that has no id, as one that is made could not be told from it', async () => {
    await expect(asked({ topicId: null })).rejects.toThrow('the target tells no ids of topics');
  });

  test('has nothing to ask for where nothing stands', async () => {
    expect((await asked({ logEnd: 0 })).request).toBe('nothing there');
  });
});

test('what else may be said excludes it', () => {
  const both = { ...words, rebuild: 'orders' };
  expect(() => copyOptions({ ...both, adopt: true }, 0)).toThrow('--rebuild and --adopt exclude each other');
  expect(() => copyOptions({ ...both, dryRun: true }, 0)).toThrow('--rebuild and --dry-run exclude each other');
});

type Given = {
  readonly words?: Partial<CopyWords>;
  readonly topic?: string;
  readonly expectedId?: string;
  readonly topicId?: string | null;
  readonly logEnd?: number;
  /** Partition in which somebody else has written. */
  readonly foreignAt?: number;
  readonly groups?: readonly string[];
  readonly reads?: number[];
};

async function asked({
  topic = 'orders',
  expectedId = 'id',
  topicId = 'id',
  logEnd = 30,
  groups = [],
  foreignAt,
  reads,
  ...given
}: Given) {
  const facts = topicFacts({ partitions: 2, topicId });
  const side: CopySide = {
    ...previewSide({ topics: async () => [facts] }),
    ...{ notes: [], clusterId: async () => 'cluster', bounds: async () => [], offsetsAt: async () => [] },
    close: async () => undefined,
  };
  const stood: AdoptionSide = {
    topics: async () => [facts],
    bounds: async () =>
      [0, 1].map((partition) => ({ topic: 'orders', partition, logStart: 0, end: logEnd, highWatermark: logEnd })),
    groupsCommittedOn: async () => groups.map((group) => ({ group })),
    batches({ partition }) {
      reads?.push(partition);
      const left = [0, 10, 20];
      return {
        async next() {
          const base = left.shift();
          if (base === undefined) return null;
          const isOurs = !(partition === foreignAt && base === 20);
          const told = { count: 10, records: 10, checksum: 1, firstMs: 0, epoch: 1, isIntact: true };
          const batch = { base, ...told, isOurs, producer: isOurs ? '1' : '77', contents: () => [] };
          return { batches: [batch], next: base + 10, bytes: 1, goneTo: null };
        },
      };
    },
    items: () => ({ next: async () => null }),
    close: async () => undefined,
  };
  const stderr = { write: () => undefined, terminal: null };
  const { context, told } = contextInMemory({
    ...{ clock: systemClock, directory: '/', user: 'kim', stderr },
    world: { openAdoptionSide: () => stood },
  });
  const all = { ...words, ...given.words };
  const reference = { clusterId: 'cluster', bootstrap: 'old:9092', configFile: null };
  const references = { source: reference, target: reference };
  const sides = { source: side, target: side };
  const options = copyOptions(all, 0);
  const signal = new AbortController().signal;
  const request = await rebuildRequest(context, topic, { sides, references, options, words: all, expectedId }, signal);
  return { request, ...told };
}
