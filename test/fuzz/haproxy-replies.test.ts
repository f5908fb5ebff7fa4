import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PortError } from '../../src/engine/ports.ts';
import { AnswerReader } from '../../src/io/balancer/haproxy/answer-reader.ts';
import { proxyNumberIn, readingOf } from '../../src/io/balancer/haproxy/reading.ts';
import { parseInfo, parseServersState, parseStat } from '../../src/io/balancer/haproxy/replies.ts';
import { answersIn, factsOf, noFile, recordedReply } from '../haproxy/recorded.ts';
import { at, damagedText, hostileText, place, someDamage } from './damage.ts';
import { expectQuick, runs } from './runs.ts';

const recorded = ['web', 'web-user', 'sticky', 'raw', 'draws', 'empty'] as const;
const backendOf = (name: string) => name.replace('-user', '');

type Outcome = ReturnType<typeof readingOf>['reading'] | PortError;

/** A reading, or the only error that is allowed; anything else escapes and fails the property. */
function outcomeOf(answers: readonly string[], backend: string): Outcome {
  try {
    return readingOf('/run/admin.sock', backend, answers, noFile).reading;
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
}

/** Servers by name: in which order they are told says nothing. */
function told(outcome: Outcome) {
  if (outcome instanceof PortError) return outcome.code;
  return { ...outcome, servers: outcome.servers.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

function expectInRange(outcome: Outcome): void {
  if (outcome instanceof PortError) {
    expect(outcome.message.length).toBeLessThan(2000);
    return;
  }
  for (const { weight, configuredWeight, counters, name, admin, health } of outcome.servers) {
    expect(Math.max(weight, configuredWeight)).toBeLessThanOrEqual(256);
    for (const value of [weight, configuredWeight, ...Object.values(counters)])
      expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
    expect(name in Object.prototype).toBe(false);
    expect(['ready', 'drain', 'maint']).toContain(admin);
    expect(['up', 'down', 'starting', 'unchecked']).toContain(health);
  }
}

/** Damage to the form of a table: no cell says anything else, but cells or lines are not where they were. */
type Shift = {
  readonly line: number;
  readonly cell: number;
  readonly kind: (typeof shiftKinds)[number];
  readonly text: string;
};
const shiftKinds = [
  'drop cell',
  'repeat cell',
  'insert cell',
  'drop line',
  'repeat line',
  'swap lines',
  'cut line',
] as const;
const shift: fc.Arbitrary<Shift> = fc.record({
  line: place,
  cell: place,
  kind: fc.constantFrom(...shiftKinds),
  text: fc.oneof(fc.constant(''), fc.constant('0'), hostileText),
});

function shifted(answer: string, separator: string, { line, cell, kind, text }: Shift): string {
  const lines = answer.split('\n');
  const row = at(line, lines.length);
  const cells = (lines[row] ?? '').split(separator);
  const column = at(cell, cells.length);
  switch (kind) {
    case 'drop cell':
      return lines.with(row, cells.toSpliced(column, 1).join(separator)).join('\n');
    case 'repeat cell':
      return lines.with(row, cells.toSpliced(column, 0, cells[column] ?? '').join(separator)).join('\n');
    case 'insert cell':
      return lines.with(row, cells.toSpliced(column, 0, text).join(separator)).join('\n');
    case 'drop line':
      return lines.toSpliced(row, 1).join('\n');
    case 'repeat line':
      return lines.toSpliced(row, 0, lines[row] ?? '').join('\n');
    case 'swap lines':
      return lines
        .toSpliced(row, 1)
        .toSpliced(0, 0, lines[row] ?? '')
        .join('\n');
    case 'cut line':
      return lines.with(row, cells.slice(0, column).join(separator)).join('\n');
  }
}

describe('replies of HAProxy', () => {
  test('property: a reply that ends early is not all of the answers, at any of its bytes', () => {
    for (const name of recorded) {
      const reply = recordedReply(name);
      const whole = answersIn(reply);
      for (let end = 0; end < reply.length; end++) {
        const reader = new AnswerReader(5);
        reader.read(reply.slice(0, end));
        // Whoever asks goes by `missing`: nothing that is cut is read.
        if (reader.missing === 0) expect(reader.complete).toEqual(whole);
        else expect(reader.complete).toEqual(whole.slice(0, 5 - reader.missing));
      }
    }
  });

  test('property: any damage gives a reading of whole numbers in their range, or a PortError', () => {
    fc.assert(
      fc.property(fc.constantFrom(...recorded), someDamage, (name, damage) => {
        expectInRange(outcomeOf(answersIn(damagedText(recordedReply(name), damage)), backendOf(name)));
      }),
      runs(1500),
    );
  });

  test('property: whatever one cell says, what is read of it is in its range', () => {
    const text = fc.oneof(hostileText, fc.constantFrom('0', '1', '2', '3', '4', '256', '257', '65535', '65536'));
    const table = fc.constantFrom([1, ' '] as const, [2, ','] as const);
    let read = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...recorded),
        table,
        place,
        place,
        text,
        (name, [index, separator], line, cell, other) => {
          const answers = answersIn(recordedReply(name));
          const lines = (answers[index] ?? '').split('\n');
          const row = at(line, lines.length);
          const cells = (lines[row] ?? '').split(separator);
          const changed = lines.with(row, cells.with(at(cell, cells.length), other).join(separator)).join('\n');
          const outcome = outcomeOf(answers.with(index, changed), backendOf(name));
          if (!(outcome instanceof PortError)) read += 1;
          expectInRange(outcome);
        },
      ),
      runs(1200),
    );
    expect(read).toBeGreaterThan(200);
  });

  test('property: a table whose cells or lines have moved is refused, or says the same', () => {
    const table = fc.constantFrom([1, ' '] as const, [2, ','] as const);
    let refused = 0;
    fc.assert(
      fc.property(fc.constantFrom(...recorded), table, shift, (name, [index, separator], move) => {
        const answers = answersIn(recordedReply(name));
        const moved = shifted(answers[index] ?? '', separator, move);
        const outcome = told(outcomeOf(answers.with(index, moved), backendOf(name)));
        if (typeof outcome === 'string') refused += 1;
        else expect(outcome).toEqual(told(outcomeOf(answers, backendOf(name))));
      }),
      runs(1500),
    );
    expect(refused).toBeGreaterThan(500);
  });

  test('property: what HAProxy does not write into a cell is no number', () => {
    const numbers = [
      'connect',
      'reuse',
      'hrsp_2xx',
      'hrsp_5xx',
      'econ',
      'eresp',
      'srv_abrt',
      'scur',
      'wretr',
      'wredis',
      'sid',
      'bck',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...numbers), hostileText, (column, text) => {
        fc.pre(!/^\d{1,15}$/.test(text) && !/[,"\n]/.test(text));
        const answers = answersIn(recordedReply('web'));
        const [header = '', first = '', ...others] = (answers[2] ?? '').split('\n');
        const cells = first.split(',').with(header.slice(2).split(',').indexOf(column), text);
        const outcome = outcomeOf(answers.with(2, [header, cells.join(','), ...others].join('\n')), 'web');
        // As many digits as a double holds exactly may be a count.
        if (!(outcome instanceof PortError)) expect(text).toBe('9007199254740991');
        else expect(outcome.code).toBe('protocol');
      }),
      runs(500),
    );
  });

  test('property: a cell is read as it was written, whatever stands in it', () => {
    const cell = fc.oneof(hostileText, fc.string({ maxLength: 20 })).filter((text) => !text.includes('\n'));
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 8 }), (cells) => {
        const columns = cells.map((_, index) => `c${index}`);
        const written = cells.map((text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(',');
        const [row] = parseStat('show stat', `# pxname,${columns.join(',')}\nweb,${written}`);
        expect(columns.map((column) => row?.text(column))).toEqual(cells);
      }),
      runs(500),
    );
  });

  test("property: the backend's number is a number, and no other command", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        fc.pre(!/[ \n]/.test(text));
        let number: string | null = null;
        try {
          number = proxyNumberIn(`1\n# be_id be_name\n${text} web`);
        } catch (error) {
          expect(error).toBeInstanceOf(PortError);
        }
        if (number !== null) expect(number).toMatch(/^\d+$/);
      }),
      runs(300),
    );
  });
});

describe('replies of HAProxy, as found', () => {
  const web = answersIn(recordedReply('web'));
  const refusedWith = (change: (answers: readonly string[]) => readonly string[]) => {
    const outcome = outcomeOf(change(web), 'web');
    return outcome instanceof PortError ? outcome.code : 'a reading';
  };

  test.each([
    ['a cell too few in a row of counters', 2, (text: string) => text.replace('web,classic-1,0,', 'web,classic-1,')],
    ['a cell too many', 2, (text: string) => text.replace('web,classic-1,', 'web,classic-1,0,')],
    ['a column twice', 2, (text: string) => text.replace(',hrsp_other,', ',hrsp_5xx,')],
    ["servers of another backend's table", 1, (text: string) => text.replaceAll('4 web ', '4 shop ')],
    ['a row of another backend', 2, (text: string) => text.replace('web,classic-1,', 'shop,classic-1,')],
    ['two process ids', 0, (text: string) => `${text}\nPid: 77`],
    [
      'flags that no operator on bits can see',
      1,
      (text: string) => text.replace(' 2 0 100 100 ', ' 2 4294967297 100 100 '),
    ],
    [
      'a word where HAProxy tells whether it is a backup',
      2,
      (text: string) => text.replace(/(web,classic-1,.*?,UP,100,1,)0/, '$1x'),
    ],
  ])('%s: no reading', (_, index, change) => {
    expect(change(web[index] ?? '')).not.toBe(web[index]);
    expect(refusedWith((answers) => answers.with(index, change(answers[index] ?? '')))).toBe('protocol');
  });

  test.each(['constructor', '__proto__', 'toString'])('a server called %s is refused by name', (name) => {
    const renamed = web.map((answer) => answer.replaceAll('classic-1', name));
    const outcome = outcomeOf(renamed, 'web');
    expect(outcome).toMatchObject({ code: 'refused', message: expect.stringContaining(`web/${name}`) });
  });

  test('the number of a backend that would be a command is refused', () => {
    expect(() => proxyNumberIn('1\n# be_id be_name\n4;shutdown web')).toThrow(PortError);
  });

  test('retry-on with a variable is unknown: its value is the balancer’s', () => {
    const file = factsOf('web', 'backend web\n retry-on "$CONDITIONS"\n server classic-1 127.0.0.1:1\n');
    const { reading } = readingOf('s', 'web', web, file);
    expect(reading.traits.retryOn).toMatchObject({ known: false, why: expect.stringContaining('CONDITIONS') });
  });
});

test('replies made to cost time end in proportion', () => {
  const long = 'x'.repeat(1_000_000);
  const quietly = (action: () => unknown) =>
    expectQuick(() => {
      try {
        action();
      } catch (error) {
        expect(error).toBeInstanceOf(PortError);
        expect(String(error).length).toBeLessThan(2000);
      }
    });
  quietly(() => parseStat('show stat', `# pxname,svname\n${'"'.repeat(1_000_001)}`));
  quietly(() => parseStat('show stat', `# pxname,svname\n${'"",'.repeat(300_000)}`));
  quietly(() => parseStat('show stat', `# pxname,${long}\n${long}`));
  quietly(() => parseStat('show stat', `# pxname,${'a,'.repeat(300_000)}\n`));
  quietly(() => parseServersState('show servers state', `1\n# ${'a '.repeat(300_000)}`));
  quietly(() => parseServersState('show servers state', `1\n# be_id\n${`${long}\n`.repeat(5)}`));
  quietly(() => parseInfo('s', `Pid: ${'9'.repeat(1_000_000)}`));
  quietly(() => parseInfo('s', `Pid: 1\n`.repeat(100_000)));
  quietly(() => {
    const reader = new AnswerReader(2);
    for (let index = 0; index < 300_000; index++) reader.read('x');
    expect(reader.missing).toBe(2);
  });
});
