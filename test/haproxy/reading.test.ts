import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BackendReading, ServerReading } from '../../src/core/observed/backend.ts';
import { PortError } from '../../src/engine/ports.ts';
import { AnswerReader } from '../../src/io/balancer/haproxy/answer-reader.ts';
import type { FileFacts } from '../../src/io/balancer/haproxy/configuration-reader.ts';
import { readingOf } from '../../src/io/balancer/haproxy/reading.ts';
import { answersIn, factsOf, noFile, recordedReply } from './recorded.ts';

function read(name: string, backend: string, file: FileFacts = noFile): BackendReading {
  return readingOf('/run/admin.sock', backend, answersIn(recordedReply(name)), file).reading;
}

function server(reading: BackendReading, name: string): ServerReading {
  const found = reading.servers.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe('what HAProxy 2.6.12 said', () => {
  test('weights, states, health, addresses and counters of servers', () => {
    const reading = read('web', 'web');
    expect(reading.process).toMatch(/^\d+@\d+$/);
    expect(
      reading.servers.map(({ name, address, weight, admin, health }) => [name, address, weight, admin, health]),
    ).toEqual([
      ['classic-1', '127.0.0.1:28101', 100, 'ready', 'up'],
      ['classic-2', '127.0.0.1:28102', 50, 'ready', 'unchecked'],
      ['classic-3', '127.0.0.1:28103', 100, 'ready', 'unchecked'],
      ['vpc-1', '127.0.0.1:28199', 0, 'maint', 'unchecked'],
      ['vpc-2', '[::1]:28199', 0, 'ready', 'down'],
    ]);
    expect(server(reading, 'classic-2').counters).toMatchObject({
      attempts: 12,
      rsp2xx: 6,
      rsp5xx: 6,
      eresp: 0,
      scur: 0,
    });
    expect(server(reading, 'classic-3').counters).toMatchObject({ attempts: 24, rsp2xx: 0, rsp5xx: 0, eresp: 24 });
    expect(server(reading, 'vpc-1').configuredAdmin).toEqual({ known: true, value: 'maint' });
    expect(server(reading, 'vpc-2').configuredAdmin).toEqual({ known: true, value: 'ready' });
  });

  test('traits: from the socket alone, and with haproxy.cfg', () => {
    expect(read('web', 'web').traits).toMatchObject({
      mode: { value: 'http' },
      algorithm: { value: 'roundrobin' },
      // Another backend has a stick table, which this one might use.
      stickiness: { known: false, why: expect.stringContaining('raw') },
      retryOn: { known: false },
    });
    expect(read('web', 'web', factsOf('web')).traits).toEqual({
      mode: { known: true, value: 'http' },
      algorithm: { known: true, value: 'roundrobin' },
      stickiness: { known: true, value: null },
      retryOn: { known: true, value: ['conn-failure'] },
      abortOnClose: { known: true, value: false },
      redispatch: { known: true, value: true },
      bypasses: { known: true, value: [] },
      attemptMsMax: { known: true, value: 6000 },
      readOnly: { known: true, value: null },
    });
  });

  test('a socket of level user hides the algorithm, which is then unknown, and nothing else', () => {
    const [user, admin] = [read('web-user', 'web'), read('web', 'web')];
    expect(user.traits.algorithm).toEqual({ known: false, why: expect.stringContaining('level operator') });
    expect(user.servers).toEqual(admin.servers);
    expect(user.traits.readOnly).toEqual({
      known: true,
      value: { why: expect.stringContaining('level user'), remedy: expect.stringContaining('level admin') },
    });
  });

  test('features of servers and stickiness by cookie', () => {
    const reading = read('sticky', 'sticky', factsOf('sticky'));
    expect(reading.traits).toMatchObject({ algorithm: { value: 'leastconn' }, stickiness: { value: 'cookie' } });
    expect(reading.servers.map(({ name, features }) => [name, features])).toEqual([
      ['one', ['cookie']],
      ['spare', ['backup']],
      ['tracker', ['track']],
      ['agent', ['agent-check']],
      ['slot1', ['server-template']],
      ['slot2', ['server-template']],
    ]);
    expect(server(reading, 'tracker').health).toBe('up');
    expect(read('sticky', 'sticky').traits.stickiness).toEqual({ known: true, value: 'cookie' });
  });

  test('a TCP backend says so; it counts attempts, and no responses', () => {
    const reading = read('raw', 'raw');
    expect(reading.traits).toMatchObject({
      mode: { value: 'tcp' },
      algorithm: { value: 'source' },
      stickiness: { value: 'hash' },
    });
    expect(read('raw', 'raw', factsOf('raw')).traits.stickiness).toEqual({ known: true, value: 'stick-table' });
    expect(server(reading, 'local').counters.attempts).toBeGreaterThan(0);
    expect(server(reading, 'local').counters).toMatchObject({ rsp2xx: 0, rsp5xx: 0 });
    expect(server(reading, 'local').address).toBeNull();
  });

  test('random is "unknown" to 2.6 itself: unknown without haproxy.cfg', () => {
    expect(read('draws', 'draws').traits.algorithm.known).toBe(false);
    expect(read('draws', 'draws', factsOf('draws')).traits.algorithm).toEqual({ known: true, value: 'random' });
  });

  test('a backend without servers, and one that is not there', () => {
    expect(read('empty', 'empty').servers).toEqual([]);
    expect(() => read('nosuch', 'nosuch')).toThrow(/has no backend "nosuch"/);
    expect(codeOf(() => read('nosuch', 'nosuch'))).toBe('not-found');
  });

  test("the master's socket is told from a worker's, with the line to add", () => {
    expect(() => read('master', 'web')).toThrow(/master process.*stats socket .* level admin/);
    expect(codeOf(() => read('master', 'web'))).toBe('refused');
  });

  test('a server that haproxy.cfg does not have was added while HAProxy ran', () => {
    const file = factsOf('web', 'defaults\n mode http\nbackend web\n server classic-1 127.0.0.1:1\n');
    expect(server(read('web', 'web', file), 'classic-1').features).toEqual([]);
    expect(server(read('web', 'web', file), 'vpc-1').features).toEqual(['not-in-configuration']);
  });

  test('an HAProxy before 2.6 is refused by its version', () => {
    const old = recordedReply('web').replace(/^Version: .*/m, 'Version: 2.4.22');
    expect(() => readingOf('s', 'web', answersIn(old), noFile)).toThrow(/version 2.4.22; Drover needs 2.6/);
    const newer = recordedReply('web').replace(/^Version: .*/m, 'Version: 3.2.0');
    expect(readingOf('s', 'web', answersIn(newer), noFile).reading.servers).toHaveLength(5);
  });
});

describe('replies that are not what HAProxy sends', () => {
  const web = recordedReply('web');

  test.each([
    'connect',
    'reuse',
    'scur',
    'hrsp_2xx',
    'hrsp_5xx',
    'econ',
    'eresp',
    'srv_abrt',
    'wredis',
    'mode',
    'algo',
    'tracked',
  ])('without the column %s there is no reading, rather than one with a zero', (column) => {
    const renamed = web.replace(`,${column},`, `,x_${column},`);
    expect(codeOf(() => readingOf('s', 'web', answersIn(renamed), noFile))).toBe('protocol');
  });

  test.each(['srv_uweight', 'srv_iweight', 'srv_admin_state', 'srv_op_state', 'srv_check_state', 'srv_name'])(
    'without the column %s of the servers state there is no reading',
    (column) => {
      const renamed = web.replace(` ${column} `, ` x_${column} `);
      expect(codeOf(() => readingOf('s', 'web', answersIn(renamed), noFile))).toBe('protocol');
    },
  );

  test.each([
    ['an empty counter in HTTP mode', /(web,classic-1,0,0,0,\d+,,\d+,\d+,\d+,,\d+,,)0/, '$1'],
    ['a counter that is no number', /(web,classic-1,0,0,)0/, '$1many'],
    ['a negative weight', / 100 100 /, ' -1 100 '],
    ['a weight above 256', / 100 100 /, ' 300 100 '],
    ['an operational state from the future', /(classic-1 127\.0\.0\.1) 2/, '$1 7'],
    ['a server that is only in one of the tables', /web,classic-1,/, 'web,another,'],
    ['the same server twice', /web,classic-1,/, 'web,classic-2,'],
    ['no row of the backend', /web,BACKEND,/, 'web,classic-9,'],
    ['no process id', /^Pid: .*$/m, 'Pid: none'],
  ])('%s is a protocol error', (_, pattern, replacement) => {
    const changed = web.replace(pattern, replacement);
    expect(changed).not.toBe(web);
    expect(codeOf(() => readingOf('s', 'web', answersIn(changed), noFile))).toBe('protocol');
  });

  test('damage of any kind gives a reading of whole numbers or a PortError, never a crash', () => {
    const names = ['web', 'sticky', 'raw', 'empty'] as const;
    const damage = fc.array(
      fc.record({
        at: fc.nat(5000),
        remove: fc.nat(40),
        insert: fc.oneof(fc.constant(''), fc.string(), fc.constantFrom('\n', ',', ' ', '"', '-')),
      }),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...names), damage, (name, edits) => {
        const reply = edits.reduce(
          (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
          recordedReply(name),
        );
        expectReadingOrError(answersIn(reply), name);
      }),
      { numRuns: 2000 },
    );
  });

  test('answers of any text give a PortError', () => {
    const answer = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('1\n# be_name', '# pxname,svname', 'Pid: 1'),
    );
    fc.assert(fc.property(fc.array(answer, { maxLength: 5 }), (answers) => expectReadingOrError(answers, 'web')));
  });
});

test('a reply is taken apart alike in whatever pieces it arrives', () => {
  const reply = recordedReply('web');
  const whole = answersIn(reply);
  expect(whole).toHaveLength(5);
  fc.assert(
    fc.property(fc.array(fc.nat(reply.length), { maxLength: 20 }), (cuts) => {
      const reader = new AnswerReader(5);
      const at = [0, ...cuts.toSorted((a, b) => a - b), reply.length];
      for (const [index, start] of at.entries()) reader.read(reply.slice(start, at[index + 1] ?? reply.length));
      expect(reader.complete).toEqual(whole);
      expect(reader.missing).toBe(0);
    }),
  );
});

test('a batch that was refused in its middle has an answer for each command', () => {
  const answers = answersIn(recordedReply('writes'), 6);
  expect(answers.slice(0, 5)).toEqual(['', 'No such server.', '', expect.stringContaining('between 0 and 256'), '']);
  expect(answersIn(recordedReply('writes-denied'), 2)[0]).toBe('Permission denied');
});

function expectReadingOrError(answers: readonly string[], backend: string): void {
  const outcome = outcomeOf(() => readingOf('/run/admin.sock', backend, answers, noFile));
  if (outcome instanceof PortError) expect(outcome.message.length).toBeLessThan(1000);
  else {
    const { reading } = outcome;
    for (const { weight, configuredWeight, counters } of reading.servers) {
      for (const value of [weight, configuredWeight, ...Object.values(counters)]) {
        expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
      }
    }
  }
}

function outcomeOf<T>(action: () => T): T | PortError {
  try {
    return action();
  } catch (error) {
    if (error instanceof PortError) return error;
    throw error;
  }
}

function codeOf(action: () => unknown): string {
  const outcome = outcomeOf(action);
  return outcome instanceof PortError ? outcome.code : 'no error';
}
