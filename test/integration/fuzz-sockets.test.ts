import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PortError } from '../../src/engine/ports.ts';
import { embeddedBackend } from '../../src/io/balancer/embedded/backend.ts';
import { HaproxyBackend } from '../../src/io/balancer/haproxy/backend.ts';
import { askControl, listenControl } from '../../src/io/control/socket.ts';
import { buildOfAll, buildsByHttp } from '../../src/io/provider/build-by-http.ts';
import { at, cut, damagedBytes, hostileText, place, someDamage } from '../fuzz/damage.ts';
import { damagedJson, jsonDamage } from '../fuzz/json.ts';
import { runs } from '../fuzz/runs.ts';
import { recordedReply } from '../haproxy/recorded.ts';
import { type EmbeddedHarness, openEmbedded } from './embedded/harness.ts';
import { carry } from './embedded/load.ts';
import { counters, settled } from './embedded/look.ts';
import { say } from './embedded/wire-user.ts';
import { ask, openPeer, type Peer } from './fuzz/peer.ts';

/** What arrives at real sockets when the other side dies, lies or is somebody else. */
const soon = () => AbortSignal.timeout(20_000);
let peer: Peer;
beforeAll(async () => {
  peer = await openPeer();
});
afterAll(async () => {
  await peer.close();
});

/** The value, or the only error that is allowed; anything else escapes. */
async function outcomeOf<T>(promise: Promise<T>): Promise<T | PortError> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
}

function inPieces(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((where) => at(where, bytes.length)).toSorted((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const pieces = fc.array(place, { maxLength: 4 });

describe("HAProxy's runtime socket", () => {
  const reply = Buffer.from(recordedReply('web'));
  // The backend's own number is learned with the first reading, and then it is asked again.
  const backend = () => new HaproxyBackend({ socket: peer.path, backend: 'web', configFile: null });

  test('property: a reply that ends early is an error, in whatever pieces it comes', async () => {
    peer.say([reply]);
    expect((await backend().read(soon())).servers).toHaveLength(5);
    // Near the end too: the last answers are short, and what lacks only those looks most like a whole reply.
    const end = fc.oneof(
      place.map((where) => at(where, reply.length - 1)),
      fc.nat(60).map((left) => reply.length - 2 - left),
    );
    await fc.assert(
      fc.asyncProperty(end, pieces, async (length, places) => {
        const early = reply.subarray(0, length);
        peer.say(inPieces(early, places));
        expect(await outcomeOf(backend().read(soon()))).toMatchObject({ code: 'protocol', retriable: true });
      }),
      runs(60),
    );
  });

  test('property: a damaged reply is a reading or a PortError', async () => {
    await fc.assert(
      fc.asyncProperty(someDamage, pieces, async (damage, places) => {
        peer.say(inPieces(damagedBytes(reply, damage), places));
        const outcome = await outcomeOf(backend().read(soon()));
        if (!(outcome instanceof PortError)) expect(outcome.servers.length).toBeGreaterThan(0);
      }),
      runs(60),
    );
  });
});

describe('the control socket of a controller', () => {
  const answer = JSON.stringify({ answer: { pid: 7, operation: 'rollout-query-1', standing: ['vpc-1'] } });

  test('property: an answer that ends early is none, and a damaged one is an answer or a PortError', async () => {
    peer.say([Buffer.from(`${answer}\n`)]);
    expect(await askControl(peer.path, { kind: 'status' }, soon())).toEqual(JSON.parse(answer).answer);
    await fc.assert(
      fc.asyncProperty(place, fc.option(someDamage), pieces, async (where, damage, places) => {
        const whole = Buffer.from(`${answer}\n`);
        const bytes = damage === null ? Buffer.from(cut(answer, where)) : damagedBytes(whole, damage);
        peer.say(inPieces(bytes, places));
        const outcome = await outcomeOf(askControl(peer.path, { kind: 'status' }, soon()));
        if (damage === null) expect(outcome).toBeUndefined();
        if (outcome instanceof PortError) expect(['protocol', 'refused']).toContain(outcome.code);
      }),
      runs(100),
    );
  });

  test('an answer that never ends does not fill the memory', async () => {
    peer.say(Array.from({ length: 20 }, () => Buffer.alloc(1024 * 1024, 'x')));
    expect(await outcomeOf(askControl(peer.path, { kind: 'status' }, soon()))).toMatchObject({ code: 'protocol' });
  });

  test('property: whoever asks anything is answered, and the next one too', async () => {
    const path = join(peer.path, '..', 'listen.sock');
    const told: unknown[] = [];
    const control = await listenControl(path, async (request) => {
      told.push(request);
      return request;
    });
    if (control === 'busy') throw new Error('busy');
    const request = {
      kind: 'operator',
      operation: 'move-1',
      request: { kind: 'back', by: 'alice', reason: null, all: false },
    };
    try {
      await fc.assert(
        fc.asyncProperty(jsonDamage, fc.option(hostileText), async (damage, junk) => {
          const line = junk === null ? damagedJson(request, damage) : junk.replaceAll('\n', ' ');
          const reply = await ask(path, Buffer.from(`${line}\n`));
          expect(Object.keys(JSON.parse(reply))).toEqual([expect.stringMatching(/^(answer|error)$/)]);
          told.length = 0;
          expect(await askControl(path, { kind: 'status' }, soon())).toEqual({ kind: 'status' });
          expect(told).toEqual([{ kind: 'status' }]);
        }),
        runs(60),
      );
      const before = told.length;
      for (const size of [70_000, 700_000]) {
        const long = { kind: 'operator', operation: 'x'.repeat(size) };
        expect(await outcomeOf(askControl(path, long, soon()))).toMatchObject({
          code: 'refused',
          message: expect.stringContaining('too long'),
        });
      }
      expect(told.length).toBe(before);
    } finally {
      await control.close();
    }
  });
});

describe('the build that a service tells over HTTP', () => {
  test('property: an answer that ends early, or holds what is no text, is unknown and never another build', async () => {
    const build = 'v1.2.3-abcdef';
    let bytes = Buffer.alloc(0);
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(bytes));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const counted = `HTTP/1.1 200 OK\r\ncontent-length: ${build.length}\r\nconnection: close\r\n\r\n${build}`;
    const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n${build.length.toString(16)}\r\n${build}\r\n0\r\n\r\n`;
    const read = async (text: Uint8Array) => {
      bytes = Buffer.from(text);
      return buildOfAll(await buildsByHttp([address], '/version', soon()));
    };
    try {
      for (const whole of [counted, chunked]) {
        expect(await read(Buffer.from(whole))).toEqual({ known: true, value: build });
        await fc.assert(
          fc.asyncProperty(place, async (where) => {
            const reading = await read(Buffer.from(cut(whole, where)));
            if (reading.known) expect(reading.value).toBe(build);
          }),
          runs(40),
        );
      }
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            fc.uint8Array({ maxLength: 30 }),
            hostileText.map((text) => Buffer.from(text)),
          ),
          async (body) => {
            const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
            const reading = await read(Buffer.concat([Buffer.from(head), body]));
            if (!reading.known) return;
            expect(reading.value).toBe(Buffer.from(body).toString('utf8').trim());
            expect(reading.value).not.toMatch(/[\p{C}\uFFFD]/u);
          },
        ),
        runs(60),
      );
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
});

describe('the embedded balancer', () => {
  let harness: EmbeddedHarness;
  beforeAll(async () => {
    harness = await openEmbedded({ names: ['only-1'] });
  });
  afterAll(async () => {
    await harness.close();
  });

  test('property: its control socket outlives whatever is said to it', async () => {
    const request = { id: 5, op: 'weights', backend: 'web', weights: { 'only-1': 100 } };
    const { socket } = harness.running;
    // What is nothing but white space is not answered; this is.
    const hello = Buffer.from('\n{"id":99,"op":"hello"}\n');
    await fc.assert(
      fc.asyncProperty(jsonDamage, fc.option(someDamage), async (damage, bytes) => {
        const line = damagedJson(request, damage).replaceAll('"op":"stop"', '"op":"read"');
        const said = bytes === null ? Buffer.from(line) : damagedBytes(Buffer.from(line), bytes);
        const reply = await ask(socket, Buffer.concat([said, hello]), '"id":99,');
        expect(reply).toContain('"id":99,"result"');
        for (const text of reply.split('\n').filter((one) => one !== ''))
          expect(typeof JSON.parse(text)).toBe('object');
        const { servers } = await harness.backend.read(soon());
        expect(servers.map(({ name, weight }) => [name, Number.isInteger(weight) && weight <= 256])).toEqual([
          ['only-1', true],
        ]);
      }),
      runs(60),
    );
    await harness.backend.setWeights({ 'only-1': 100 }, soon());
  });

  test('property: an answer of something else is a PortError', async () => {
    const reading = JSON.stringify({ id: 1, result: await harness.backend.read(soon()) });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          jsonDamage.map((damage) => damagedJson(JSON.parse(reading), damage)),
          place.map((where) => cut(reading, where)),
        ),
        async (line) => {
          peer.say([Buffer.from(`${line}\n`)]);
          const outcome = await outcomeOf(embeddedBackend(peer.path, 'web').read(soon()));
          if (outcome instanceof PortError)
            expect(['protocol', 'unreachable', 'refused', 'not-found']).toContain(outcome.code);
          else expect(JSON.stringify(outcome)).toBe(JSON.stringify(JSON.parse(line).result));
        },
      ),
      runs(60),
    );
  });

  test('property: whatever users send, the server takes as many requests as the balancer has counted', async () => {
    const host = 'Host: shop.test\r\n';
    const smuggled = `GET /smuggled HTTP/1.1\r\n${host}\r\n`;
    const streams = [
      `POST /a HTTP/1.1\r\n${host}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      `POST /b HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      `GET /c HTTP/1.1\r\n${host}Connection: X-A\r\nX-A: 1\r\n\r\n${smuggled}`,
      `POST /d HTTP/1.1\r\n${host}Content-Length: 0\r\nExpect: 100-continue\r\n\r\n${smuggled}`,
    ];
    const heads = [
      ...[
        'Content-Length: 3\r\n',
        'Content-Length: 0\r\n',
        'Content-Length: +1\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Transfer-Encoding: identity\r\n',
      ],
      ...[
        'transfer-encoding:\tchunked\r\n',
        'Transfer-Encoding : chunked\r\n',
        'Connection: content-length, transfer-encoding\r\n',
        'Connection: close\r\n',
      ],
      ...[
        'Expect: 100-continue\r\n',
        'Upgrade: h2c\r\n',
        'Host: other\r\n',
        '\r\n',
        '\n',
        '\r',
        '\0',
        ' ',
        'X: \x80\r\n',
        'GET / HTTP/1.1\r\n',
      ],
    ];
    const edit = fc.oneof(
      { weight: 3, arbitrary: fc.record({ where: place, text: fc.constantFrom(...heads), remove: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ where: place, text: hostileText, remove: fc.nat(20) }) },
    );
    const [server] = harness.upstreams;
    let carried = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...streams), fc.array(edit, { maxLength: 2 }), async (stream, edits) => {
        const bytes = edits.reduce((now, { where, text, remove }) => {
          // At the beginning of a line more often than not: that is where heads are made of.
          const free = at(where, now.length);
          const line = Math.max(now.lastIndexOf('\n', free), now.indexOf('\n')) + 1;
          const index = text.endsWith('\r\n') ? line : free;
          return (
            now.slice(0, index) +
            Buffer.from(text).toString('latin1') +
            now.slice(index + (text.endsWith('\r\n') ? 0 : remove))
          );
        }, stream);
        const before = counters(await settled(harness.backend), 'only-1').attempts;
        const taken = server?.taken.length ?? 0;
        await say(harness.url, bytes, 60);
        const attempts = counters(await settled(harness.backend), 'only-1').attempts - before;
        const arrived = (server?.taken.length ?? 0) - taken;
        // A body that the user did not finish may end its attempt before the server has heard of it.
        expect(arrived).toBeLessThanOrEqual(attempts);
        carried += arrived;
        expect(await carry(harness.url, { method: 'GET', path: '/next', body: null })).toBe(200);
        expect(server?.taken.at(-1)).toBe('GET /next');
      }),
      runs(100),
    );
    expect(carried).toBeGreaterThan(20);
  });
});
