import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { exampleConfig } from '../../src/config/example.ts';
import { configSchema } from '../../src/config/json-schema.ts';
import { edited, fullFile, parse } from './files.ts';
import { validate } from './json-schema.ts';

const pieces = [
  ':',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '\n',
  '  ',
  '\t',
  '#',
  '&a ',
  '*a',
  '!x ',
  '<<: ',
  '? ',
  '|',
  '>',
  '%',
  '---\n',
  '...\n',
  ',',
  '\u0000',
  '\uFEFF',
  '\r',
  '\r\n',
  '💥',
  '\uD800',
  '\u2028',
  '0',
  '-1',
  '1e9',
  '.inf',
  'null',
  'true',
  '{}',
  '[]',
  '~',
  '__proto__: 1\n',
  '5%',
  '30s',
  '2..6',
  '120/s',
  'environment: ',
  'services:\n',
  'rollout: ',
  'capacity: 2',
  'weight: 5%',
  'x'.repeat(200),
] as const;

type Mutation = { readonly at: number; readonly remove: number; readonly insert: string };

const mutation: fc.Arbitrary<Mutation> = fc.record({
  // Not a double: those are drawn by their bits, and nearly all are near 0.
  at: fc.noBias(fc.nat(1_000_000)).map((millionth) => millionth / 1_000_000),
  remove: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 400 })),
  insert: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8, unit: 'binary' })),
});

function mutated(text: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((file, { at, remove, insert }) => {
    const index = Math.floor(at * file.length);
    return file.slice(0, index) + insert + file.slice(index + remove);
  }, text);
}

/** Lines exchanged, dropped and doubled: broken files that still look like configurations. */
const shuffledLines = fc
  .array(fc.tuple(fc.constantFrom('drop', 'double', 'swap', 'indent'), fc.nat(), fc.nat()), {
    minLength: 1,
    maxLength: 6,
  })
  .map((edits) => {
    const lines = fullFile.split('\n');
    for (const [kind, a, b] of edits) {
      const [i, j] = [a % lines.length, b % lines.length];
      const [one = '', other = ''] = [lines[i], lines[j]];
      if (kind === 'drop') lines.splice(i, 1);
      else if (kind === 'double') lines.splice(j, 0, one);
      else if (kind === 'indent') lines[i] = b % 2 === 0 ? `  ${one}` : one.replace(/^ {2}/, '');
      else [lines[i], lines[j]] = [other, one];
    }
    return lines.join('\n');
  });

const anyFile = fc.oneof(
  fc
    .tuple(fc.constantFrom(fullFile, exampleConfig), fc.array(mutation, { minLength: 1, maxLength: 5 }))
    .map(([text, edits]) => mutated(text, edits)),
  shuffledLines,
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((parts) => parts.join('')),
);

describe('safety: for any text', () => {
  test('parsing ends with a configuration or with problems that have a place inside the file', () => {
    fc.assert(
      fc.property(anyFile, (text) => {
        const parsed = parse(text);
        const lines = text.replace(/^\uFEFF/, '').split('\n');
        if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0);
        for (const { line, column } of [...(parsed.ok ? [] : parsed.problems), ...parsed.warnings]) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('parsing twice gives the same', () => {
    fc.assert(
      fc.property(anyFile, (text) => {
        expect(parse(text)).toEqual(parse(text));
      }),
      { numRuns: 100 },
    );
  });
});

/** Values of the valid file, and what may stand in their place: some of it right, some wrong. */
const alternatives: readonly (readonly [string, readonly string[]])[] = [
  ['1.5%', ['0.5%', '0.015', '1e-3', '100%', '2']],
  ['2..6', ['3', '1..9', '0..1', '6..2', '"3"']],
  ['120/s', ['7200/m', '1.5/s', '0.0001/h', '120/d']],
  ['"classic-*"', ['classic-*', 'classi?-*', 'x']],
  [
    '{ path: /healthz, interval: 500ms }',
    ['/healthz', '{ path: / }', '{ path: /, rise: 1, fall: 1, timeout: 50ms, start: 2h }', '{}'],
  ],
  ['1.10', ['v1', '"1"', '{ http: / }', '{ files: [] }', 'true', '']],
  ['{ http: /version }', ['20240101', 'x y z', '[]']],
  ['stop: 5s', ['stop: 0s', 'stop: 1.5m', 'stop: 5', 'capacity: 1/s']],
  ['directory: ./query', ['directory: 7', 'directory: /', 'directory: ""']],
  ['{ MODE: fast, LEVEL: 3 }', ['{}', '{ A: "", B: "a b", _c: 1.0 }', '{ 1A: x }', '{ A: null }']],
  ['[./run/one.sock, 10.0.0.2:9999]', ['[one.sock]', '["[::1]:99"]', '[]']],
  ['tolerate: 1.5', ['tolerate: 1', 'tolerate: 99.5', 'bad: 4', 'dispersion: 1.0', 'tolerate: 0.5']],
  ['settle: 90s', ['settle: 1h', 'grow: 2d', 'drill: {}', 'reserve: 150%', 'reserve: 0', 'attempt: 1d']],
  ['":truck:"', ['💥', ':+1:', '"x"']],
  ['{ capacity: 2 }', ['{ weight: 1% }', '{ weight: 0.5, bake: 0s, instances: 1 }', '{ capacity: 0 }', '{}']],
];

const nearlyValid = fc
  .tuple(...alternatives.map(([from, others]) => fc.option(fc.constantFrom(...others), { freq: 1, nil: from })))
  .map((chosen) => alternatives.reduce((file, [from], index) => edited(file, from, chosen[index] ?? from), fullFile));

/** One at a time, so that most files have nothing else wrong. */
const changedOnce = fc
  .constantFrom(...alternatives)
  .chain(([from, others]) => fc.constantFrom(...others).map((to) => edited(fullFile, from, to)));

describe('what the parser accepts, the JSON Schema accepts', () => {
  const schema = configSchema();

  test('for files made from a valid one', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(changedOnce, nearlyValid, anyFile), (text) => {
        if (!parse(text).ok) return;
        accepted += 1;
        expect(validate(schema, parseYaml(text))).toEqual([]);
      }),
      { numRuns: 600 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});
