import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestHead, responseHeaders } from '../../src/io/balancer/embedded/headers.ts';

const host = ['Host', 'shop.test'];

test('end-to-end headers pass as they were written, hop-by-hop ones and those named by Connection do not', () => {
  const head = requestHead(
    [
      ...host,
      ...['X-Kept', 'Välue', 'Connection', 'close, X-Secret , keep-alive', 'x-secret', '1', 'Keep-Alive', 'timeout=5'],
      ...[
        'TE',
        'trailers',
        'Trailer',
        'x',
        'Proxy-Connection',
        'keep-alive',
        'Upgrade',
        'h2c',
        'Cookie',
        'a',
        'cookie',
        'b',
      ],
    ],
    '/',
    '1.1',
  );
  expect(head).toEqual({
    headers: [...host, 'X-Kept', 'Välue', 'Cookie', 'a', 'cookie', 'b'],
    hasBody: false,
    expectsContinue: false,
  });
});

test('a client cannot make the balancer drop what frames and routes its request', () => {
  const head = requestHead([...host, 'Connection', 'host, content-length', 'Content-Length', '3'], '/', '1.1');
  expect(head).toMatchObject({ headers: [...host, 'Content-Length', '3'], hasBody: true });
});

test.each([
  ['both framings', [...host, 'Content-Length', '3', 'Transfer-Encoding', 'chunked'], '/', '1.1', 400],
  ['chunked before HTTP/1.1', ['Transfer-Encoding', 'chunked'], '/', '1.0', 400],
  ['a coding that is not carried', [...host, 'Transfer-Encoding', 'gzip, chunked'], '/', '1.1', 501],
  ['a coding twice', [...host, 'Transfer-Encoding', 'chunked', 'transfer-encoding', 'chunked'], '/', '1.1', 501],
  ['two hosts', [...host, 'host', 'other.test'], '/', '1.1', 400],
  ['a WebSocket', [...host, 'Connection', 'Upgrade', 'Upgrade', 'websocket'], '/', '1.1', 501],
  ['the absolute form', host, 'http://other.test/', '1.1', 400],
  ['no path', host, '*', '1.1', 400],
] as const)('%s: refused by name', (_, raw, target, version, status) => {
  const head = requestHead(raw, target, version);
  expect(head).toMatchObject({ status });
  expect('why' in head && head.why !== '').toBe(true);
});

test.each([
  ['none', [], false, false],
  ['empty', ['Content-Length', '0'], false, false],
  ['counted', ['Content-Length', '1'], true, false],
  ['chunked', ['Transfer-Encoding', 'Chunked'], true, false],
  ['after asking', ['Expect', '100-continue', 'Content-Length', '9'], true, true],
] as const)('a body: %s', (_, raw, hasBody, expectsContinue) => {
  expect(requestHead([...host, ...raw], '/', '1.1')).toMatchObject({ hasBody, expectsContinue });
});

test('a response loses its hop-by-hop headers only, from buffers too', () => {
  const raw = [
    'Set-Cookie',
    'a=1',
    'set-cookie',
    'b=2',
    'Connection',
    'x-internal',
    'X-Internal',
    '1',
    'Content-Length',
    '2',
  ];
  const kept = ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Content-Length', '2'];
  expect(responseHeaders(raw)).toEqual(kept);
  expect(responseHeaders(raw.map((text) => Buffer.from(text, 'latin1')))).toEqual(kept);
});

test('any head is either refused or keeps every name that is not hop-by-hop, in order', () => {
  const name = fc.constantFrom(
    'Accept',
    'x-a',
    'Via',
    'te',
    'TE',
    'upgrade',
    'Trailer',
    'proxy-connection',
    'Keep-Alive',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ maxLength: 5 }))), (pairs) => {
      const head = requestHead([...host, ...pairs.flat()], '/', '1.1');
      const kept = pairs.filter(([key]) => ['accept', 'x-a', 'via'].includes(key.toLowerCase())).flat();
      if ('headers' in head) expect(head.headers).toEqual([...host, ...kept]);
    }),
  );
});
