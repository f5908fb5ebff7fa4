import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientProperties } from '../../../src/io/kafka/properties/client-properties.ts';
import { takenKeys } from '../../../src/io/kafka/properties/known-keys.ts';
import { refused, taken, told, unreadable } from './taken.ts';

const plainModule = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule';
const login = (module: string, password = '"secret-word"') => `${module} required username="ann" password=${password};`;

describe('who is let in', () => {
  test.each([
    ['PLAIN', plainModule],
    ['SCRAM-SHA-256', scramModule],
    ['SCRAM-SHA-512', scramModule],
  ])('%s by its own login module, and by no other', (mechanism, module) => {
    const sasl = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': mechanism };
    expect(taken({ ...sasl, 'sasl.jaas.config': login(module) })).toEqual({
      tls: null,
      sasl: { mechanism, username: 'ann', password: 'secret-word' },
      clientId: null,
      notes: [],
    });
    const other = module === plainModule ? scramModule : plainModule;
    expect(refused({ ...sasl, 'sasl.jaas.config': login(other) })).toEqual([
      `3 sasl.jaas.config: ${mechanism} needs ${module}`,
    ]);
  });

  test.each([
    ['"a \\"quoted\\" one"', 'a "quoted" one'],
    ['\'it is "so"\'', 'it is "so"'],
    ['"semi;colon=and space"', 'semi;colon=and space'],
    ['"back\\\\slash"', 'back\\slash'],
    ['bare-word', 'bare-word'],
    ['""', ''],
  ])('the password %s is read as Java reads it', (written, password) => {
    const sasl = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN' };
    expect(taken({ ...sasl, 'sasl.jaas.config': login(plainModule, written) }).sasl?.password).toBe(password);
  });

  test.each([
    ['GSSAPI', 'sasl.mechanism: this one is not spoken'],
    ['OAUTHBEARER', 'sasl.mechanism: this one is not spoken'],
  ])('%s is refused with what is spoken', (mechanism, words) => {
    const [first] = refused({
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': mechanism,
      'sasl.jaas.config': login(plainModule),
    });
    expect(first).toContain(words);
    expect(first).toContain('SCRAM-SHA-512');
  });

  test('no mechanism is GSSAPI, and no user is nobody', () => {
    const problems = refused({ 'security.protocol': 'SASL_PLAINTEXT' });
    expect(problems).toHaveLength(2);
    expect(problems.join()).toContain('not given means GSSAPI');
  });
});

describe('every problem is told at once, with its line and without a secret', () => {
  test('of keys, values and providers', () => {
    const text = [
      'security.protocol=SASL_SSL',
      'sasl.mechanism=PLAIN',
      `sasl.jaas.config=${plainModule} required username="ann" password="secret-word"`,
      'ssl.trustore.location=/a',
      'ssl.cipher.suites=TLS_AES_128_GCM_SHA256',
      `ssl.key.password=${'$'}{file:/etc/secret-word:key}`,
      'ssl.truststore.location=/nowhere/trust.jks',
      'ssl.endpoint.identification.algorithm=maybe',
      'retries=\\u12',
    ].join('\n');
    const problems = told(clientProperties(text, unreadable));
    expect(problems.map((problem) => Number.parseInt(problem, 10))).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(problems.join()).not.toContain('secret-word');
  });

  test('also of what a protocol that there is not was to need', () => {
    const problems = refused({
      'security.protocol': 'SASL_TLS',
      'sasl.mechanism': 'GSSAPI',
      'sasl.jaas.config': login(plainModule),
      'ssl.endpoint.identification.algorithm': 'maybe',
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      '1 security.protocol',
      '2 sasl.mechanism',
      '4 ssl.endpoint.identification.algorithm',
    ]);
  });

  test('what has no effect is listed, and is no problem', () => {
    const { notes } = taken({ 'request.timeout.ms': '5', 'client.id': 'me', retries: '3', 'ssl.key.password': 'x' });
    expect(notes).toEqual([
      'without effect with security.protocol=PLAINTEXT: ssl.key.password',
      'without effect here: request.timeout.ms, retries',
    ]);
    expect(taken({ 'client.id': ' me ' }).clientId).toBe('me');
  });

  test('a key that is given twice has its last value, and that is said', () => {
    const result = clientProperties('client.id=a\nclient.id=b\n', unreadable);
    expect(result).toMatchObject({
      properties: { clientId: 'b', notes: ['client.id is given in lines 1 and 2: the last one counts'] },
    });
  });

  test('no text of any kind makes anything but problems, and no password is in one', () => {
    const value = fc.oneof(
      fc.constantFrom('SASL_SSL', 'SSL', 'PLAIN', 'GSSAPI', 'PEM', 'JKS', '', `${'$'}{env:S3CR3T}`, 'S3CR3T'),
      fc
        .string({ unit: fc.constantFrom('"', "'", '=', ';', '\\', ' ', 'a', '-'), maxLength: 20 })
        .map((text) => `${plainModule} required password="S3CR3T" ${text}`),
    );
    const key = fc.constantFrom(...takenKeys, 'config.providers', 'retries', 'unheard.of');
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (entries) => {
        const text = entries.map(([name, one]) => `${name}=${one}\n`).join('');
        const result = clientProperties(text, unreadable);
        const messages = 'problems' in result ? result.problems.map(({ message }) => message) : result.properties.notes;
        const isPath = entries.some(([name, one]) => name.endsWith('location') && one.includes('S3CR3T'));
        if (!isPath) expect(messages.join()).not.toContain('S3CR3T');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the name of a broker', () => {
  test('is checked unless the setting is empty, which is said aloud', () => {
    const key = 'ssl.endpoint.identification.algorithm';
    expect(taken({ 'security.protocol': 'SSL' }).tls).toEqual({});
    const { tls, notes } = taken({ 'security.protocol': 'SSL', [key]: '' });
    expect(tls?.checkServerIdentity).toBeDefined();
    expect(notes.join()).toContain('names are not checked');
  });
});
