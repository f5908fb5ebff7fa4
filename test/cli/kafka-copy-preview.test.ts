import { describe, expect, test } from 'vitest';
import type { CopyPreview } from '../../src/cli/kafka/copy-preview/preview.ts';
import type { PreviewSide } from '../../src/cli/kafka/copy-preview/preview-side.ts';
import { previewText } from '../../src/cli/kafka/copy-preview/words.ts';
import { type PreviewOptions, previewCopy } from '../../src/cli/kafka/copy-preview.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { PortError } from '../../src/engine/ports.ts';
import { madeAcl } from '../made/acls.ts';
import { broker, nowMs, partitionFacts, previewSide, sourceSide } from '../made/preview-side.ts';
import { settings, settingsOf43, topicFacts } from '../made/topics.ts';

async function previewOf(
  { source = sourceSide(), target = previewSide() }: { source?: PreviewSide; target?: PreviewSide },
  options: Partial<PreviewOptions> = {},
): Promise<CopyPreview> {
  let monotonicMs = 0;
  const clock = {
    now: () => nowMs,
    monotonic: () => monotonicMs,
    sleep: async (ms: number) => {
      monotonicMs += ms;
    },
  };
  return await previewCopy(
    { source, target },
    {
      topics: ['orders'],
      from: { kind: 'earliest' },
      replicationFactor: null,
      rate: 10_000_000,
      isOurs: () => false,
      setAside: [],
      copiesAcls: true,
      reach: { source: '--bootstrap-server old:9092', target: '--bootstrap-server new:9092' },
      clock,
      readingsApartMs: 1000,
      ...options,
    },
  );
}

describe('the preview of a copy', () => {
  test('that can begin tells what it is, what is set meanwhile and how long it takes', async () => {
    const preview = await previewOf({});
    expect(preview.obstacles).toEqual([]);
    const text = previewText(preview);
    expect(text).toMatch(/^1 topic, 1 partition, 1\.0 GB from cluster a-cluster to a-cluster\. It can begin; nothing/);
    expect(text).toContain('orders: is made, 1 partition, 3 replicas each');
    expect(text).toContain('retention.ms=-1 (not set on the topic): orders');
    expect(text).toContain('1.0 GB at 10.0 MB/s for each broker: about 2 min');
    expect(text).toContain('User:drover has all of them');
  });

  test('of old records says what one batch at a time costs, and which setting of the brokers would help', async () => {
    const source = sourceSide({}, { newestMs: nowMs - 3 * 86_400_000, bytes: 1000 });
    const { oneInFlight, time } = await previewOf({ source });
    // A million batches of 1000 bytes, 2 ms each.
    expect(oneInFlight).toMatchObject({
      partitions: 1,
      bytes: 1e9,
      partitionRate: 500_000,
      memoryWantedMs: 4 * 86_400_000,
    });
    expect(time).toEqual({ ms: 2_000_000, boundBy: 'one request in flight' });
    const ancient = await previewOf({ source: sourceSide({}, { newestMs: nowMs - 30 * 86_400_000 }) });
    expect(ancient.oneInFlight.memoryWantedMs).toBeNull();
  });

  test('of a log that is cut while it is read says when, and that nobody knows without a rate', async () => {
    const facts = topicFacts({ partitions: 1, settings: known(settings(settingsOf43, { 'retention.ms': '7200000' })) });
    const source = sourceSide({ topics: async () => [facts] });
    const slow = await previewOf({ source }, { rate: 10_000 });
    expect(slow.partitions[0]?.race).toMatchObject({ kind: 'overtaken', by: 'time' });
    expect(previewText(slow)).toMatch(/orders-0: the source's retention by time overtakes the copy in 60 min/);
    const unlimited = await previewOf({ source }, { rate: null });
    expect(unlimited.time).toBeNull();
    expect(unlimited.partitions[0]?.race.kind).toBe('unknown');
  });

  test('of a topic that grows tells by how much, from two looks at its end', async () => {
    let end = 100_000;
    const partitions = async () => {
      const bounds = known({ logStart: 0, from: 0, highWatermark: end, lastStable: end });
      end += 5000;
      return [partitionFacts({ bounds })];
    };
    const preview = await previewOf({ source: sourceSide({ partitions }) });
    expect(preview.partitions[0]?.appendedPerSecond).toEqual(known(5000));
    expect(previewText(preview)).toContain('about 5,000 records a second are appended');
  });
});

describe('a copy that does not begin at the beginning', () => {
  test('has its share of the bytes, and none where nothing is left to copy', async () => {
    const facts = topicFacts({ partitions: 1, settings: known(settings(settingsOf43, { 'retention.ms': '1' })) });
    const from = (offset: number) =>
      sourceSide({
        topics: async () => [facts],
        partitions: async () => [
          partitionFacts({
            bounds: known({ logStart: 20_000, from: offset, highWatermark: 100_000, lastStable: 100_000 }),
          }),
        ],
      });
    const half = await previewOf({ source: from(60_000) });
    expect(half.partitions[0]?.bytes).toEqual(known({ bytes: 500_000_000, how: 'by share of its offsets' }));
    const nothing = await previewOf({ source: from(100_000) });
    expect(nothing.bytes).toBe(0);
    expect(nothing.partitions[0]?.race).toEqual({ kind: 'none', why: 'in time' });
    expect(nothing.time?.ms).toBe(0);
  });
});

describe('what a stranger has written', () => {
  test('cannot move the cursor or change the terminal', async () => {
    const control = String.fromCharCode(27);
    const target = previewSide({
      cluster: async () => ({ clusterId: `x${control}[2J`, brokers: [broker({ host: `h${control}]0;title` })] }),
      checkNewTopics: async (topics) =>
        topics.map(({ topic }) => ({ topic, refused: { error: 'E', why: `no${control}[1A\r` } })),
    });
    const text = previewText(await previewOf({ target }));
    expect(text).toContain('the target refuses it: E: no');
    expect([...text].filter((one) => one < ' ' && one !== '\n')).toEqual([]);
  });
});

describe('what is not known', () => {
  test('is said, and estimated only where a figure says that it is', async () => {
    const source = sourceSide({
      disks: async () => [{ broker: 1, told: unknown('disks: denied') }],
      leftBehind: async () => ({
        groups: unknown('groups: denied'),
        quotas: unknown('quotas: denied'),
        scramUsers: unknown('users: denied'),
        schemaTopics: known(1),
      }),
      openTransactions: async () => unknown('transactions: denied'),
    });
    const target = previewSide({
      producerMemoryMs: async () => unknown('memory: denied'),
      disks: async () => [{ broker: 1, told: unknown('room: denied') }],
      topicAcls: async () => unknown('ACLs: denied'),
    });
    const preview = await previewOf({ source, target });
    expect(preview.partitions[0]?.bytes).toEqual(known({ bytes: 100_000_000, how: 'from samples' }));
    expect(preview.oneInFlight.partitions).toBe(1);
    expect(preview.obstacles).toEqual([]);
    const text = previewText(preview);
    for (const why of [
      'groups: denied',
      'quotas: denied',
      'users: denied',
      'transactions: denied',
      'memory: denied',
      'room: denied',
      'ACLs: denied',
    ])
      expect(text).toContain(why);
  });

  test('of a partition whose leader nobody reaches stands in the way, and the others are told', async () => {
    const down = unknown('broker 2 of the source cannot be reached where its listener is advertised: gone');
    const source = sourceSide({
      cluster: async () => ({ clusterId: null, brokers: [broker(), broker({ id: 2, roundTripMs: down })] }),
      partitions: async () => [partitionFacts(), partitionFacts({ partition: 1, leader: 2, bounds: down })],
    });
    const preview = await previewOf({ source });
    expect(preview.obstacles).toEqual([down.why, `orders-1 of the source cannot be read: ${down.why}`]);
    expect(preview.bytes).toBe(1e9);
    expect(previewText(preview)).toContain('1.0 GB and 1 partitions of unknown size');
  });
});

describe('ACLs of the topics', () => {
  const source = sourceSide({
    topicAcls: async () => known([madeAcl(), madeAcl({ name: '*' }), madeAcl({ name: 'ord', pattern: 'prefixed' })]),
  });

  test('are shown as what is made and what is not, with the right that it takes', async () => {
    const preview = await previewOf({ source });
    const text = previewText(preview);
    expect(text).toContain(
      '    User:alice may Read orders\n    User:alice may Read every topic that begins with ord\n',
    );
    expect(text).toContain('holds for all topics of the target that begin so');
    expect(text).toMatch(/not copied, because they would hold for every topic of the target.*\n.*--topic '\*'/);
    expect(preview.access.target.rights).toContainEqual(
      expect.objectContaining({ operation: 'Alter', on: { kind: 'cluster' }, without: 'no ACL is copied' }),
    );
    const without = await previewOf({});
    expect(without.access.target.rights.filter(({ operation }) => operation === 'Alter')).toEqual([]);
  });

  test('are left to somebody else where the user may not make any', async () => {
    const [cluster, groups] = [known(0x1fff & ~(1 << 7)), known(true)];
    const topics = { orders: known(0x1fff) };
    const target = previewSide({ allowed: async () => ({ topics, cluster, groups, transactionalIds: groups }) });
    const preview = await previewOf({ source, target });
    expect(preview.obstacles).toEqual([]);
    expect(preview.acls).toMatchObject({ known: true, value: { make: [], leave: [{}, {}, {}] } });
    expect(previewText(preview)).toContain('it needs Alter on the cluster');
  });

  test.each([
    [
      'none is on the source',
      { source: sourceSide({ topicAcls: async () => known('none') }) },
      'the source has no authorizer',
    ],
    [
      'none is on the target',
      { source, target: previewSide({ topicAcls: async () => known('none') }) },
      'the target has no authorizer',
    ],
    [
      'none is on either side',
      {
        source: sourceSide({ topicAcls: async () => known('none') }),
        target: previewSide({ topicAcls: async () => known('none') }),
      },
      'the source has no authorizer',
    ],
    [
      'the source does not tell',
      { source: sourceSide({ topicAcls: async () => unknown('denied') }) },
      'not known: denied',
    ],
  ] as const)('are said not to be copied where %s', async (_what, sides, words) => {
    const preview = await previewOf(sides);
    expect(preview.acls.known ? preview.acls.value.make : []).toEqual([]);
    expect(previewText(preview)).toContain(words);
    expect(preview.obstacles).toEqual([]);
  });

  test('are left alone where that was asked for', async () => {
    const preview = await previewOf({ source }, { copiesAcls: false });
    expect(preview.acls).toMatchObject({ known: true, value: { make: [], leave: [] } });
    expect(previewText(preview)).toContain('--no-acls');
  });
});

describe('what stands in the way', () => {
  test('is a disk that is too small', async () => {
    const room = { directories: [{ path: '/data', totalBytes: 2e9, usableBytes: 1.1e9 }], replicas: [] };
    const target = previewSide({ disks: async () => [{ broker: 1, told: known(room) }] });
    const fact = topicFacts({ partitions: 1, replicationFactor: 1 });
    const preview = await previewOf({ source: sourceSide({ topics: async () => [fact] }), target });
    expect(preview.obstacles).toEqual(['broker 1 of the target needs 1.2 GB and has 1.1 GB free: less is free']);
    // What a copy that is resumed has brought already is not counted again.
    const replicas = [{ topic: 'orders', partition: 0, bytes: 500_000_000 }];
    const half = previewSide({
      topics: async () => [fact],
      disks: async () => [{ broker: 1, told: known({ ...room, replicas }) }],
    });
    const resumed = await previewOf(
      { source: sourceSide({ topics: async () => [fact] }), target: half },
      { isOurs: () => true },
    );
    expect(resumed.obstacles).toEqual([]);
  });

  test('is a right that is lacking, with the command that gives it', async () => {
    const write = 1 << 4;
    const target = previewSide({
      topics: async () => [topicFacts({ partitions: 1 })],
      allowed: async () => ({
        topics: { orders: known(0x1fff & ~write) },
        cluster: known(0),
        groups: known(false),
        transactionalIds: known(false),
      }),
      topicAcls: async () => unknown('denied'),
    });
    const preview = await previewOf({ target });
    expect(preview.obstacles).toEqual([
      'User:drover lacks on the target: Write on orders; the commands below allow it',
    ]);
    expect(preview.access.target.authorizer).toBe('there');
    expect(previewText(preview)).toMatch(
      /kafka-acls --bootstrap-server new:9092 --add --allow-principal User:drover .*--operation Write/,
    );
  });

  test('is what the target would refuse, asked before anything is made', async () => {
    const refused = { error: 'POLICY_VIOLATION (44)', why: 'names begin with the team' };
    const target = previewSide({
      checkNewTopics: async (topics) => topics.map(({ topic }) => ({ topic, refused })),
    });
    const preview = await previewOf({ target });
    expect(preview.obstacles).toEqual([
      'orders: the target refuses it: POLICY_VIOLATION (44): names begin with the team',
    ]);
    expect(preview.topics[0]?.levers).toEqual([]);
  });

  test('is a target that cannot be asked whether it takes the changes', async () => {
    const target = previewSide({
      topics: async () => [
        topicFacts({ partitions: 1, settings: known(settings(settingsOf43, { 'retention.ms': '1' })) }),
      ],
      checkSettings: () => Promise.reject(new PortError('unreachable', 'no controller', { retriable: true })),
    });
    const preview = await previewOf({ target });
    expect(preview.obstacles).toEqual(['orders: whether the target would take it: not known: no controller']);
  });

  test('is a topic that is not there, or of Kafka itself', async () => {
    const source = sourceSide({
      topics: async () => [topicFacts({ name: '__consumer_offsets' })],
      partitions: async () => [],
    });
    const preview = await previewOf({ source }, { topics: ['__consumer_offsets', 'orders'] });
    expect(preview.obstacles[0]).toBe('orders: the source has no such topic, or the user may not see it');
    expect(preview.obstacles[1]).toMatch(/^__consumer_offsets: topics whose names begin with __/);
  });
});
