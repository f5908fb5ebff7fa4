import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type EmbeddedHarness, openEmbedded } from './embedded/harness.ts';
import { carry } from './embedded/load.ts';
import { counters, settled } from './embedded/look.ts';
import { say } from './embedded/wire-user.ts';

/** What passes a proxy, what must not, and that nobody can break it for the others. */
let harness: EmbeddedHarness;
beforeAll(async () => {
  harness = await openEmbedded({ names: ['only-1'] });
});
beforeEach(() => {
  onlyServer().answerWith(null);
  onlyServer().taken.length = 0;
});
afterAll(async () => {
  await harness.close();
});

const host = 'Host: shop.test\r\n';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n';

test.each([
  [
    'both framings',
    `POST / HTTP/1.1\r\n${host}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 44\r\n\r\n${smuggled}`, 400],
  ['a signed length', `POST / HTTP/1.1\r\n${host}Content-Length: +5\r\n\r\nabcde`, 400],
  ['a coding in disguise', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`, 501],
  [
    'a space before the colon',
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    400,
  ],
  ['chunked in HTTP/1.0', `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`, 400],
  ['a folded header', `GET / HTTP/1.1\r\n${host}X-A: 1\r\n b\r\n\r\n`, 400],
  ['a NUL in a header', `GET / HTTP/1.1\r\n${host}X-A: a\0b\r\n\r\n`, 400],
  ['two hosts', `GET / HTTP/1.1\r\n${host}Host: other.test\r\n\r\n`, 400],
  ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['another version', `GET / HTTP/9.9\r\n${host}\r\n`, 400],
  ['the absolute form', `GET http://other.test/ HTTP/1.1\r\n${host}\r\n`, 400],
  ['the asterisk form', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400],
  ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  ['headers without end', `GET / HTTP/1.1\r\n${host}${'X-Long: '.padEnd(20_000, 'a')}\r\n\r\n`, 431],
  ['many headers', `GET / HTTP/1.1\r\n${host}${'X: yyyyyyyy\r\n'.repeat(3000)}\r\n`, 431],
  ['a tunnel', `CONNECT other.test:443 HTTP/1.1\r\n${host}\r\n`, 501],
  ['a WebSocket', `GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 501],
] as const)('%s: refused, and the server never hears of it', async (_, bytes, status) => {
  const said = await say(harness.url, bytes, 500);
  expect(said.status).toBe(status);
  expect(said.text.match(/^HTTP/gmu)).toHaveLength(1);
  expect(onlyServer().taken.filter((line) => line !== 'POST /')).toEqual([]);
  expect(await carry(harness.url, { method: 'GET', path: '/next', body: null })).toBe(200);
});

test('a bad chunk in the middle of an upload ends that connection only', async () => {
  const said = await say(
    harness.url,
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nZZ\r\n${smuggled}`,
  );
  expect(said.text).not.toContain('smuggled');
  expect(onlyServer().taken).not.toContain('GET /smuggled');
  expect(await carry(harness.url, { method: 'GET', path: '/next', body: null })).toBe(200);
});

test('a user who says nothing, or half a head, does not hold up the others', async () => {
  const [half, next] = await Promise.all([
    say(harness.url, `GET / HTTP/1.1\r\n${host}`, 1000),
    carry(harness.url, { method: 'GET', path: '/next', body: null }),
  ]);
  expect({ half: half.status, next }).toEqual({ half: null, next: 200 });
});

test('pipelined requests are answered in order, each by an attempt of its own', async () => {
  onlyServer().answerWith((request, response) => {
    setTimeout(() => response.end(`<${request.url}>`), request.url === '/1' ? 300 : 0);
  });
  const bytes = [1, 2, 3].map((id) => `GET /${id} HTTP/1.1\r\n${host}\r\n`).join('');
  const { text } = await say(harness.url, bytes);
  expect(text.match(/<\/\d>/gu)).toEqual(['</1>', '</2>', '</3>']);
});

test('hop-by-hop headers end here in both directions; the rest arrives as it was written', async () => {
  let arrived: readonly string[] = [];
  onlyServer().answerWith((request, response) => {
    arrived = request.rawHeaders;
    response
      .writeHead(200, ['X-Internal', '1', 'Connection', 'x-internal', 'Set-Cookie', 'a', 'Set-Cookie', 'b'])
      .end('x');
  });
  const bytes = `GET /a?b=%20c HTTP/1.1\r\n${host}Connection: x-hop, close\r\nX-Hop: 1\r\nTE: trailers\r\nX-Mixed-Case: v\r\n\r\n`;
  const { text } = await say(harness.url, bytes);
  expect(onlyServer().taken).toEqual(['GET /a?b=%20c']);
  expect(arrived.join(' ')).toContain('X-Mixed-Case v');
  expect(arrived.join(' ')).toContain('shop.test');
  expect(arrived.join(' ').toLowerCase()).not.toMatch(/x-hop|te trailers/u);
  expect(text).toMatch(/Set-Cookie: a\r\nSet-Cookie: b\r\n/u);
  expect(text).not.toContain('X-Internal');
});

test('HEAD, 204, 304 and an empty 200 pass without a body and leave the connection usable', async () => {
  onlyServer().answerWith((request, response) => {
    const status = Number(request.url?.slice(1)) || 200;
    response.writeHead(status, request.method === 'HEAD' ? { 'content-length': 12 } : {}).end();
  });
  const bytes = ['HEAD /200', 'GET /204', 'GET /304', 'GET /200']
    .map((line) => `${line} HTTP/1.1\r\n${host}\r\n`)
    .join('');
  const { text } = await say(harness.url, bytes);
  expect(text.match(/^HTTP\/1\.1 \d+/gmu)).toEqual([200, 204, 304, 200].map((status) => `HTTP/1.1 ${status}`));
  expect(text).toContain('content-length: 12');
});

test('early hints are dropped and not counted as an answer', async () => {
  onlyServer().answerWith((_, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('ok'));
  });
  const before = counters(await settled(harness.backend), 'only-1');
  expect(await carry(harness.url, { method: 'GET', path: '/', body: null })).toBe(200);
  const after = counters(await settled(harness.backend), 'only-1');
  expect({ answers: after.rsp2xx - before.rsp2xx, hints: after.rsp1xx - before.rsp1xx }).toEqual({
    answers: 1,
    hints: 1,
  });
});

test('a user who waits for 100 Continue gets it when a server is connected, and not when none is', async () => {
  const ask = async (): Promise<{ continued: boolean; status: number }> => {
    let continued = false;
    const asked = plainRequest(harness.url, { agent: false, method: 'POST', headers: { expect: '100-continue' } });
    asked.on('continue', () => {
      continued = true;
      asked.end('the body');
    });
    asked.flushHeaders();
    const [response] = await once(asked, 'response');
    response.resume();
    asked.destroy();
    return { continued, status: response.statusCode };
  };
  expect(await ask()).toEqual({ continued: true, status: 200 });
  await harness.backend.setStates({ 'only-1': 'maint' }, AbortSignal.timeout(20_000));
  expect(await ask()).toEqual({ continued: false, status: 503 });
  await harness.backend.setStates({ 'only-1': 'ready' }, AbortSignal.timeout(20_000));
});

test.each([
  ['no HTTP at all', 'good morning\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ['a control character in its reason', 'HTTP/1.1 200 b\x01d\r\nContent-Length: 0\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}`],
  ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
])('a server that answers with %s: 502, counted as its failure', async (_, bytes) => {
  onlyServer().answerWith((request) => {
    request.socket.end(bytes);
  });
  const before = counters(await settled(harness.backend), 'only-1');
  expect(await carry(harness.url, { method: 'GET', path: '/', body: null })).toBe(502);
  const after = counters(await settled(harness.backend), 'only-1');
  expect({ attempts: after.attempts - before.attempts, eresp: after.eresp - before.eresp }).toEqual({
    attempts: 1,
    eresp: 1,
  });
});

function onlyServer() {
  const [server] = harness.upstreams;
  if (server === undefined) throw new Error('no server');
  return server;
}
