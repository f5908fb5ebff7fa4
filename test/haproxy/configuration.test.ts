import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configurationOf, durationMs } from '../../src/io/balancer/haproxy/configuration-file.ts';
import { recordedConfiguration } from './recorded.ts';

function facts(text: string, backend = 'web') {
  const found = configurationOf(text, backend);
  if (typeof found === 'string') throw new Error(found);
  return found;
}

describe('haproxy.cfg', () => {
  test('a backend inherits from the defaults before it, and its own lines win', () => {
    const text = `
defaults
  balance leastconn
  option abortonclose
  option redispatch 1
  timeout connect 5s
  timeout server 1m
backend web
  balance "roundrobin"  # a comment
  no option abortonclose
  timeout server 30s
  retry-on conn-failure 503
defaults
  mode tcp
`;
    expect(facts(text)).toMatchObject({
      algorithm: 'roundrobin',
      mode: null,
      abortOnClose: false,
      redispatch: true,
      connectTimeout: '5s',
      serverTimeout: '30s',
      retryOn: ['conn-failure', '503'],
    });
  });

  test('defaults that are named are used where they are named, and inherit themselves', () => {
    const text = `
defaults base
  option redispatch
defaults fast from base
  timeout server 1s
defaults other
  mode tcp
backend web from fast
`;
    expect(facts(text)).toMatchObject({ mode: null, redispatch: true, serverTimeout: '1s' });
  });

  test('defaults that inherit from themselves end', () => {
    expect(facts('defaults a from a\n mode http\nbackend web from a\n')).toMatchObject({ mode: 'http' });
  });

  test('listen sections are backends too, and other sections with server lines are not', () => {
    const text = 'peers web\n server one 127.0.0.1:1\nlisten web\n bind :80\n server two 127.0.0.1:2\n';
    expect([...facts(text).servers.keys()]).toEqual(['two']);
  });

  test.each([
    ['cookie SRV insert indirect', { cookie: true }],
    ['persist rdp-cookie', { cookie: true }],
    ['stick on src', { stickRules: true }],
    ['stick store-response res.cook(id)', { stickRules: true }],
    ['stick-table type ip size 1m', { stickRules: false }],
    ['use-server vpc-1 if { path_beg /new }', { bypasses: ['use-server vpc-1'] }],
    ['use-server %[req.hdr(x-server)]', { bypasses: ['use-server %[req.hdr(x-server)]'] }],
    ['option persist', { bypasses: ['option persist'] }],
    ['option prefer-last-server', { bypasses: ['option prefer-last-server'] }],
    ['force-persist if { src 10.0.0.0/8 }', { bypasses: ['force-persist'] }],
    ['http-response set-status 200 if { status 500 }', { bypasses: ['http-response set-status'] }],
    ['http-after-response set-status 200', { bypasses: ['http-after-response set-status'] }],
    ['http-response return status 200 if { status 500 }', { bypasses: ['http-response return'] }],
    ['http-response deny if { status 500 }', { bypasses: ['http-response deny'] }],
    ['http-response set-header x y', { bypasses: [] }],
    ['balance random(2)', { algorithm: 'random' }],
    ['balance uri depth 3', { algorithm: 'uri' }],
    ['balance hdr(Host)', { algorithm: 'hdr' }],
  ])('%s', (line, expected) => {
    expect(facts(`backend web\n  ${line}\n`)).toMatchObject(expected);
  });

  test('persistence of the defaults is taken back by a line of the backend, and rules are named once', () => {
    const rules = '  http-response set-status 200 if A\n  http-response set-status 201 if B\n';
    const defaults = 'defaults\n  option persist\nbackend web\n';
    expect(facts(`${defaults}${rules}`).bypasses).toEqual(['option persist', 'http-response set-status']);
    expect(facts(`${defaults}  no option persist\n`).bypasses).toEqual([]);
  });

  test('slow start, observed traffic and limits of servers, also by default-server', () => {
    const text = `
backend web
  default-server check slowstart 60s observe layer7 maxconn 20
  server a 127.0.0.1:1 on-error mark-down maxconn 0
  server b 127.0.0.1:2 slowstart 0
`;
    const features = [...facts(text).servers.values()].map((server) => server.features);
    expect(features).toEqual([
      ['slowstart', 'observe'],
      ['observe', 'maxconn'],
    ]);
  });

  test('features and maintenance of servers, with default-server and its denials', () => {
    const text = `
backend web
  default-server check agent-check disabled
  server a 127.0.0.1:1
  server b 127.0.0.1:2 no-agent-check enabled backup cookie b
  server-template t 2 app.internal:80 track x/y
  server-template u 3-4 app.internal:80 enabled no-agent-check
`;
    expect([...facts(text).servers]).toEqual([
      ['a', { disabled: true, features: ['agent-check'] }],
      ['b', { disabled: false, features: ['backup', 'cookie'] }],
      ['t1', { disabled: true, features: ['server-template', 'agent-check', 'track'] }],
      ['t2', { disabled: true, features: ['server-template', 'agent-check', 'track'] }],
      ['u3', { disabled: false, features: ['server-template'] }],
      ['u4', { disabled: false, features: ['server-template'] }],
    ]);
  });

  test('what only HAProxy can evaluate is not guessed', () => {
    const inside = 'backend web\n.if defined(X)\n option abortonclose\n.endif\n';
    expect(configurationOf(inside, 'web')).toBe('conditional');
    expect(configurationOf(`defaults\n.if a\n mode tcp\n.endif\n${'backend web\n'}`, 'web')).toBe('conditional');
    expect(configurationOf('.if a\nbackend web\n.endif\n', 'web')).toBe('conditional');
    expect(configurationOf('.if a\nbackend other\n.endif\nbackend web\n', 'web')).not.toBe('conditional');
    expect(configurationOf(recordedConfiguration, 'nosuch')).toBe('absent');
  });

  test('never throws, and takes no more than the text is long', () => {
    const word = fc.constantFrom(
      'backend',
      'defaults',
      'from',
      'web',
      'server',
      'server-template',
      'x 9999999',
      '"',
      "'",
      '\\',
      '#',
      '.if',
      '\n',
      'no',
      'option',
      'timeout',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 60 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, (body) => void configurationOf(`backend web\n${body}`, 'web')),
      { numRuns: 500 },
    );
  });

  test.each([
    ['250', 250],
    ['250ms', 250],
    ['5s', 5000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['900us', 1],
    ['$TIMEOUT', null],
    ['', null],
    ['5 s', null],
  ])('duration %s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});
