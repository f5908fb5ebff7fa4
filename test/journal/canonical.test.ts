import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CanonicalJsonError, canonicalJson } from '../../src/core/journal/canonical.ts';

describe('canonical JSON', () => {
  test('sorts keys by UTF-16 code units, not by code points and not by locale', () => {
    const keys = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, ö: 7 };
    expect(canonicalJson(keys)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
    expect(canonicalJson({ b: 1, a: 2, B: 3, A: 4, '10': 5, '9': 6 })).toBe('{"10":5,"9":6,"A":4,"B":3,"a":2,"b":1}');
  });

  test.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [-5e-324, '-5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [1e23, '1e+23'],
    [999999999999999700000, '999999999999999700000'],
    [1e21, '1e+21'],
    [0.000001, '0.000001'],
    [1e-7, '1e-7'],
    [333333333.33333325, '333333333.33333325'],
    [4.5, '4.5'],
    [2e-3, '0.002'],
  ])('writes the number %d as ECMAScript does', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  test('escapes what must be escaped, in the shortest way, and nothing else', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/\b\t\f\r\u007f\u2028')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\\b\\t\\f\\r\u007f\u2028"',
    );
    expect(canonicalJson('\u001f\u{1d11e}')).toBe('"\\u001f\u{1d11e}"');
  });

  test.each([
    ['undefined', { body: { servers: [{ name: 'a' }, { name: undefined }] } }, '$.body.servers[1].name', 'undefined'],
    ['NaN', { a: [1, Number.NaN] }, '$.a[1]', 'NaN'],
    ['an infinity', { 'two words': Number.NEGATIVE_INFINITY }, '$["two words"]', '-Infinity'],
    ['half of a surrogate pair', ['fine', 'a\ud800b'], '$[1]', 'surrogate'],
    ['half of a surrogate pair in a key', { a: { '\udc00': 1 } }, '$.a["\\udc00"]', 'surrogate'],
    ['a bigint', { n: 1n }, '$.n', 'bigint'],
    ['a function', { n: () => 1 }, '$.n', 'function'],
    ['a symbol', Symbol('s'), '$', 'symbol'],
    ['a hole in an array', { list: new Array(2) }, '$.list[0]', 'undefined'],
    ['a date', { at: new Date(0) }, '$.at', 'Date'],
    ['a map', { at: new Map() }, '$.at', 'Map'],
  ])('refuses %s and says where it is', (_name, value, path, found) => {
    expect(() => canonicalJson(value)).toThrow(CanonicalJsonError);
    expect(() => canonicalJson(value)).toThrow(`${path} cannot be written as JSON`);
    expect(() => canonicalJson(value)).toThrow(found);
  });

  test('refuses a cycle and a value nested without end instead of overflowing the stack', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => canonicalJson(cycle)).toThrow('nested more than');
    expect(() => canonicalJson(JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`))).toThrow('nested more than');
  });

  test('keeps a key named __proto__', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1},"b":2}'))).toBe('{"__proto__":{"a":1},"b":2}');
  });

  test('property: says the same value, whatever the order of the keys, in the same text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.infiniteStream(fc.nat()), (value, order) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(shuffleKeys(value, () => order.next().value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 500 },
    );
  });
});

function shuffleKeys(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffleKeys(each, next));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, field]) => ({ key, field: shuffleKeys(field, next), rank: next() }));
  return Object.fromEntries(entries.sort((a, b) => a.rank - b.rank).map(({ key, field }) => [key, field]));
}
