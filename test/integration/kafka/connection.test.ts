import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BrokerConnectionError } from '../../../src/io/kafka/connection/connection-error.ts';
import { type BrokerConnection, type ConnectionSettings, connectBroker } from '../../../src/io/kafka/connection.ts';
import { apiVersions } from '../../../src/io/kafka/messages/api-versions.ts';
import { viewOf, wholeOf } from '../../../src/io/kafka/messages/byte-range.ts';
import { describeProducers } from '../../../src/io/kafka/messages/describe-producers.ts';
import { fetchApi } from '../../../src/io/kafka/messages/fetch.ts';
import type { FetchRequest } from '../../../src/io/kafka/messages/fetch-request.ts';
import type { FetchResponse } from '../../../src/io/kafka/messages/fetch-response.ts';
import { type ProduceRequest, produceApi } from '../../../src/io/kafka/messages/produce.ts';
import { freePort } from '../free-ports.ts';
import { type ReceivedRequest, ScriptedBroker } from './scripted-broker.ts';

const never = new AbortController().signal;

describe('requests on one connection', () => {
  test('are answered by their own responses, many in flight, in pieces of one byte', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      if (request.answeredVersions()) return;
      const [topic] = request.read(fetchApi).topics;
      const frame = request.frameOf(fetchApi, fetched(Buffer.from(topic?.topic ?? '')));
      for (const byte of frame) request.socket.write(Uint8Array.of(byte));
    });
    await using connection = await open(broker);
    const asked = Array.from({ length: 40 }, (_, index) => `topic-${index}`);
    const responses = await Promise.all(asked.map((topic) => connection.it.call(fetchApi, fetch(topic))));
    expect(responses.map(recordsOf).map(String)).toEqual(asked);
    expect(connection.it.unsettled).toEqual({ requests: 0, bytes: 0 });
    expect(broker.accepted).toBe(1);
  });

  test('of many megabytes go out and come back unchanged', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      if (request.answeredVersions()) return;
      if (request.is(fetchApi)) return request.answer(fetchApi, fetched(numbered(8_000_000)));
      const [partition] = request.read(produceApi).topics[0]?.partitions ?? [];
      request.answer(produceApi, produced(digest(viewOf(partition?.records ?? wholeOf(Buffer.alloc(0))))));
    });
    await using connection = await open(broker, { unsentBytesMax: 1_000_000 });
    const sizes = [9_000_000, 10, 5000, 4_000_000, 65_536, 100_000];
    const [fetchedBack, ...answers] = await Promise.all([
      connection.it.call(fetchApi, fetch('t')),
      ...sizes.map((size) => connection.it.call(produceApi, produce(numbered(size)))),
    ]);
    expect(digest(recordsOf(fetchedBack))).toBe(digest(numbered(8_000_000)));
    expect(answers.map(({ topics }) => topics[0]?.topic)).toEqual(sizes.map((size) => digest(numbered(size))));
  });

  test('all fail at once when the broker is gone in the middle of a response, and say that they may have been received', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      if (request.answeredVersions()) return;
      const frame = request.frameOf(fetchApi, fetched(numbered(100_000)));
      request.socket.end(frame.subarray(0, 70_000));
    });
    await using connection = await open(broker);
    const failures = await failuresOf([1, 2, 3].map(() => connection.it.call(fetchApi, fetch('t'))));
    expect(failures.map(({ code, sent, retriable }) => ({ code, sent, retriable }))).toEqual(
      Array(3).fill({ code: 'unreachable', sent: true, retriable: true }),
    );
    expect(failures[0]?.message).toContain('in the middle of a response');
    expect(failures[0]?.message).toContain(`127.0.0.1:${broker.port}`);
    const [after] = await failuresOf([connection.it.call(fetchApi, fetch('t'))]);
    expect(after).toMatchObject({ code: 'unreachable', sent: false });
  });

  test('that are not answered in time end the connection, also when later ones were', async () => {
    await using broker = await ScriptedBroker.start((request) => void request.answeredVersions());
    await using connection = await open(broker);
    const failures = await failuresOf([
      connection.it.call(fetchApi, fetch('late'), { deadlineMs: 50 }),
      connection.it.call(fetchApi, fetch('patient'), { deadlineMs: 60_000 }),
    ]);
    expect(failures.map(({ code, sent }) => [code, sent])).toEqual([
      ['timeout', true],
      ['timeout', true],
    ]);
    expect(failures[0]?.message).toContain('Fetch v12 within 50 ms');
    expect(connection.it.ended).toBe(true);
  });

  test('a late answer never becomes that of another request', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      if (request.answeredVersions()) return;
      request.socket.write(request.frameOf(fetchApi, fetched(Buffer.from('x')), request.header.correlationId - 1));
    });
    await using connection = await open(broker);
    const [failure] = await failuresOf([connection.it.call(fetchApi, fetch('t'))]);
    expect(failure).toMatchObject({ code: 'protocol', sent: true, retriable: false });
    expect(failure?.message).toMatch(/expected the response 1 \(Fetch v12\), found the response 0/);
  });

  test('an answer that nobody asked for ends the connection', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      if (request.answeredVersions()) request.socket.write(request.frameOf(fetchApi, fetched(Buffer.alloc(1)), 99));
    });
    await using connection = await open(broker);
    const reason = await new Promise<BrokerConnectionError>((resolve) => connection.it.whenEnded(resolve));
    expect(reason.message).toContain('expected no response, found the response 99');
  });

  test.each([
    ['announces 2 GB', () => Uint8Array.of(0x7f, 0xff, 0xff, 0xff), '2147483647 bytes'],
    ['announces less than nothing', () => Uint8Array.of(0xff, 0xff, 0xff, 0xff), '-1 bytes'],
    ['answers less than the message', (request: ReceivedRequest) => cutTo(request, 30), 'malformed'],
    ['answers more than the message', (request: ReceivedRequest) => cutTo(request, null), 'malformed'],
  ])('a broker that %s is refused, with the reason', async (_what, bytes, words) => {
    await using broker = await ScriptedBroker.start((request) => {
      if (!request.answeredVersions()) request.socket.write(bytes(request));
    });
    await using connection = await open(broker);
    const [failure] = await failuresOf([connection.it.call(fetchApi, fetch('t'))]);
    expect(failure).toMatchObject({ code: 'protocol', sent: true });
    expect(failure?.message).toContain(words);
  });
});

describe('requests for which there is no room', () => {
  test('wait, are not sent after their time, and are told as not sent when the connection ends', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      // The first large request is never read: the socket fills up.
      if (request.answeredVersions()) request.socket.pause();
    });
    await using connection = await open(broker, { unsentBytesMax: 1_000_000 });
    const large = connection.it.call(produceApi, produce(numbered(60_000_000)));
    const lapsed = connection.it.call(produceApi, produce(numbered(10)), { sendBeforeMs: performance.now() - 1 });
    const waiting = connection.it.call(produceApi, produce(numbered(10)));
    const failing = failuresOf([large, lapsed, waiting]);
    expect(connection.it.unsettled.requests).toBe(3);
    await connection.it.close();
    expect((await failing).map(({ sent }) => sent)).toEqual([true, false, false]);
  });

  test('go out in order when there is room again, but not one whose time has passed', async () => {
    await using broker = await ScriptedBroker.start((request) => {
      if (request.answeredVersions()) return;
      const [topic] = request.read(produceApi).topics;
      request.answer(produceApi, produced(topic?.topic ?? ''));
    });
    await using connection = await open(broker, { unsentBytesMax: 1000 });
    const named = (topic: string, bytes: number) => produce(numbered(bytes), topic);
    const first = connection.it.call(produceApi, named('first', 30_000_000));
    const lapsed = connection.it.call(produceApi, named('lapsed', 10), { sendBeforeMs: performance.now() });
    const last = connection.it.call(produceApi, named('last', 10));
    const [failure] = await failuresOf([lapsed]);
    expect(failure).toMatchObject({ code: 'timeout', sent: false });
    expect((await Promise.all([first, last])).map(({ topics }) => topics[0]?.topic)).toEqual(['first', 'last']);
    expect(broker.received.length).toBe(2);
  });
});

describe('connecting', () => {
  test('finds the version that both speak, and says which is missing', async () => {
    const apis = [
      { apiKey: 0, oldest: 3, newest: 8 },
      { apiKey: 1, oldest: 13, newest: 18 },
    ];
    await using broker = await ScriptedBroker.start((request) => void request.answeredVersions(apis));
    await using connection = await open(broker);
    expect(connection.it.versionOf(produceApi)).toBe(8);
    expect(() => connection.it.versionOf(fetchApi)).toThrow('Fetch is needed in version 11 to 12; it speaks 13 to 18');
    expect(() => connection.it.versionOf(describeProducers)).toThrow('does not speak it');
  });

  test('asks an old broker again in a version that it knows', async () => {
    const asked: number[] = [];
    await using broker = await ScriptedBroker.start((request) => {
      asked.push(request.header.version);
      const noFeatures = { supportedFeatures: [], finalizedFeaturesEpoch: null, finalizedFeatures: [] };
      const apis = [{ apiKey: 18, oldest: 0, newest: 2 }];
      if (request.header.version > 2)
        request.answer(apiVersions, { errorCode: 35, apis, throttleMs: 0, ...noFeatures });
      else request.answeredVersions();
    });
    await using connection = await open(broker);
    expect(asked).toEqual([3, 2]);
    expect(connection.it.versionOf(fetchApi)).toBe(12);
  });

  test.each([
    ['says nothing', 'timeout', 'within 100 ms', () => {}],
    ['hangs up', 'unreachable', 'does this listener expect TLS', (request: ReceivedRequest) => request.socket.end()],
    [
      'speaks TLS',
      'protocol',
      'SSL',
      ({ socket }: ReceivedRequest) => socket.write(Uint8Array.of(0x15, 3, 3, 0, 2, 2, 70)),
    ],
    [
      'speaks HTTP',
      'protocol',
      'was announced',
      ({ socket }: ReceivedRequest) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ],
  ] as const)('to one who %s fails and leaves no socket', async (_what, code, words, script) => {
    await using broker = await ScriptedBroker.start((request) => void script(request));
    const [failure] = await failuresOf([connectBroker({ ...settings(broker.port), connectDeadlineMs: 100 }, never)]);
    expect(failure?.code).toBe(code);
    expect(failure?.message).toContain(words);
  });

  test('where nobody listens says so', async () => {
    const [failure] = await failuresOf([connectBroker(settings(await freePort()), never)]);
    expect(failure).toMatchObject({ code: 'unreachable', retriable: true, sent: false });
    expect(failure?.message).toContain('ECONNREFUSED');
  });

  test('ends when it is given up', async () => {
    const abort = new AbortController();
    await using broker = await ScriptedBroker.start(() => abort.abort());
    const [failure] = await failuresOf([connectBroker(settings(broker.port), abort.signal)]);
    expect(failure?.message).toContain('given up');
  });
});

function settings(port: number): ConnectionSettings {
  return {
    host: '127.0.0.1',
    port,
    tls: null,
    sasl: null,
    clientId: 'drover-test',
    clientVersion: '0.1.0',
    connectDeadlineMs: 30_000,
    requestDeadlineMs: 60_000,
    responseBytesMax: 16_000_000,
    unsentBytesMax: 16_000_000,
  };
}

async function open(
  broker: ScriptedBroker,
  some: Partial<ConnectionSettings> = {},
): Promise<AsyncDisposable & { readonly it: BrokerConnection }> {
  const it = await connectBroker({ ...settings(broker.port), ...some }, never);
  return { it, [Symbol.asyncDispose]: () => it.close() };
}

async function failuresOf(promises: readonly Promise<unknown>[]): Promise<BrokerConnectionError[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'fulfilled') throw new Error('succeeded');
    if (!(result.reason instanceof BrokerConnectionError)) throw result.reason;
    return result.reason;
  });
}

function fetch(topic: string): FetchRequest {
  const from = { partition: 0, currentLeaderEpoch: null, offset: 0, lastFetchedEpoch: null, logStartOffset: null };
  return {
    replicaId: -1,
    maxWaitMs: 500,
    bytesMin: 1,
    bytesMax: 8_000_000,
    isolation: 'read_committed',
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic, partitions: [{ ...from, bytesMax: 8_000_000 }] }],
    forgottenTopics: [],
    rack: '',
  };
}

function fetched(records: Uint8Array): FetchResponse {
  const partition = {
    partition: 0,
    errorCode: 0,
    highWatermark: 1,
    lastStableOffset: 1,
    logStartOffset: 0,
    divergingEpoch: null,
    currentLeader: null,
    abortedTransactions: null,
    preferredReadReplica: null,
    records: wholeOf(records),
  };
  return { throttleMs: 0, errorCode: 0, sessionId: 0, topics: [{ topic: 't', partitions: [partition] }] };
}

function recordsOf(response: FetchResponse | undefined): Buffer {
  const records = response?.topics[0]?.partitions[0]?.records;
  if (records === undefined || records === null) throw new Error('no records');
  return Buffer.from(viewOf(records));
}

function produce(records: Uint8Array, topic = 't'): ProduceRequest {
  const partitions = [{ partition: 0, records: wholeOf(records) }];
  return { transactionalId: null, acks: 'all', timeoutMs: 1000, topics: [{ topic, partitions }] };
}

function produced(topic: string) {
  return { topics: [{ topic, partitions: [] }], throttleMs: 0 };
}

function numbered(length: number): Buffer {
  return Buffer.alloc(length, Buffer.from(Uint8Array.from({ length: 251 }, (_, index) => (index + length) & 0xff)));
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The right answer in a frame of another length: null, one byte more than the message. */
function cutTo(request: ReceivedRequest, length: number | null): Buffer {
  const frame = request.frameOf(fetchApi, fetched(numbered(100)));
  const other = length === null ? Buffer.concat([frame, Buffer.alloc(1)]) : frame.subarray(0, 4 + length);
  other.writeInt32BE(other.length - 4);
  return other;
}
