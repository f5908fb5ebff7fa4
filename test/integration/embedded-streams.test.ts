import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedHarness, openEmbedded } from './embedded/harness.ts';
import { carry } from './embedded/load.ts';
import { counters, failuresOf, settled } from './embedded/look.ts';
import { say, sayAndLeave } from './embedded/wire-user.ts';

/** Bodies in both directions, users who leave, servers that are slow: against one server, so that every count is known. */
let harness: EmbeddedHarness;
beforeEach(async () => {
  harness = await openEmbedded({ names: ['only-1'], backend: { responseMsMax: 3000 } });
});
afterEach(async () => {
  await harness.close();
});

const pieces = 512;
const piece = randomBytes(65_536);

test('a large response to a slow user arrives whole, and is not read from the server faster than the user reads', async () => {
  let sent = 0;
  onlyServer().answerWith((_, response) => {
    response.writeHead(200);
    void pipeline(
      Readable.from(
        (function* () {
          for (; sent < pieces; sent += 1) yield piece;
        })(),
      ),
      response,
    );
  });
  const asked = plainRequest(harness.url, { agent: false }).end();
  const [response] = await once(asked, 'response');
  response.pause();
  await sleep(1000);
  // Some megabytes fit into the buffers of the kernel; 32 MB do not.
  expect(sent).toBeLessThan(pieces * 0.75);
  expect(await lengthAndHash(response)).toEqual(await lengthAndHash(Readable.from(repeated())));
  expect(failuresOf(await settled(harness.backend), 'only-1')).toBe(0);
});

test('a large upload to a slow server arrives whole, and is not taken from the user faster than the server reads', async () => {
  const arrived = new Promise<unknown>((resolve) => {
    onlyServer().answerWith((request, response) => {
      setTimeout(async () => {
        resolve(await lengthAndHash(request));
        response.end('thanks');
      }, 1000);
    });
  });
  const asked = plainRequest(harness.url, { agent: false, method: 'POST' });
  let given = 0;
  const upload = pipeline(
    Readable.from(
      (function* () {
        for (; given < pieces; given += 1) yield piece;
      })(),
    ),
    asked,
  );
  await sleep(700);
  expect(given).toBeLessThan(pieces * 0.75);
  const [response] = await once(asked, 'response');
  response.resume();
  await upload;
  expect(await arrived).toEqual(await lengthAndHash(Readable.from(repeated())));
  expect(failuresOf(await settled(harness.backend), 'only-1')).toBe(0);
});

test('a response that trickles for longer than the time-out goes on; one that stops is cut and counted', async () => {
  onlyServer().answerWith((request, response) => {
    response.writeHead(200, { 'content-length': 8 });
    let written = 0;
    const timer = setInterval(() => {
      written += 1;
      if (written < 8) response.write('x');
      else response.end('x');
      if (written === (request.url === '/stops' ? 2 : 8)) clearInterval(timer);
    }, 600);
  });
  expect(await carry(harness.url, { method: 'GET', path: '/goes-on', body: null })).toBe(200);
  expect(await carry(harness.url, { method: 'GET', path: '/stops', body: null })).toBe(0);
  const { attempts, rsp2xx, srvAbrt } = counters(await settled(harness.backend), 'only-1');
  expect({ attempts, rsp2xx, srvAbrt }).toEqual({ attempts: 2, rsp2xx: 2, srvAbrt: 1 });
});

test('a server that breaks off in the middle: the user sees a broken response, never a short whole one', async () => {
  onlyServer().answerWith((request, response) => {
    response.writeHead(200);
    response.write('half of it');
    setTimeout(() => request.socket.destroy(), 100);
  });
  const { text } = await say(harness.url, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(text).toContain('half of it');
  expect(text.endsWith('0\r\n\r\n')).toBe(false);
  const reading = await settled(harness.backend);
  expect(failuresOf(reading, 'only-1')).toBe(1);
  expect(counters(reading, 'only-1')).toMatchObject({ rsp2xx: 1, srvAbrt: 1 });
});

test('a server that never answers: 504 once, not repeated, and counted', async () => {
  onlyServer().answerWith(() => {});
  expect(await carry(harness.url, { method: 'GET', path: '/', body: null })).toBe(504);
  expect(onlyServer().taken).toEqual(['GET /']);
  expect(counters(await settled(harness.backend), 'only-1')).toMatchObject({ attempts: 1, eresp: 1, wretr: 0 });
});

test('users who leave before, during and after the response do no harm and make no failure', async () => {
  onlyServer().answerWith((request, response) => {
    if (request.url === '/late') setTimeout(() => response.end('late'), 300);
    else {
      response.writeHead(200);
      const timer = setInterval(() => response.write(piece), 5);
      response.on('close', () => clearInterval(timer));
    }
  });
  const leaving = Array.from({ length: 60 }, (_, index) => {
    const path = index % 2 === 0 ? '/late' : '/endless';
    return sayAndLeave(harness.url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, index % 3 === 0 ? 0 : 100);
  });
  await Promise.all(leaving);
  const reading = await settled(harness.backend);
  expect(failuresOf(reading, 'only-1')).toBe(0);
  onlyServer().answerWith(null);
  expect((await harness.traffic(20)).users).toEqual({ answered: 20, failed: 0 });
  expect((await settled(harness.backend)).process).toBe(reading.process);
});

test('a user who leaves in the middle of an upload: an attempt without an answer, as HAProxy counts it', async () => {
  let aborted = 0;
  onlyServer().answerWith((request) => {
    request.resume().on('error', () => {
      aborted += 1;
    });
  });
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n';
  await Promise.all(Array.from({ length: 10 }, () => sayAndLeave(harness.url, `${head}abc`, 200)));
  const { attempts, rsp2xx, econ, eresp } = counters(await settled(harness.backend), 'only-1');
  expect({ attempts, rsp2xx, econ, eresp }).toEqual({ attempts: 10, rsp2xx: 0, econ: 0, eresp: 0 });
  await expect.poll(() => aborted, { timeout: 20_000 }).toBe(10);
});

test('a server that answers before the upload ends is heard, and the user is told', async () => {
  onlyServer().answerWith((_, response) => {
    response.writeHead(413, { connection: 'close', 'content-length': 8 }).end('too much');
  });
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n';
  const { status, text } = await say(harness.url, `${head}abc`, 6000);
  expect({ status, text: text.slice(-8) }).toEqual({ status: 413, text: 'too much' });
  expect(counters(await settled(harness.backend), 'only-1')).toMatchObject({ attempts: 1, rsp4xx: 1, eresp: 0 });
});

function onlyServer() {
  const [server] = harness.upstreams;
  if (server === undefined) throw new Error('no server');
  return server;
}

function* repeated(): Generator<Buffer> {
  for (let index = 0; index < pieces; index += 1) yield piece;
}

async function lengthAndHash(stream: Readable): Promise<{ length: number; hash: string }> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    hash.update(bytes);
    length += bytes.length;
  }
  return { length, hash: hash.digest('hex') };
}
