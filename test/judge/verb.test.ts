import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { directoryForEach } from '../made/context.ts';
import { fixtures, header, type Ran, run } from './run-verb.ts';

const directory = directoryForEach();

/** `judge -` over these rows. */
async function judged(rows: readonly string[], ...options: readonly string[]): Promise<Ran> {
  return run([...options, '-'], [`${[header, ...rows].join('\n')}\n`]);
}

describe('recordings', () => {
  // The expected lines were computed by a separate, literal implementation of the formulas.
  test.each([
    ['worse.csv', [], 2],
    ['worse.csv', ['--objective', '0.0015'], 2],
    ['equal.csv', [], 0],
    ['quiet.csv', [], 3],
    ['quiet.csv', ['--objective', '0.02'], 0],
    ['outage.csv', [], 0],
    ['outage.csv', ['--objective', '0.01'], 2],
  ] as const)('%s %j: exit %d, and its output to the letter', async (file, options, exitCode) => {
    const ran = await run([file, '--json', ...options]);
    expect({ exitCode: ran.exitCode, error: ran.error }).toEqual({ exitCode, error: null });
    const golden = join(fixtures, `${[file.replace('.csv', ''), ...options].join('')}.jsonl`);
    const expected = readFileSync(golden, 'utf8').trimEnd().split('\n');
    expect(ran.lines.map((line) => JSON.parse(line))).toEqual(expected.map((line) => closeTo(JSON.parse(line))));
  });

  test('the shape of a line of JSON', async () => {
    const { lines } = await judged(['1,909,1,91,2'], '--json');
    expect(lines).toHaveLength(1);
    expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(['seconds', 'verdict', 'rollBack', 'promote']);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      seconds: 1,
      verdict: 'not enough evidence',
      rollBack: { logEvidence: expect.any(Number), threshold: expect.closeTo(Math.log(1000), 12), by: 'comparison' },
      promote: { logEvidence: expect.any(Number), threshold: expect.closeTo(Math.log(100), 12), by: 'comparison' },
    });
  });

  test('for people: one line when the verdict changes, and a last one', async () => {
    const worse = await run(['worse.csv']);
    expect(worse.lines).toHaveLength(2);
    expect(worse.lines[0]).toMatch(/^\d+ s: roll back \(evidence \d+\.\d\d of 6\.91, by comparison\)$/);
    expect(worse.lines[1]).toMatch(/^roll back after \d+ s: origin \d+ of \d+ failed \(.* %\), destination \d+ of/);
    const quiet = await run(['quiet.csv']);
    expect(quiet.lines).toHaveLength(1);
    expect(quiet.lines[0]).toMatch(
      /^not enough evidence after \d+ s: .*; about [1-9][\d,]* more requests to promote, if both groups fail alike \(by comparison\)$/,
    );
  });

  test('the first decisive verdict ends the output and the reading', async () => {
    let read = 0;
    function* endless(): Generator<string> {
      yield `${header}\n`;
      for (let second = 1; ; second++) {
        read = second;
        yield `${second},900,0,100,10\n`;
      }
    }
    const { lines, exitCode } = await run(
      ['--json', '-'],
      Readable.from(endless(), { objectMode: true, highWaterMark: 1 }),
    );
    expect(exitCode).toBe(2);
    expect(lines.map((line) => JSON.parse(line).verdict)).toEqual([
      ...new Array(lines.length - 1).fill('not enough evidence'),
      'roll back',
    ]);
    expect(read).toBeLessThan(lines.length + 5);
  });

  test('the smallest numbers that there are make no threshold or evidence that is none', async () => {
    const tiny = ['--alpha', '5e-324', '--beta', '5e-324', '--tolerate', '5e-324', '--objective', '5e-324'];
    const { lines } = await judged(['1,900,1,100,1'], ...tiny, '--json');
    const { rollBack, promote } = JSON.parse(lines[0] ?? '');
    for (const { threshold } of [rollBack, promote]) expect(threshold).toBeCloseTo(1075 * Math.LN2, 9);
    for (const { logEvidence } of [rollBack, promote]) expect(logEvidence).toEqual(expect.any(Number));
  });

  test('a promotion that would take for ever is not a number of forty digits', async () => {
    const { lines } = await judged(['1,9007199254740991,5,1,0']);
    expect(lines[0]).toMatch(/; promotion would take more requests than there will ever be$/);
  });

  test('roll back wins a tie', async () => {
    // The destination is far better than an absurd objective for promotion, and far worse than the origin.
    const { lines, exitCode } = await judged(['1,9000,0,1000,100'], '--objective', '0.9', '--json');
    const line = JSON.parse(lines[0] ?? '');
    expect(line.promote.logEvidence).toBeGreaterThan(line.promote.threshold);
    expect([line.verdict, exitCode]).toEqual(['roll back', 2]);
  });

  test('a header and nothing else is not enough evidence', async () => {
    expect(await run(['-'], [header])).toMatchObject({
      lines: ['not enough evidence: there are no windows'],
      exitCode: 3,
    });
    expect(await run(['--json', '-'], [`${header}\n`])).toMatchObject({ lines: [], exitCode: 3 });
  });

  test('chunks may end anywhere, lines in CR LF, the file without an end of line, and begin with a byte order mark', async () => {
    const text = `\uFEFF${header}\r\n1,900,1,100,0\r\n2,900,0,100,1`;
    const expected = await run(['--json', '-'], [text]);
    expect(expected).toMatchObject({ exitCode: 3, error: null, lines: { length: 2 } });
    const bytes = [...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte));
    expect(await run(['--json', '-'], bytes)).toEqual(expected);
  });

  test('empty lines at the end are nothing', async () => {
    expect(await judged(['1,900,1,100,0', '', '', ''])).toMatchObject({ exitCode: 3, error: null });
  });

  test('memory does not grow with the recording', async () => {
    const seconds = 300_000;
    function* long(): Generator<Uint8Array> {
      const encoder = new TextEncoder();
      yield encoder.encode(`${header}\n`);
      for (let second = 0; second < seconds; second += 1000) {
        const rows = Array.from({ length: 1000 }, (_, index) => `${second + index + 1},9,0,1,0\n`);
        yield encoder.encode(rows.join(''));
      }
    }
    const before = process.memoryUsage().heapUsed;
    const ran = await run(['-'], Readable.from(long(), { objectMode: true, highWaterMark: 1 }));
    expect(ran).toMatchObject({ exitCode: 3, lines: [expect.stringContaining(`after ${seconds} s`)] });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100e6);
  });
});

describe('bad input is exit 1, with line and column', () => {
  const rows = ['1,900,1,100,0', '2,900,1,100,0'];
  test.each([
    ['other columns', ['seconds,origin_requests,origin_errors'], 1, 25, 'expected the column origin_failures'],
    ['columns in another order', [header.replace('seconds,', '')], 1, 1, 'expected the column seconds'],
    ['too few columns', ['seconds,origin_requests'], 1, 24, 'found the end of the line'],
    ['a sixth column in the header', [`${header},latency`], 1, 83, 'no more columns'],
    ['an empty file', [], 1, 1, 'expected the columns'],
    ['a header that is quoted', [`"${header}"`], 1, 1, 'expected the column seconds'],
    ['a fraction', [header, '1,900.5,1,100,0'], 2, 3, 'a whole number for origin_requests'],
    ['a negative count', [header, ...rows, '3,900,-1,100,0'], 4, 7, 'a whole number for origin_failures'],
    ['an exponent', [header, '1,9e2,1,100,0'], 2, 3, 'a whole number'],
    ['a space', [header, '1, 900,1,100,0'], 2, 3, 'a whole number'],
    ['nothing in a field', [header, '1,,1,100,0'], 2, 3, 'found nothing'],
    ['a number too large to be exact', [header, '1,9007199254740993,1,100,0'], 2, 3, 'a whole number'],
    ['a line that is cut', [header, '1,900,1'], 2, 8, 'expected destination_requests'],
    ['a sixth field', [header, '1,900,1,100,0,7'], 2, 15, 'a sixth'],
    ['more failures than requests at the origin', [header, '1,5,6,100,0'], 2, 5, 'at most 5 origin_failures'],
    ['more failures than requests at the destination', [header, '1,5,5,0,1'], 2, 9, 'at most 0 destination_failures'],
    ['seconds that stay', [header, ...rows, '2,900,1,100,0'], 4, 1, 'expected seconds after 2, found 2'],
    ['seconds that go back', [header, ...rows, '1,900,1,100,0'], 4, 1, 'expected seconds after 2, found 1'],
    ['an empty line between windows', [header, '1,900,1,100,0', '', '2,900,1,100,0'], 3, 1, 'found an empty line'],
    ['a line without an end', [header, '9'.repeat(100_000)], 2, 1001, 'expected the end of the line'],
  ] as const)('%s', async (_what, lines, line, column, message) => {
    const { error, exitCode } = await run(['-'], [lines.join('\n')]);
    expect(error?.message).toContain(`<stdin>:${line}:${column}: `);
    expect(error?.message).toContain(message);
    expect(error?.remedy).not.toBeNull();
    expect(exitCode).toBeNull();
  });

  test('the file is named as it was given, and what was judged before the bad line is told', async () => {
    const file = join(directory.path, 'bad.csv');
    writeFileSync(file, `${header}\n1,900,1,100,0\nx,1,1,1,1\n`);
    const { error, lines } = await run(['--json', file]);
    expect(error?.message).toContain(`${file}:3:1: `);
    expect(lines).toHaveLength(1);
  });

  test('no such file, a directory', async () => {
    expect((await run(['nosuch.csv'])).error?.message).toBe('nosuch.csv cannot be read: there is no such file');
    expect((await run([directory.path])).error?.message).toBe(`${directory.path} cannot be read: it is a directory`);
  });

  test.each(['\u009b31m', '\u202e', '\u2028', '\u200b'])(
    'characters that a terminal obeys are shown as what they are: %j',
    async (text) => {
      const { error } = await judged([`1,${text},1,1,1`]);
      expect(error?.message).toContain(`found "\\u{${text.codePointAt(0)?.toString(16)}}`);
      expect(error?.message).not.toContain(text);
    },
  );

  test('bytes that are no text are shown, not obeyed', async () => {
    const { error } = await run(['-'], [Uint8Array.of(0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x0a)]);
    expect(error?.message).toContain('<stdin>:1:1: ');
    expect(error?.message).not.toContain('\u001b');
  });

  test.each([
    [['--tolerate', '3'], '--bad'],
    [['--tolerate', '5', '--bad', '4'], '--bad'],
    [['--tolerate', '100', '--bad', '200'], '--tolerate'],
    [['--tolerate', '0'], '--tolerate'],
    [['--dispersion', '0.99'], '--dispersion'],
    [['--alpha', '0'], '--alpha'],
    [['--alpha', '1'], '--alpha'],
    [['--beta', 'x'], '--beta'],
    [['--beta', ''], '--beta'],
    [['--objective', '0'], '--objective'],
    [['--objective', '1'], '--objective'],
    [['--dispersion', 'Infinity'], '--dispersion'],
    [['--bad', 'NaN'], '--bad'],
  ] as const)('options %j', async (options, named) => {
    const { error, lines, exitCode } = await judged(['1,900,1,100,0'], ...options);
    expect(error?.message).toContain(`${named}: expected`);
    expect({ lines, exitCode }).toEqual({ lines: [], exitCode: null });
  });

  test('all bad options are told at once', async () => {
    const { error } = await judged([], '--alpha', '2', '--beta', '2', '--dispersion', '0');
    expect(error?.message.split('\n')).toHaveLength(3);
  });
});

describe('whatever the input', () => {
  const options = { numRuns: 300 };
  const cell = fc.oneof(
    fc.nat(1000).map(String),
    fc.constantFrom('', '-1', '1e3', '0x1', '9007199254740991', '99999999999999999999', ' 1', '"1"', '\u0000', '∞'),
  );
  const line = fc.oneof(
    fc.array(cell, { minLength: 4, maxLength: 6 }).map((cells) => cells.join(',')),
    fc.string({ maxLength: 30 }),
    fc.constant(''),
  );

  test('it ends with a verdict, or with one error that has line and column', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        async (hasHeader, lines, json) => {
          const input = [...(hasHeader ? [header] : []), ...lines].join('\n');
          const ran = await run([...(json ? ['--json'] : []), '-'], [input]);
          if (ran.error === null) expect([0, 2, 3]).toContain(ran.exitCode);
          else expect(ran.error.message).toMatch(/^<stdin>:\d+:\d+: ./);
        },
      ),
      options,
    );
  });

  test('good rows give finite evidence, one line each until the first decisive one', async () => {
    const row = fc.record({
      step: fc.integer({ min: 1, max: 1e6 }),
      counts: fc.array(fc.nat(2 ** 31), { minLength: 4, maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        let seconds = 0;
        const lines = rows.map(({ step, counts: [a = 0, b = 0, c = 0, d = 0] }) => {
          seconds += step;
          return [seconds, Math.max(a, b), Math.min(a, b), Math.max(c, d), Math.min(c, d)].join(',');
        });
        const { lines: said, exitCode, error } = await judged(lines, '--json', '--objective', '0.1');
        expect(error).toBeNull();
        const verdicts = said.map((text) => JSON.parse(text));
        for (const { rollBack, promote } of verdicts) {
          expect(Number.isFinite(rollBack.logEvidence) && Number.isFinite(promote.logEvidence)).toBe(true);
        }
        const decisive = verdicts.findIndex(({ verdict }) => verdict !== 'not enough evidence');
        expect(verdicts).toHaveLength(decisive === -1 ? rows.length : decisive + 1);
        expect(exitCode).toBe({ 'roll back': 2, promote: 0 }[String(verdicts[decisive]?.verdict)] ?? 3);
      }),
      options,
    );
  });
});

/** Numbers of a parsed line, to the twelfth digit: logarithms may differ in the last one between machines. */
function closeTo(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 9);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closeTo(inner)]));
}
