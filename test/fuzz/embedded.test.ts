import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseEmbeddedConfig } from '../../src/io/balancer/embedded/config.ts';
import { requestHead, responseHeaders } from '../../src/io/balancer/embedded/headers.ts';
import {
  lineSplitter,
  parseAttempts,
  parseHello,
  parseReading,
  parseReply,
  parseRequest,
  problemsOf,
} from '../../src/io/balancer/embedded/wire.ts';
import { cut, damagedText, hostileText, place, someDamage } from './damage.ts';
import { damagedJson, jsonDamage } from './json.ts';
import { expectQuick, runs } from './runs.ts';

const requests = [
  { id: 1, op: 'hello' },
  { id: 2, op: 'stop' },
  { id: 3, op: 'read', backend: 'web' },
  { id: 4, op: 'attempts', backend: 'web', servers: ['vpc-1', 'vpc-2'] },
  { id: 5, op: 'weights', backend: 'web', weights: { 'classic-1': 20, 'vpc-1': 256 } },
  { id: 6, op: 'states', backend: 'web', states: { 'vpc-1': 'maint', 'vpc-2': 'drain' } },
  { id: 7, op: 'configured', configHash: 'ab', weights: { web: { 'vpc-1': 1 } } },
] as const;

const known = <T>(value: T) => ({ known: true, value });
const counters = {
  ...{ attempts: 9, rsp1xx: 0, rsp2xx: 5, rsp3xx: 1, rsp4xx: 1, rsp5xx: 1, srvAbrt: 0, econ: 1, eresp: 0 },
  ...{ wretr: 0, wredis: 1, scur: 2 },
};
const reading = {
  process: '7@1763941445000',
  servers: ['classic-1', 'vpc-1'].map((name) => ({
    ...{
      name,
      address: '127.0.0.1:1',
      weight: 20,
      configuredWeight: 20,
      admin: 'ready',
      configuredAdmin: known('ready'),
    },
    ...{ health: 'up', counters, features: [] },
  })),
  traits: {
    ...{
      mode: known('http'),
      algorithm: known('roundrobin'),
      stickiness: known(null),
      retryOn: known(['conn-failure']),
    },
    ...{ abortOnClose: known(false), redispatch: known(true), bypasses: known([]), attemptMsMax: known(6000) },
    readOnly: { known: false, why: 'not asked' },
  },
};
const hello = { pid: 77, startedAtMs: 1, token: 't', configHash: 'ab', listening: { web: '127.0.0.1:8080' } };
const replies = [
  { id: 1, result: null },
  { id: 2, result: reading },
  { id: null, error: { code: 'refused', message: 'no' } },
] as const;

/** What zod makes of it, or null where it is refused by the errors that callers translate; anything else escapes. */
function parsed<T>(parse: () => T): { readonly value: T } | null {
  try {
    return { value: parse() };
  } catch (error) {
    if (error instanceof z.ZodError) expect(problemsOf(error).length).toBeLessThan(1000);
    else expect(error).toBeInstanceOf(SyntaxError);
    return null;
  }
}

describe("the embedded balancer's control language", () => {
  test('what is said is understood as it was said', () => {
    for (const request of requests) expect(parseRequest(JSON.stringify(request))).toEqual(request);
    for (const reply of replies) expect(parseReply(JSON.stringify(reply))).toEqual(reply);
    expect(parseReading(reading)).toEqual(reading);
    expect(parseHello(hello)).toEqual(hello);
  });

  test('property: a line that is cut says nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...requests, ...replies), place, (line, where) => {
        const text = cut(JSON.stringify(line), where);
        expect(parsed(() => parseRequest(text))).toBeNull();
        expect(parsed(() => parseReply(text))).toBeNull();
      }),
      runs(500),
    );
  });

  test('property: what is understood of a damaged line is all that it says, and in range', () => {
    const line = fc.oneof(
      fc
        .tuple(fc.constantFrom(...requests, ...replies), jsonDamage)
        .map(([value, damage]) => damagedJson(value, damage)),
      fc
        .tuple(fc.constantFrom(...requests, ...replies), someDamage)
        .map(([value, damage]) => damagedText(JSON.stringify(value), damage)),
    );
    let understood = 0;
    fc.assert(
      fc.property(line, (text) => {
        for (const parse of [parseRequest, parseReply]) {
          const found = parsed(() => parse(text));
          if (found === null) continue;
          understood += 1;
          // No field was passed over, none was added: what is obeyed is what was said.
          expect(found.value).toEqual(JSON.parse(text));
          // What a result holds is for whoever asked for it to understand.
          if (parse === parseRequest) expect(text).not.toContain('"__proto__":');
          if ('weights' in found.value && found.value.op === 'weights')
            for (const weight of Object.values(found.value.weights)) expect(weight >= 0 && weight <= 256).toBe(true);
        }
      }),
      runs(1500),
    );
    expect(understood).toBeGreaterThan(50);
  });

  test('property: a reading, a hello and counts are whole, or none', () => {
    const texts = fc.tuple(fc.constantFrom(reading, hello, { 'vpc-1': 7, 'vpc-2': 8 }), jsonDamage);
    fc.assert(
      fc.property(texts, ([value, damage]) => {
        const said: unknown = JSON.parse(damagedJson(value, damage));
        for (const parse of [parseReading, parseHello, parseAttempts]) {
          const found = parsed(() => parse(said));
          if (found !== null) expect(JSON.stringify(found.value)).toEqual(JSON.stringify(said));
        }
      }),
      runs(1000),
    );
  });

  test.each([
    ['a weight for nobody', '{"id":1,"op":"weights","backend":"web","weights":{"__proto__":5}}'],
    ['a state for nobody', '{"id":1,"op":"states","backend":"web","states":{"vpc-1":"maint","__proto__":"maint"}}'],
    ['configured weights for nobody', '{"id":1,"op":"configured","configHash":"a","weights":{"web":{"__proto__":1}}}'],
  ])('%s is refused, and not acknowledged without being done', (_, line) => {
    expect(() => parseRequest(line)).toThrow(/__proto__/);
  });

  test('property: lines are taken apart alike in whatever pieces they arrive', () => {
    const text = `${requests.map((request) => JSON.stringify(request)).join('\n')}\n\n${JSON.stringify(replies[1])}\n`;
    const expected = text.split('\n').filter((line) => line !== '');
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 30 }), (cuts) => {
        const lines: string[] = [];
        const read = lineSplitter((line) => lines.push(line), expect.unreachable);
        const ends = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        for (const [index, start] of ends.entries()) read(text.slice(start, ends[index + 1] ?? text.length));
        expect(lines).toEqual(expected);
      }),
      runs(200),
    );
  });

  test('a line without an end ends once, and nothing after it is heard, in pieces of any size', () => {
    for (const size of [1, 7, 65_536, 3_000_000]) {
      let over = 0;
      const lines: string[] = [];
      const read = lineSplitter(
        (line) => lines.push(line),
        () => {
          over += 1;
        },
      );
      expectQuick(() => {
        for (let sent = 0; sent < 1_500_000; sent += size) read('x'.repeat(size));
      });
      read('\n{"id":1,"op":"stop"}\n');
      expect([over, lines]).toEqual([1, []]);
    }
    // A whole line that is too long is none either.
    let over = 0;
    lineSplitter(expect.unreachable, () => {
      over += 1;
    })(`${'x'.repeat(1_000_001)}\n{"id":1,"op":"stop"}\n`);
    expect(over).toBe(1);
  });

  test('what is wrong a hundred thousand times is said three times', () => {
    const line = `{"id":1,"op":"attempts","backend":"web","servers":[${'1,'.repeat(100_000)}1]}`;
    expect(parsed(() => parseRequest(line))).toBeNull();
  });
});

const config = {
  name: 'edge',
  socket: '/run/edge.sock',
  backends: [
    {
      name: 'web',
      listen: '127.0.0.1:8080',
      servers: [
        { name: 'classic-1', address: '[::1]:21000', weight: 20, admin: 'ready' as const },
        { name: 'vpc-1', address: '21100' },
      ],
      check: { path: '/healthz', intervalMs: 100, timeoutMs: 100, rise: 2, fall: 3 },
      ejection: { connectFailures: 3, ms: 1000 },
      ...{ connectMsMax: 500, responseMsMax: 500, retriesMax: 3 },
    },
  ],
};

describe("the embedded balancer's configuration", () => {
  test('property: any damage gives a configuration in range, or one Error that names where', () => {
    let accepted = 0;
    fc.assert(
      fc.property(jsonDamage, (damage) => {
        const said: unknown = JSON.parse(damagedJson(config, damage));
        let found: ReturnType<typeof parseEmbeddedConfig>;
        try {
          found = parseEmbeddedConfig(said, 'balancer.json');
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(String(error)).toMatch(
            /^Error: balancer\.json is not a configuration of the embedded balancer:\n {2}/,
          );
          return;
        }
        accepted += 1;
        for (const { listen, servers } of found.backends) {
          for (const { port } of [listen, ...servers.map(({ address }) => address)])
            expect(Number.isInteger(port) && port >= 0 && port <= 65_535).toBe(true);
          for (const { weight, name } of servers) {
            expect(weight >= 0 && weight <= 256 && Number.isInteger(weight)).toBe(true);
            expect(name in Object.prototype).toBe(false);
          }
        }
      }),
      runs(1000),
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

const hopByHop = [
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'expect',
];
const headerName = fc.oneof(
  fc.constantFrom('Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Upgrade', 'TE', 'Trailer', 'Expect'),
  fc.constantFrom('Keep-Alive', 'Proxy-Connection', 'Cookie', 'X-Secret', '__proto__', 'constructor', 'ſ', 'K'),
);
const headerValue = fc.oneof(
  fc.constantFrom(
    'chunked',
    'Chunked',
    'gzip, chunked',
    'chunked, chunked',
    'identity',
    '3',
    '0',
    '3, 3',
    '-1',
    '0x3',
    '1e2',
  ),
  fc.constantFrom(
    'close',
    'upgrade',
    'x-secret',
    'host, content-length',
    'transfer-encoding',
    ',,,',
    'websocket',
    'h2c',
  ),
  hostileText,
);
const heads = fc.array(fc.tuple(headerName, headerValue), { maxLength: 12 });
const anyCase = (name: string, mask: number) =>
  [...name].map((letter, index) => ((mask >> (index % 30)) & 1 ? letter.toUpperCase() : letter.toLowerCase())).join('');

describe('heads of requests and responses', () => {
  test('property: what passes has one framing, one host and no hop-by-hop header, in whatever case they are written', () => {
    let passed = 0;
    fc.assert(
      fc.property(heads, fc.nat(), fc.constantFrom('1.0', '1.1'), (pairs, mask, version) => {
        const raw = pairs.flatMap(([name, value]) => [anyCase(name, mask), value]);
        const head = requestHead(raw, '/', version);
        if ('why' in head) {
          expect(head.why).not.toBe('');
          return;
        }
        passed += 1;
        const names = head.headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
        expect(names.filter((name) => hopByHop.includes(name))).toEqual([]);
        expect(names.filter((name) => name === 'host').length).toBeLessThanOrEqual(1);
        const lengths = head.headers.filter(
          (_, index) => index % 2 === 1 && names[(index - 1) / 2] === 'content-length',
        );
        const isChunked = pairs.some(([name]) => name === 'Transfer-Encoding');
        expect(lengths.length).toBeLessThanOrEqual(isChunked ? 0 : 1);
        for (const length of lengths) expect(length).toMatch(/^\d{1,15}$/);
        expect(head.hasBody).toBe(isChunked || lengths.some((length) => Number(length) > 0));
      }),
      runs(1500),
    );
    expect(passed).toBeGreaterThan(100);
  });

  test('property: what passes of a response is in its order and was there', () => {
    fc.assert(
      fc.property(heads, fc.nat(), (pairs, mask) => {
        const raw = pairs.flatMap(([name, value]) => [anyCase(name, mask), value]);
        const kept = responseHeaders(raw);
        expect(kept.length % 2).toBe(0);
        let from = 0;
        for (let index = 0; index < kept.length; index += 2) {
          while (from < raw.length && (raw[from] !== kept[index] || raw[from + 1] !== kept[index + 1])) from += 2;
          expect(from).toBeLessThan(raw.length);
          from += 2;
          expect(hopByHop.filter((name) => name !== 'expect')).not.toContain(kept[index]?.toLowerCase());
        }
      }),
      runs(500),
    );
  });

  test('a head made to cost time ends in proportion', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => [`x-${index}`, '']).flat();
    expectQuick(() => requestHead(['Connection', many.join(','), ...many], '/', '1.1'));
    expectQuick(() =>
      requestHead(Array.from({ length: 20_000 }, () => ['Transfer-Encoding', 'chunked']).flat(), '/', '1.1'),
    );
  });
});
