import { describe, expect, test } from 'vitest';
import { edited, fullFile, parse, problemsOf } from './files.ts';

/**
 * Each case edits the valid file; `^` in the new text marks where the one problem has to be reported and is taken out.
 */
type Case = readonly [name: string, from: string, to: string, message: string, hint?: string];

function marked(text: string): { text: string; line: number; column: number } {
  const before = text.slice(0, text.indexOf('^')).split('\n');
  return { text: text.replace('^', ''), line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

const keys: readonly Case[] = [
  ['an unknown key at the top', 'notify:', '^notifi:', 'there is no key "notifi" here', 'did you mean "notify"?'],
  [
    'an unknown key inside',
    '      stop: 5s',
    '      ^Stopp: 5s',
    'services.query.origin: there is no key "Stopp" here',
    'did you mean "stop"?',
  ],
  [
    'underscores for dashes',
    'control-share:',
    '^control_share:',
    'rollout: there is no key "control_share" here',
    'did you mean "control-share"?',
  ],
  [
    'another form of the word',
    '    dependencies:\n',
    '    ^depends:\n',
    'services.query: there is no key "depends" here',
    'did you mean "dependencies"?',
  ],
  [
    'a word of another tool',
    '    dependencies:\n',
    '    ^depends_on:\n',
    'services.query: there is no key "depends_on" here',
    'did you mean "dependencies"?',
  ],
  [
    'a key with more than its word',
    '      health: {',
    '      ^healthCheck: {',
    'services.query.origin: there is no key "healthCheck" here',
    'did you mean "health"?',
  ],
  [
    'a key of a step above the steps',
    'rollout:\n  steps:',
    'rollout:\n  ^bake: 10m\n  steps:',
    'rollout: there is no key "bake" here',
    'it belongs below: steps[].bake',
  ],
  ['an unknown key far from all', 'name: analytics', 'name: analytics\n^zzzzzz: 1', 'there is no key "zzzzzz" here'],
  [
    'a key twice',
    '    kind: stateless',
    '    kind: stateless\n    ^owner: b',
    'the key "owner" is here a second time',
    'it is already on line 16; keep one of them',
  ],
  ['a service twice', 'waves:\n', '  ^store: {}\nwaves:\n', 'the key "store" is here a second time'],
  ['a missing key', '  query:\n    owner: team-query\n', '  ^query:\n', 'services.query.owner is missing'],
  ['a missing name', 'version: 1\nname: analytics\n', '^version: 1\n', 'name is missing'],
  [
    '__proto__ as a name',
    '  old: { provider: none }',
    '  ^__proto__: { provider: none }\n  old: { provider: none }',
    'environments: "__proto__" is not a name for an environment',
  ],
  [
    '__proto__ as a key',
    '    kind: stateful',
    '    kind: stateful\n    ^__proto__: { polluted: 1 }',
    'services.store: there is no key "__proto__" here',
  ],
  [
    'a number as a name',
    '  new: { provider: none }',
    '  new: { provider: none }\n  ^-1: { provider: none }',
    'environments: "-1" is not a name for an environment',
  ],
];

const values: readonly Case[] = [
  [
    'a wrong word',
    'vpc: { provider: local }',
    'vpc: { provider: ^locl }',
    'environments.vpc.provider: not a value that fits here',
    'did you mean "local"?',
  ],
  ['another version', 'version: 1', 'version: ^2', 'version: not a value that fits here'],
  [
    'a version in quotes',
    'version: 1',
    'version: ^"1"',
    'version: not a value that fits here',
    'write 1 without quotes',
  ],
  [
    'a duration without unit',
    'settle: 90s',
    'settle: ^90',
    'services.query.rollout.settle: not a value that fits here',
    'with its unit: 90s, 90ms …',
  ],
  [
    'a duration in words',
    'settle: 90s',
    'settle: ^2 minutes',
    'services.query.rollout.settle: not a value that fits here',
    'write 2m',
  ],
  [
    'a compound duration',
    'settle: 90s',
    'settle: ^1m30s',
    'services.query.rollout.settle: not a value that fits here',
    'write 90s',
  ],
  [
    'a duration below its range',
    'settle: 90s',
    'settle: ^10ms',
    'services.query.rollout.settle: not a value that fits here',
  ],
  ['a negative duration', 'settle: 90s', 'settle: ^-5s', 'services.query.rollout.settle: not a value that fits here'],
  [
    'a percentage without sign',
    'reserve: 25%',
    'reserve: ^25',
    'rollout.reserve: not a value that fits here',
    'write 25% for a percentage',
  ],
  [
    'a fraction of nothing',
    'failures: 1.5%',
    'failures: ^0%',
    'services.query.objective.failures: not a value that fits here',
  ],
  [
    'not a number',
    'failures: 1.5%',
    'failures: ^.nan',
    'services.query.objective.failures: not a value that fits here',
  ],
  ['infinity', 'tolerate: 1.5', 'tolerate: ^.inf', 'services.query.rollout.judge.tolerate: not a value that fits here'],
  [
    'a rate without unit',
    '120/s',
    '^120',
    'services.query.origin.capacity: not a value that fits here',
    'with its unit: 120/s',
  ],
  ['a rate of nothing', '120/s', '^0/s', 'services.query.origin.capacity: not a value that fits here'],
  ['a size that falls', '2..6', '^6..2', 'services.query.origin.size: not a value that fits here', 'write 2..6'],
  ['a size with a dash', '2..6', '^2-6', 'services.query.origin.size: not a value that fits here', 'write 2..6'],
  ['a size of nothing', '0..6', '^0', 'services.query.destination.size: not a value that fits here'],
  ['a size of millions', '2..6', '^9000000', 'services.query.origin.size: not a value that fits here'],
  [
    'a port above all ports',
    'ports: 21000',
    'ports: ^65536',
    'services.query.origin.ports: not a value that fits here',
  ],
  [
    'a port with a fraction',
    'ports: 21000',
    'ports: ^21000.5',
    'services.query.origin.ports: not a value that fits here',
  ],
  [
    'a port as a power',
    'ports: 21000',
    'ports: ^21e3',
    'services.query.origin.ports: not a value that fits here',
    'write 21000',
  ],
  [
    'a command as one text',
    'command: [node, server.mjs, "--port={port}"]',
    'command: ^node server.mjs',
    'services.query.destination.command: not a value that fits here',
  ],
  [
    'an empty command',
    'command: [node, server.mjs, "--port={port}"]',
    'command: ^[]',
    'services.query.destination.command: not a value that fits here',
  ],
  [
    'a truth value for text',
    'kind: stateful',
    'kind: ^true',
    'services.store.kind: not a value that fits here',
    'if text is meant, write "true"',
  ],
  ['nothing for text', 'kind: stateful', '^kind:', 'services.store.kind: not a value that fits here'],
  ['nothing for a mapping', 'drill: { requests: 10 }', '^drill:', 'rollout.drill: not a value that fits here'],
  ['a list for a mapping', 'drill: { requests: 10 }', 'drill: ^[10]', 'rollout.drill: not a value that fits here'],
  [
    'text with a line break',
    'kind: stateful',
    'kind: ^"a\\nb"',
    'services.store.kind: has to be one line without control characters',
  ],
  [
    'a health check without slash',
    'health: /healthz',
    'health: ^healthz',
    'services.query.destination.health.path: not a value that fits here',
    'write /healthz',
  ],
  [
    'only a port to listen on',
    'listen: 127.0.0.1:8080',
    'listen: ^8080',
    'balancers.edge.embedded.listen: not a value that fits here',
    'write 127.0.0.1:8080',
  ],
  [
    "HAProxy's own prefix",
    './run/one.sock',
    '^unix@/run/one.sock',
    'balancers.inner.haproxy.sockets[0]: not a value that fits here',
    'leave out unix@',
  ],
  [
    'a port beyond the last',
    './run/one.sock',
    '^127.0.0.1:99999',
    'balancers.inner.haproxy.sockets[0]: not a value that fits here',
    'a port is a number from 1 to 65535',
  ],
  [
    'port 0',
    './run/one.sock',
    '^127.0.0.1:0',
    'balancers.inner.haproxy.sockets[0]: not a value that fits here',
    'a port is a number from 1 to 65535',
  ],
  [
    'a home that nobody replaces',
    './run/one.sock',
    '^"~/admin.sock"',
    'balancers.inner.haproxy.sockets[0]: not a value that fits here',
    'write the whole path',
  ],
  [
    'a directory for a socket',
    './run/one.sock',
    '^./',
    'balancers.inner.haproxy.sockets[0]: not a value that fits here',
    'name the socket',
  ],
  ['a pattern with brackets', '"old-?"', '^"old-[0-9]"', 'services.store.traffic.origin: not a value that fits here'],
  [
    'an emoji without colons',
    'emoji: ":truck:"',
    'emoji: ^truck',
    'notify[0].emoji: not a value that fits here',
    'write ":truck:"',
  ],
  [
    'an empty list of waves’ services',
    'services: [query]',
    'services: ^[]',
    'waves[0].services: not a value that fits here',
  ],
];

const choices: readonly Case[] = [
  [
    'a balancer of no kind',
    'edge: { embedded: { listen: 127.0.0.1:8080 } }',
    '^edge: {}',
    'balancers.edge: a key is missing',
  ],
  [
    'a haproxy without socket',
    '    haproxy:\n      sockets: [./run/one.sock, 10.0.0.2:9999]\n',
    '    ^haproxy:\n',
    'balancers.inner.haproxy: a key is missing',
  ],
  [
    'a step of both kinds',
    '{ capacity: 2 }',
    '{ capacity: 2, ^weight: 10% }',
    'rollout.steps[0]: these keys exclude each other',
  ],
  [
    'instances at a capacity step',
    '{ capacity: 2 }',
    '{ capacity: 2, ^instances: 2 }',
    'rollout.steps[0]: "instances" means something only beside "weight"',
  ],
  [
    'an emoji for a webhook',
    'token=s3cret" }',
    'token=s3cret", ^emoji: ":x:" }',
    'notify[1]: "emoji" means something only beside "slack"',
  ],
];

describe.each([
  ['keys', keys],
  ['values', values],
  ['choices', choices],
])('%s', (_, cases) => {
  for (const one of cases) test(one[0], () => expectOneProblem(one));
});

function expectOneProblem([, from, to, message, hint]: Case): void {
  const place = marked(edited(fullFile, from, to));
  const problems = problemsOf(place.text);
  const about = problems.find((problem) => problem.message.startsWith(message));
  expect(about, JSON.stringify(problems, null, 1)).toMatchObject({
    file: 'drover.yaml',
    line: place.line,
    column: place.column,
  });
  if (hint !== undefined) expect(about?.suggestion).toContain(hint);
}

/** A hint that is followed and refused again is worse than none. */
test.each([
  ['capacity: 120/s', 'capacity: -1'],
  ['ports: 21000', 'ports: -1'],
  ['ports: 21000', 'ports: 1e9'],
  ['drill: { requests: 10 }', 'drill: { requests: -1 }'],
  ['settle: 90s', 'settle: -5'],
  ['settle: 90s', 'settle: 900 days'],
  ['reserve: 25%', 'reserve: 25000'],
])('no hint suggests a value that would be refused: %s, written as %s', (from, to) => {
  const [problem, ...others] = problemsOf(edited(fullFile, from, to));
  expect(others).toEqual([]);
  expect(problem?.message).toMatch(/not a value that fits here$/);
  expect(problem?.suggestion).toBeUndefined();
});

test.each(['build:', 'build: [v41]'])('what is neither the short nor the long form is told of both: %s', (written) => {
  const [problem] = problemsOf(edited(fullFile, 'build: 1.10', written));
  expect(problem?.message).toBe('services.store.origin.build: not a value that fits here');
  expect(problem?.expected).toBe('the build, such as v41, or a mapping with "http" or "files"');
});

test('all problems are reported in one go, in the order of the file, each once', () => {
  const text = [
    ['version: 1', 'version: 9'],
    ['provider: none', 'provider: nowhere'],
    ['1.5%', '150'],
    ['ports: 21000', 'ports: none'],
    ['judge: { alpha', 'jugde: { alpha'],
  ].reduce((file, [from = '', to = '']) => edited(file, from, to), fullFile);
  const problems = problemsOf(text);
  expect(problems.map((problem) => problem.line)).toEqual([1, 6, 18, 32, 63]);
});

test('a wrong value does not hide what can be said about the others', () => {
  const text = edited(edited(fullFile, 'size: 0..6', 'size: many'), 'balancer: edge', 'balancer: egde');
  expect(problemsOf(text).map((problem) => problem.suggestion)).toEqual(['did you mean "edge"?', undefined]);
});

test('warnings are told of a file with problems too', () => {
  const text = edited(
    edited(fullFile, 'version: 1', 'version: 2'),
    'objective: { failures: 0.001 }',
    'dependencies: { hard: [query] }',
  );
  expect(parse(text).warnings.map((warning) => warning.message)).toEqual([
    'these services need each other: query → store → query',
  ]);
});
