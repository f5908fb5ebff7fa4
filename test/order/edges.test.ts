import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { edgesOf } from '../../src/core/order/edges.ts';

function read(text: string) {
  const edges = edgesOf(text);
  if (!('services' in edges)) throw new Error(edges.map(({ what }) => what).join());
  return edges;
}

function problems(text: string): string[] {
  const edges = edgesOf(text);
  return 'services' in edges ? [] : edges.map(({ line, column, what }) => `${line}:${column}: ${what}`);
}

describe('dependencies as CSV', () => {
  test('columns by name, in any order; what is left out has its default', () => {
    const { dependencies, services } = read('kind,callee,rate,caller\nsoft,b,2.5,a\n,c,,a\n');
    expect(dependencies).toEqual([
      { caller: 'a', callee: 'b', rate: 2.5, kind: 'soft' },
      { caller: 'a', callee: 'c', rate: 1, kind: 'hard' },
    ]);
    expect(services).toEqual(['a', 'b', 'c']);
  });

  test('quotes, CRLF, a byte order mark, spaces, empty lines, no end of line', () => {
    const text = '\ufeffcaller, callee\r\n"a, ""the"" first", "b\r\nc" \r\n\r\n  d\t,e';
    expect(read(text).dependencies.map(({ caller, callee }) => [caller, callee])).toEqual([
      ['a, "the" first', 'b\r\nc'],
      ['d', 'e'],
    ]);
  });

  test('a service without any dependency, telemetry, and one that calls itself', () => {
    const { services, dependencies, ignored } = read('caller,callee,rate,kind\nz,\na,otel,3,telemetry\na,a,2\n');
    expect(services).toEqual(['a', 'otel', 'z']);
    expect(dependencies).toEqual([]);
    expect(ignored).toEqual([
      { caller: 'a', callee: 'otel', rate: 3, kind: 'telemetry', why: 'telemetry' },
      { caller: 'a', callee: 'a', rate: 2, kind: 'hard', why: 'self' },
    ]);
  });

  test.each([
    ['', ['1:1: expected a header with the columns caller and callee']],
    ['caller,to\n', ['1:8: expected caller, callee, rate or kind, found "to"', '1:1: the header has no column callee']],
    ['caller,callee,caller\n', ['1:15: the column caller is there twice']],
    ['caller,callee,rate\na,b,-1\n', ['2:5: expected a rate of 0 or more, found "-1"']],
    ['caller,callee,rate\na,b,1e999\n', ['2:5: expected a rate of 0 or more, found "1e999"']],
    ['caller,callee,rate\na,b,0x10\n', ['2:5: expected a rate of 0 or more, found "0x10"']],
    ['caller,callee,kind\na,b,firm\n', ['2:5: expected hard, soft or telemetry, found "firm"']],
    ['caller,callee\n,b\n', ['2:1: the caller is missing']],
    ['caller,callee\na\n', ['2:1: the column callee is missing: leave it empty for a service without any']],
    ['caller,callee\na,b,c\n', ['2:5: expected 2 columns, found another']],
    ['caller,callee\n"a\nb",c\nd,"e\n', ['4:3: the quote is not closed']],
    ['caller,callee\n"a"b,c\n', ['2:1: expected a comma after the quote, found "b"']],
    ['caller,callee,rate\na,b,1e308\nb,c,1e308\n', ['1:1: the rates add up to more than a number can be']],
  ])('%j is refused with its place', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('all problems are told at once', () => {
    expect(problems('caller,callee,rate\na,b,x\n,c,1\nd,e,y\n')).toHaveLength(3);
    expect(problems(`caller,callee,rate\n${'a,b,x\n'.repeat(100)}`)).toHaveLength(20);
  });

  test('anything is read or refused, and what is quoted comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab,"\n\r \t1.e'.split('')) }), (text) => {
        const edges = edgesOf(`caller,callee,rate\n${text}`);
        if (!('services' in edges)) expect(edges.length).toBeGreaterThan(0);
      }),
    );
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (caller, callee) => {
        const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
        const { services } = read(`caller,callee\n${quoted(caller)},${quoted(callee)}\n`);
        expect(services).toEqual([...new Set([caller, callee])].sort((a, b) => (a < b ? -1 : 1)));
      }),
    );
  });
});
