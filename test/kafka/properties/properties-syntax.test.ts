import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProperties } from '../../../src/io/kafka/properties/properties-syntax.ts';

describe('the syntax of Java', () => {
  test.each([
    ['separators', 'a=1\nb:2\nc 3\nd = 4\ne\t:\t5\nf=\ng', { a: '1', b: '2', c: '3', d: '4', e: '5', f: '', g: '' }],
    ['only the first separator is one', 'a==1\nb:=2\nc = = 3\nd=x y:z', { a: '=1', b: '=2', c: '= 3', d: 'x y:z' }],
    ['escaped separators are of the key', 'a\\=b\\:c\\ d=1', { 'a=b:c d': '1' }],
    ['comments and blank lines', '# a=1\n  ! b=2\n\n \t\f\n#c=\\\nd=1', { d: '1' }],
    ['lines that go on', 'a=one,\\\n    two,\\\r\n\tthree\nb=1\\\\\nc=2', { a: 'one,two,three', b: '1\\', c: '2' }],
    ['a line that goes on into nothing', 'a=1\\', { a: '1' }],
    ['a comment that would go on', 'a=1\\\n#2\nb=3', { a: '1#2', b: '3' }],
    ['escapes', 'a=\\t\\n\\r\\f\\u00e4\\u20AC\\q\\"', { a: '\t\n\r\fä€q"' }],
    ['white space at the end is of the value', 'a=1  ', { a: '1  ' }],
    ['every end of a line', 'a=1\rb=2\r\nc=3', { a: '1', b: '2', c: '3' }],
    ['a key that is empty', '=1\n:2', { '': '2' }],
  ])('%s', (_, text, expected) => {
    const { entries, problems } = parseProperties(text);
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value]))).toEqual(expected);
    expect(problems).toEqual([]);
  });

  test('a unicode escape without its digits is told with the line where its entry begins', () => {
    const { entries, problems } = parseProperties('a=1\nb=x\\\n  \\u12\nc=2');
    expect(entries.map(({ key }) => key)).toEqual(['a', 'c']);
    expect(problems.map(({ line }) => line)).toEqual([2]);
  });

  test('whatever was written as Java writes it is read as it was', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const white = fc.constantFrom('', ' ', '\t', ' \f ');
    const layout = fc.record({
      before: white,
      between: fc.constantFrom('=', ':', ' ', '\t', ' = ', ' :\f'),
      breaks: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, text, layout), { maxLength: 8 }),
        fc.constantFrom('\n', '\r', '\r\n'),
        (wanted, end) => {
          const lines = wanted.map(([key, value, { before, between, breaks }]) => {
            const middle = breaks ? `\\${end} \t` : '';
            // Before an empty key a separator that is white would be its indentation.
            return `${before}${written(key)}${key === '' ? '=' : between}${middle}${written(value)}${end}`;
          });
          const { entries, problems } = parseProperties(lines.join(`#${end}`));
          expect(problems).toEqual([]);
          expect(entries.map(({ key, value }) => [key, value])).toEqual(wanted.map(([key, value]) => [key, value]));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('any text is read without an error, and no entry has a line that the text has not', () => {
    const anything = fc.string({
      unit: fc.constantFrom('\\', '\n', '\r', ' ', '=', ':', '#', 'u', '0', 'a', '\t'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(anything, (text) => {
        const count = text.split(/\r\n|\r|\n/).length;
        const { entries, problems } = parseProperties(text);
        for (const { line } of [...entries, ...problems]) expect(line).toBeLessThanOrEqual(count);
      }),
      { numRuns: 2000 },
    );
  });
});

/** Everything that could mean something is escaped. */
function written(text: string): string {
  return text.replace(/[\s\S]/g, (unit) => {
    const code = unit.charCodeAt(0);
    if (/[A-Za-z0-9.]/.test(unit)) return unit;
    return /[ =:#!\\]/.test(unit) ? `\\${unit}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
