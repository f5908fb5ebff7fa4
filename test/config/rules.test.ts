import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/config/problem.ts';
import { edited, fullFile, parse } from './files.ts';

type Case = readonly [name: string, edits: readonly (readonly [string, string])[], ...expected: readonly string[]];

const steps = `  steps:
    - { capacity: 2 }
    - { weight: 50%, instances: 4, bake: 2m }
    - { weight: 95% }
`;

function withSteps(written: string): readonly (readonly [string, string])[] {
  return [[steps, `  steps: ${written}\n`]];
}

/** `expected`: the messages (their beginnings), each before ` @ ` and the text that stands where it is reported. */
const problems: readonly Case[] = [
  [
    'an environment that is not there',
    [['environment: vpc', 'environment: vcp']],
    'services.query.destination.environment: there is no such environment @ vcp',
  ],
  [
    'a balancer that is not there',
    [['balancer: inner', 'balancer: outer']],
    'services.store.traffic.balancer: there is no such balancer @ outer',
  ],
  [
    'a dependency that is not there',
    [['hard: [store]', 'hard: [stroe]']],
    'services.query.dependencies.hard: there is no such service @ stroe',
  ],
  [
    'a dependency on itself',
    [['hard: [store]', 'hard: [query]']],
    'services.query.dependencies.hard: a service cannot depend on itself @ query]',
  ],
  [
    'a dependency of two kinds',
    [['telemetry: []', 'telemetry: [store]']],
    'services.query.dependencies.telemetry: "store" is here a second time @ store]',
  ],
  [
    'a wave of a service that is not there',
    [['services: [store]', 'services: [stores]']],
    'waves: services: there is no such service @ stores',
  ],
  [
    'a service in two waves',
    [['services: [store]', 'services: [store, query]']],
    'waves: the service "query" is here a second time @ query], value: So',
  ],
  [
    'two waves of one name',
    [['name: second', 'name: first']],
    'waves: "first" is here a second time @ first, services',
  ],
  [
    'a size where Drover runs nothing',
    [['environment: old', 'environment: old, size: 3']],
    'services.store.origin.size: Drover does not run the instances @ 3, build',
  ],
  [
    'a command where Drover runs nothing',
    [['environment: old', 'environment: old, command: [x]']],
    'services.store.origin.command: Drover does not run @ [x]',
  ],
  [
    'no build where Drover runs nothing',
    [['{ environment: old, build: 1.10 }', '{ environment: old }']],
    'services.store.origin.build is missing @ origin: { environment: old',
  ],
  [
    'files where Drover runs nothing',
    [['{ http: /version }', '{ files: [a] }']],
    'services.store.destination.build.files: Drover does not know the command @ [a]',
  ],
  [
    'a local group without command, ports and size',
    [['      size: 0..6\n      command: [node, server.mjs, "--port={port}"]\n      ports: 21100\n', '']],
    'services.query.destination.size is missing @ destination:\n      env',
    'services.query.destination.command is missing @ destination:\n      env',
    'services.query.destination.ports is missing @ destination:\n      env',
  ],
  [
    'ports that collide',
    [['ports: 21100', 'ports: 21005']],
    'services.query.destination.ports: the ports collide with services.query.origin.ports (line 32) @ 21005',
  ],
  [
    'a port that the balancer uses',
    [['ports: 21100', 'ports: 8075']],
    'services.query.destination.ports: the ports collide with balancers.edge.embedded.listen @ 8075',
  ],
  [
    'ports beyond the last',
    [['ports: 21100', 'ports: 65531']],
    'services.query.destination.ports: the last port would be 65536 @ 65531',
  ],
  [
    'one name for several instances',
    [['"vpc-{index}"', 'vpc-1']],
    'services.query.destination.server: 6 instances would have the same name @ vpc-1',
  ],
  [
    'a server outside its pattern',
    [['"vpc-{index}"', '"cloud-{index}"']],
    'services.query.destination.server: no pattern of this service\'s traffic fits its instances @ "cloud',
  ],
  [
    'a pattern that only nine instances fit',
    [
      ['"vpc-*"', '"vpc-?"'],
      ['size: 0..6', 'size: 0..10'],
    ],
    'services.query.destination.server: no pattern of this service\'s traffic fits its instances @ "vpc-{index}',
  ],
  [
    'patterns that overlap',
    [['"new-?"', '"*-1"']],
    'services.store.traffic[0].destination: fits servers that belong to the origin of store @ "*-1"',
  ],
  [
    'patterns of two services that overlap',
    [
      ['balancer: edge, backend: query', 'balancer: inner, backend: store'],
      ['  edge: { embedded: { listen: 127.0.0.1:8080 } }\n', ''],
      ['"old-?"', '"class*"'],
    ],
    'services.store.traffic[0].origin: fits servers that belong to the origin of query @ "class*"',
  ],
  [
    'an embedded balancer that nobody uses',
    [['  inner:\n', '  spare: { embedded: { listen: 127.0.0.1:8090 } }\n  inner:\n']],
    'balancers.spare: no service names it under "traffic" @ spare',
  ],
  [
    'an embedded balancer for two services, one of them run by others',
    [
      ['balancer: inner', 'balancer: edge'],
      ['  inner:\n    haproxy:\n      sockets: [./run/one.sock, 10.0.0.2:9999]\n      config: ./haproxy.cfg\n', ''],
    ],
    'services.store.traffic.balancer: an embedded balancer carries one backend only @ edge, backend: store',
    'services.store.origin: an embedded balancer does not know the addresses of these instances @ old, build',
    'services.store.destination: an embedded balancer does not know the addresses of these instances @ new, build',
  ],
  [
    'one socket for two',
    [['10.0.0.2:9999', 'run/../run/one.sock']],
    'balancers.inner.haproxy.sockets[1]: the same as balancers.inner.haproxy.sockets[0] @ run/../',
  ],
  [
    'a socket path that is too long',
    [['./run/one.sock', `./${'x'.repeat(108)}`]],
    'balancers.inner.haproxy.sockets[0]: the path of the socket is too long @ ./xxx',
  ],
  [
    'what is tolerated is bad',
    [['tolerate: 1.5', 'tolerate: 3']],
    'services.query.rollout.judge: what is tolerated cannot be bad at the same time @ 3 }\n      settle',
  ],
  [
    'what is bad is tolerated by a service',
    [['judge: { alpha: 0.2%', 'judge: { bad: 1.2, alpha: 0.2%']],
    'rollout.judge: what is tolerated cannot be bad at the same time @ 1.2',
  ],
  [
    'steps of one service',
    [['      settle: 90s', '      settle: 90s\n      steps: [{ weight: 50% }, { weight: 20% }, { weight: 99% }]']],
    'services.query.rollout.steps: the share would go down @ 20%',
    'services.query.rollout.steps: a judged step has to leave the control share @ 99%',
  ],
  [
    'a service without objective in a wave',
    [['    objective: { failures: 0.001 }\n', '']],
    'services.store.objective is missing @ store:\n    owner',
  ],
  [
    'a weight that goes down',
    withSteps('[{ weight: 50% }, { weight: 20% }, { weight: 95% }]'),
    'rollout.steps: the share would go down @ 20%',
  ],
  [
    'a weight twice',
    withSteps('[{ weight: 50% }, { weight: 0.5 }, { weight: 95% }]'),
    'rollout.steps: the step is the same as the one before @ 0.5',
  ],
  [
    'a size that goes down',
    withSteps('[{ capacity: 3 }, { weight: 80%, instances: 2 }]'),
    'rollout.steps: the destination would shrink @ 2 }',
  ],
  [
    'a capacity twice',
    withSteps('[{ capacity: 3 }, { capacity: 3 }, { weight: 90% }]'),
    'rollout.steps: the step is the same as the one before @ 3 }, { weight',
  ],
  [
    'a weight below any share of the capacity before',
    withSteps('[{ capacity: 2 }, { weight: 10% }, { weight: 90% }]'),
    'rollout.steps: the share of query would go down @ 10%',
  ],
  [
    'a capacity below the weight before',
    withSteps('[{ weight: 80% }, { capacity: 4 }]'),
    'rollout.steps: the share of query would go down @ 4 }',
  ],
  [
    'more instances than there may be',
    withSteps('[{ capacity: 7 }, { weight: 95% }]'),
    'rollout.steps: the destination of query cannot become this large @ 7',
  ],
  [
    'more instances at a weight than there may be',
    withSteps('[{ weight: 5%, instances: 60 }, { weight: 95% }]'),
    'rollout.steps: the destination of query cannot become this large @ 60',
  ],
  [
    'a judged step that takes everything',
    withSteps('[{ weight: 5% }, { weight: 100% }]'),
    'rollout.steps: a judged step has to leave the control share @ 100%',
  ],
  [
    'a judged step that leaves less than the control share',
    [
      ['control-share: 5%', 'control-share: 7%'],
      ['weight: 95%', 'weight: 93.1%'],
    ],
    'rollout.steps: a judged step has to leave the control share @ 93.1%',
  ],
  ['too many steps', withSteps(`[${'{ weight: 5% }, '.repeat(101)}]`), 'rollout.steps: the list is too long @ [{'],
];

const warnings: readonly Case[] = [
  [
    'services that need each other',
    [
      ['dependencies:\n      hard: [store]', 'dependencies:\n      hard: [store]'],
      ['kind: stateful', 'kind: stateful\n    dependencies: { hard: [query] }'],
    ],
    'these services need each other: query → store → query @ query] }',
  ],
  [
    'no objective where nothing is to be rolled out',
    [
      ['    objective: { failures: 0.001 }\n', ''],
      ['  - { name: second, services: [store], value: So does the data. }\n', ''],
    ],
    'services.store.objective is missing: it can be observed @ store:\n',
  ],
  [
    'one environment for both groups',
    [['environment: new', 'environment: old']],
    'services.store: both groups are in the environment old @ old, build: { http',
  ],
  [
    'a balancer that nobody uses',
    [['      config: ./haproxy.cfg\n', '      config: ./haproxy.cfg\n  spare: { haproxy: { socket: b } }\n']],
    'balancers.spare: no service names it under "traffic" @ spare',
  ],
  [
    'instances that cannot know their port',
    [['command: [node, server.mjs, "--port={port}"]\n', 'command: [node, server.mjs]\n']],
    'services.query.destination.command: neither the command nor "env" has {port} @ [node, server.mjs]\n',
  ],
];

for (const [name, edits, ...expected] of problems)
  test(`a problem: ${name}`, () => {
    const text = edits.reduce((file, [from, to]) => edited(file, from, to), fullFile);
    const parsed = parse(text);
    expectAt(parsed.ok ? [] : parsed.problems, text, expected);
  });

for (const [name, edits, ...expected] of warnings)
  test(`a warning: ${name}`, () => {
    const text = edits.reduce((file, [from, to]) => edited(file, from, to), fullFile);
    const parsed = parse(text);
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
    expectAt(parsed.warnings, text, expected);
  });

function expectAt(found: readonly Problem[], text: string, expected: readonly string[]): void {
  const places = found.map(({ message, line, column }, index) => {
    const [begin = '', place = ''] = (expected[index] ?? '').split(' @ ');
    const rest = text
      .split('\n')
      .slice(line - 1)
      .join('\n')
      .slice(column - 1);
    const shown = place.includes('\n      env') ? place.replace('\n      env', '') : place;
    return `${message.startsWith(begin) ? begin : message} @ ${rest.startsWith(shown) ? place : rest.slice(0, 40)}`;
  });
  expect(places).toEqual(expected);
}

describe('an objective is demanded', () => {
  const bare = edited(
    edited(fullFile, '    objective: { failures: 0.001 }\n', ''),
    '  - { name: second, services: [store], value: So does the data. }\n',
    '',
  );
  const noWaves = bare.replace(/^waves:\n(?: .*\n)+/m, '');

  test('of a service with steps of its own', () => {
    const own = edited(bare, 'kind: stateful', 'kind: stateful\n    rollout: { steps: [{ weight: 90% }] }');
    expect(parse(own).ok).toBe(false);
  });

  test('of every service where there are steps and no waves', () => {
    expect(parse(noWaves).ok).toBe(false);
    expect(parse(edited(noWaves, steps, '')).ok).toBe(true);
  });
});

test('a control share and its complement are compared as decimals', () => {
  for (const percent of [3, 6, 7, 11, 13, 29, 33]) {
    const text = edited(
      edited(fullFile, 'control-share: 5%', `control-share: ${percent}%`),
      '{ weight: 95% }',
      `{ weight: ${100 - percent}% }`,
    );
    expect(parse(text).ok).toBe(true);
  }
});

test('long circles are named in short, each knot once', () => {
  const service = (name: string, needs: string): string =>
    `  ${name}: { owner: a, kind: b, dependencies: { hard: [${needs}] }, traffic: { balancer: inner, backend: ${name}, origin: "a*", destination: "b*" }, origin: { environment: old, build: 1 }, destination: { environment: new, build: 1 } }\n`;
  const ring = Array.from({ length: 30 }, (_, i) => service(`s${i}`, `s${(i + 1) % 30}`)).join('');
  const pair = service('p', 'q') + service('q', 'p') + service('r', 'p');
  const found = parse(edited(fullFile, 'waves:\n', `${ring}${pair}waves:\n`)).warnings.filter((warning) =>
    warning.message.startsWith('these'),
  );
  expect(found.map((warning) => warning.message)).toEqual([
    'these services need each other: s0 → s1 → s2 → s3 → s4 → s5 → s6 → s7 → s8 → … (30 services) → s0',
    'these services need each other: p → q → p',
  ]);
});
