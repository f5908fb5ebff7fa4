import { describe, expect, test } from 'vitest';
import { limits } from '../../src/config/document.ts';
import { problemsMax } from '../../src/config/problem.ts';
import { edited, fullFile, parse, problemsOf } from './files.ts';

/** Far above what is needed (a second at most), far below what an attack would cost. */
const msMax = 20_000;

/** The first problem as `line:column message`. */
function first(text: string): string {
  const [problem] = problemsOf(text);
  return problem === undefined ? 'valid' : `${problem.line}:${problem.column} ${problem.message}`;
}

describe('what is not a configuration is refused in one sentence', () => {
  test.each([
    ['nothing', '', '1:1 the file is empty'],
    ['only comments', '# a\n# b\n', '1:1 the file is empty'],
    ['only a null', 'null\n', '1:1 the file is empty'],
    ['a list', '- a\n', '1:1 the file: not a value that fits here'],
    ['a text', 'hello\n', '1:1 the file: not a value that fits here'],
    ['binary', 'a: \u0000\u0001', '1:4 the file is not a text file'],
    ['lines that end in CR', 'version: 1\rname: a\r', '1:11 the file is not a text file'],
    ['a terminal escape', 'version: 1\nname: \u001b[31m', '2:7 the file is not a text file'],
    [
      'a second document',
      `${fullFile}---\nversion: 1\n`,
      '70:1 a configuration is one YAML document, and here a second one begins',
    ],
    [
      'an empty second document',
      'version: 1\n---\n',
      '2:1 a configuration is one YAML document, and here a second one begins',
    ],
    ['a directive', '%YAML 1.1\n---\nversion: 1\n', '1:1 YAML directives are not supported'],
    ['tabs', 'version: 1\nbalancers:\n\tedge: {}\n', '3:1 not valid YAML: a tab is used to indent'],
    ['a colon too many', 'name: a: b\n', '1:7 not valid YAML: a mapping begins in the middle of a line'],
    [
      'a bracket that is open',
      'version: 1\nname: [a\n',
      '3:1 not valid YAML: the indentation does not fit the lines around it',
    ],
    [
      'a quote that is open',
      'version: 1\nname: "a\n',
      '3:1 not valid YAML: a sign is missing, or something does not belong here',
    ],
    [
      'a line without colon',
      'version: 1\nname\n',
      '2:1 not valid YAML: a sign is missing, or something does not belong here',
    ],
    ['broken indentation', 'version: 1\n  name: a\n', '1:10 not valid YAML: a mapping begins in the middle of a line'],
  ])('%s', (_, text, message) => {
    const found = first(text);
    expect(found.startsWith(message) ? message : found).toBe(message);
  });
});

describe('what could make a small file large is refused, and the rest is still checked', () => {
  test('aliases and anchors, each at its place', () => {
    const text = edited(
      edited(fullFile, 'environment: classic', 'environment: &env classic'),
      'environment: vpc',
      'environment: *env',
    );
    expect(problemsOf(`${text}zzz: 1\n`).map(({ line, message }) => [line, message])).toEqual([
      [25, 'anchors (`&name`) are not supported'],
      [37, 'aliases (`*name`) are not supported'],
      [70, 'there is no key "zzz" here'],
    ]);
  });

  test('merge keys', () => {
    const text = edited(
      edited(fullFile, 'origin: { environment: old,', 'origin: &o { environment: old,'),
      'destination: { environment',
      'destination: { <<: *o, environment',
    );
    expect(problemsOf(text).map(({ message }) => message)).toContain('merge keys (`<<`) are not supported');
  });

  test.each(['!!binary aGVsbG8=', '!!js/function "x"', '!secret x'])('tags: %s', (value) => {
    expect(problemsOf(edited(fullFile, 'kind: stateful', `kind: ${value}`)).map(({ message }) => message)).toEqual([
      'tags (`!name`) are not supported',
    ]);
  });

  test('a key that is a list, an alias or nothing', () => {
    expect(first('? [a, b]\n: 1\n')).toBe('1:3 a key has to be a plain name');
    expect(first(': 1\n')).toBe('1:1 a key has to be a plain name');
  });

  test('an alias bomb', () => {
    const levels = Array.from({ length: 20 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
    expectQuick(`l0: &l0 x\n${levels.join('\n')}\n`);
  });

  test('nothing reaches the prototype of objects', () => {
    parse(
      `__proto__: { polluted: 1 }\nenvironments: { __proto__: { polluted: 1 }, constructor: { prototype: { polluted: 1 } } }\n`,
    );
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

const full = limits.characters - 1;
const repeated = (text: string): string => text.repeat(Math.floor(full / text.length));

describe('any file is answered in bounded time, with a bounded answer', () => {
  test.each([
    ['brackets', repeated('[')],
    ['braces', repeated('{a: ')],
    ['dashes', repeated('- ')],
    ['question marks', repeated('? ')],
    ['colons', repeated(': ')],
    ['staircase', Array.from({ length: 900 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['closing brackets', repeated(']')],
    ['quotes', repeated('"')],
    ['anchors', repeated('&a ')],
    ['aliases', repeated('*a ')],
    ['tags', repeated('!a ')],
    ['documents', repeated('---\n')],
    ['directives', repeated('%A\n')],
    ['wrong escapes', `a: "${repeated('\\q').slice(0, -9)}"`],
    ['blank lines', repeated('\n')],
    ['one long line', `a: ${'x'.repeat(full - 10)}`],
    ['one long text of many lines', `a: ${'x\n '.repeat(full / 4)}`],
    ['unknown keys', Array.from({ length: 40_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['unknown keys like known ones', Array.from({ length: 30_000 }, (_, i) => `servic${i}: 1`).join('\n')],
    ['the same key', repeated('name: a\n')],
    [
      'empty services',
      `services: {${Array.from({ length: 30_000 }, (_, i) => `s${i}: {}`).join(', ')}}\nrollout: { steps: [${'{capacity: 9},'.repeat(9_000)}] }`,
    ],
    ['a million characters too many', 'x'.repeat(1_500_000)],
  ])('%s', (_, text) => expectQuick(text));

  test('services that name thousands of services that are not there', () => {
    const names = Array.from({ length: 25_000 }, (_, i) => `serv${i}`);
    expectQuick(edited(fullFile, 'hard: [store]', `hard: [${names.join(', ')}]`));
  });

  test('a chain, and a circle, of thousands of dependencies', () => {
    const chain = Array.from({ length: 8_000 }, (_, i) => `  s${i}: { dependencies: { hard: [s${i + 1}] } }\n`).join(
      '',
    );
    expectQuick(`services:\n${chain}`);
    expectQuick(`services:\n${chain}  s8000: { dependencies: { hard: [s0] } }\n`);
  });

  test('patterns made to be compared at length', () => {
    const pattern = `${'*?a'.repeat(21)}`;
    const traffic = Array.from(
      { length: 4_000 },
      (_, i) =>
        `{ balancer: inner, backend: b${Math.floor(i / 20)}, origin: "${pattern}a", destination: "${pattern}b" }`,
    );
    expectQuick(
      edited(
        fullFile,
        '{ balancer: inner, backend: store, origin: "old-?", destination: "new-?" }',
        `[${traffic.join(', ')}]`,
      ),
    );
  });
});

function expectQuick(text: string): void {
  const beganMs = performance.now();
  const problems = problemsOf(text);
  expect(performance.now() - beganMs).toBeLessThan(msMax);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.length).toBeLessThanOrEqual(problemsMax + 1);
  for (const { message, expected, found, suggestion } of problems) {
    expect([message, expected, found, suggestion].join('').length).toBeLessThan(2_000);
  }
}

describe('secrets are not repeated in messages', () => {
  const secret = 'https://hooks.example/services/T0/B0/s3cret';
  test.each([
    [
      'an address of the wrong kind',
      'webhook: "https://example.com/hook?token=s3cret"',
      'webhook: "ftp://example.com/hook?token=s3cret"',
    ],
    [
      'an address that is a list',
      'webhook: "https://example.com/hook?token=s3cret"',
      'webhook: ["https://example.com/s3cret"]',
    ],
    ['an address without its key', `{ slack: "${secret}", emoji: ":truck:" }`, `"${secret}"`],
    ['an address as a key', `{ slack: "${secret}", emoji: ":truck:" }`, `{ "${secret}": slack }`],
    ['an address as an emoji', 'emoji: ":truck:"', `emoji: "${secret}"`],
    ['an address as a name', 'kind: stateful', `dependencies: { hard: ["${secret}"] }`],
    ['an address twice', 'webhook: "https://example.com/hook?token=s3cret"', `"${secret}": 1, "${secret}": 2`],
    ['a password in a socket', './run/one.sock', 'tcp://admin:s3cret@10.0.0.1:99'],
    ['a password in a listen address', '127.0.0.1:8080', 'admin:s3cret@10.0.0.1:99'],
    ['a variable of the wrong type', 'MODE: fast', 'MODE: { token: s3cret }'],
    ['a NUL in a variable', 'MODE: fast', 'MODE: "s3cret\\0"'],
    ['variables as a text', '{ MODE: fast, LEVEL: 3 }', 'TOKEN=s3cret'],
    ['a command as a text', 'command: [node, server.mjs, "--port={port}"]', 'command: node server.mjs --token=s3cret'],
    [
      'broken YAML',
      'webhook: "https://example.com/hook?token=s3cret" }',
      'webhook: "https://example.com/hook?token=s3cret" "s3cret: *s3cret" &s3cret !s3cret',
    ],
  ])('%s', (_, from, to) => {
    const problems = problemsOf(edited(fullFile, from, to));
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain('s3cret');
  });
});

test('what a terminal could obey is escaped in messages', () => {
  const [problem] = problemsOf(edited(fullFile, 'provider: none', 'provider: "\\x1b[2J\u202Eabc"'));
  expect(problem?.found).toBe('"\\u001b[2J\\u{202e}abc"');
});
