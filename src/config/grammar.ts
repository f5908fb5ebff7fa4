import { list, mapping, oneOrMore, optional, record, required } from './collections.ts';
import { emoji, globPattern, identifier, names, serverName, socketAddress, trafficAddress, urlPath } from './names.ts';
import { policyShape } from './policy-grammar.ts';
import { duration, fraction, rate, size } from './quantities.ts';
import { abbreviated, either, mapped, type ValueOf } from './shape.ts';
import { argument, integer, oneOf, secretUrl, text } from './values.ts';

/**
 * The whole of `drover.yaml`: what may be written, what each key means, what holds when it is left out. The parser, the
 * JSON Schema and the key tables of the reference all come from here. Rules between values are in `checks/`.
 */

const environmentShape = mapping('a mapping with "provider"', {
  provider: required(
    oneOf(['none', 'local']),
    '`local`: Drover starts the instances as processes of this machine. `none`: others own them, and Drover sees them only at the balancer.',
  ),
});

const haproxyShape = mapping(
  'a mapping with "socket"',
  {
    socket: optional(socketAddress(), 'Runtime socket of the HAProxy process: a path, or `host:port`.'),
    sockets: optional(
      list('a list of sockets', socketAddress(), { sizeMin: 1, sizeMax: 100 }),
      'One for each process, where there are several.',
    ),
    config: optional(
      text('the path of haproxy.cfg'),
      'haproxy.cfg, read for what the socket does not tell. Without it those facts are unknown.',
    ),
  },
  { exactlyOne: ['socket', 'sockets'] },
);

const embeddedShape = mapping('a mapping with "listen"', {
  listen: required(trafficAddress(), 'Where the traffic arrives.'),
  socket: optional(
    text('the path of a socket'),
    'Control socket. Left out: `.drover/<balancer>.sock` beside the file.',
  ),
  carries: optional(
    oneOf(['origin', 'destination']),
    'The group that gets the traffic when the balancer starts. `destination` once a rollout has completed: then `drover retire` may give up the reserve.',
    'origin',
  ),
});

const balancerShape = mapping(
  'a mapping with "haproxy" or "embedded"',
  {
    haproxy: optional(haproxyShape, 'A running HAProxy 2.6 or later, through its runtime socket.'),
    embedded: optional(embeddedShape, "Drover's own small balancer, for demos and machines without HAProxy."),
  },
  { exactlyOne: ['haproxy', 'embedded'] },
);

const objectiveShape = mapping('a mapping with "failures"', {
  failures: required(
    fraction({ min: 0, max: 1, above: true, below: true }),
    'The fraction of attempts that may fail without users minding. Promotion needs it.',
  ),
});

const serviceList = list('a list of service names', identifier('the name of a service'));

const dependenciesShape = mapping('a mapping with "hard", "soft" or "telemetry"', {
  hard: optional(serviceList, 'Services without which this one does not work.'),
  soft: optional(serviceList, 'Services without which it works less well.'),
  telemetry: optional(serviceList, 'Services it only reports to.'),
});

const trafficShape = mapping('a mapping with "balancer", "backend", "origin" and "destination"', {
  balancer: required(identifier('the name of a balancer'), 'One of `balancers`.'),
  backend: required(serverName('the name of a backend'), 'The backend whose servers carry the service.'),
  origin: required(globPattern(), 'Which of its servers are the origin group.'),
  destination: required(globPattern(), 'Which of its servers are the destination group.'),
});

const longHealthShape = mapping('a mapping with "path"', {
  path: required(urlPath(), 'GET on each instance; 200 to 399 is healthy.'),
  interval: optional(duration({ min: '10ms', max: '1h' }), 'Time between two checks.', '1s'),
  timeout: optional(duration({ min: '10ms', max: '5m' }), 'No answer after this long is a failed check.', '1s'),
  rise: optional(integer({ min: 1, max: 100 }), 'Successes in a row before an instance is healthy.', 2),
  fall: optional(integer({ min: 1, max: 100 }), 'Failures in a row before it is unhealthy.', 3),
  start: optional(
    duration({ min: '100ms', max: '1d' }),
    'An instance not healthy after this long failed to start.',
    '30s',
  ),
});
const healthShape = either(abbreviated('path', urlPath(), longHealthShape), longHealthShape);

const buildShape = either(
  mapped(text('the build, such as v41'), (declared) => ({ declared })),
  mapped(
    mapping(
      'a mapping with "http" or "files"',
      {
        http: optional(urlPath(), 'GET on each instance answers with its build.'),
        files: optional(
          list('a list of paths', text('a path')),
          'The build is the hash of `command`, `env` and the content of these files (provider `local`).',
        ),
      },
      { exactlyOne: ['http', 'files'] },
    ),
    (observed) => ({ observed }),
  ),
);

const groupShape = mapping('a mapping with "environment"', {
  environment: required(identifier('the name of an environment'), 'One of `environments`.'),
  size: optional(
    size(),
    'How many instances: fixed, or the range in which the group scales. Only, and always, with provider `local`.',
  ),
  capacity: optional(rate(), 'What one instance can carry. Left out: the highest healthy load seen.'),
  build: optional(
    buildShape,
    'What runs there, since evidence counts for one pair of builds only: the build itself, or how to learn it. Needed with provider `none`; with `local`, left out: the hash of `command` and `env`.',
  ),
  command: optional(
    list('a list of a program and its arguments', argument('an argument', true), { sizeMin: 1, secret: true }),
    'The program and its arguments, run without a shell; `{port}`, `{instance}` and `{index}` are replaced. Needed with `local`, and only there, like all keys below.',
  ),
  directory: optional(text('a path'), 'Where the command runs. Left out: the directory of the file.'),
  env: optional(
    record('a mapping of variables', names.variable, argument('a text', true), 0, true),
    'Environment variables; `{port}`, `{instance}` and `{index}` are replaced.',
  ),
  ports: optional(
    integer({ min: 1, max: 65_535 }),
    'Port of the first instance; the others follow. Needed with `local`.',
  ),
  server: optional(
    serverName('a server name with {index}'),
    "The balancer's name for an instance; `{index}` counts from 1. Needed with `local`.",
  ),
  health: optional(healthShape, 'How an instance shows that it is well: a path, or a mapping. Needed with `local`.'),
  stop: optional(duration({ min: '0s', max: '1h' }), 'Time between SIGTERM and SIGKILL.', '10s'),
});

const serviceShape = mapping('a mapping with "owner", "kind", "traffic", "origin" and "destination"', {
  owner: required(text('a team or a person'), 'Who answers for it; shown in plans.'),
  kind: required(text('a word such as stateless, edge or stateful'), 'What sort of service it is; shown in plans.'),
  objective: optional(objectiveShape, 'What its users accept. Needed before it can be rolled out.'),
  dependencies: optional(dependenciesShape, 'What it needs from other services of the file.'),
  traffic: required(
    oneOrMore('a list of backends', trafficShape),
    'Where the balancers count its attempts: one mapping, or a list of them.',
  ),
  origin: required(groupShape, 'The group that is left.'),
  destination: required(groupShape, 'The group that is entered.'),
  rollout: optional(policyShape, 'What differs from `rollout` of the file, key by key; `steps` as a whole.'),
});

const waveShape = mapping('a mapping with "name", "services" and "value"', {
  name: required(text('a name'), 'What the wave is called.'),
  services: required(
    list('a list of service names', identifier('the name of a service'), { sizeMin: 1 }),
    'What it moves, in this order.',
  ),
  value: required(text('a sentence'), 'What of value is left if everything after it is cancelled.'),
});

const notifyShape = mapping(
  'a mapping with "slack" or "webhook"',
  {
    slack: optional(
      secretUrl('the address of a Slack-compatible webhook'),
      'Slack-compatible endpoint for one line per event.',
    ),
    emoji: optional(emoji(), 'What begins the line.', ':truck:'),
    webhook: optional(secretUrl('the address of a webhook'), 'Endpoint for each event as JSON.'),
  },
  { exactlyOne: ['slack', 'webhook'], onlyWith: { emoji: 'slack' } },
);

export const fileShape = mapping('a mapping with "version", "name", "services" …', {
  version: required(integer({ min: 1, max: 1 }), 'Version of this format.'),
  name: required(identifier('a name for the fleet'), 'Name of the fleet.'),
  environments: required(
    record('a mapping of environments', names.environment, environmentShape, 1),
    'The places where services run.',
  ),
  balancers: required(
    record('a mapping of balancers', names.balancer, balancerShape, 1),
    'What spreads the traffic, and counts it.',
  ),
  services: required(record('a mapping of services', names.service, serviceShape, 1), 'What moves.'),
  waves: optional(
    list('a list of waves', waveShape),
    'The order in which services move, in pieces that each leave something of value.',
  ),
  rollout: optional(policyShape, 'How services move: the policy for all of them.', {}),
  notify: optional(list('a list of endpoints', notifyShape), 'Who is told about each step.'),
});

export type FileFields = ValueOf<typeof fileShape>;
export type ServiceFields = ValueOf<typeof serviceShape>;
export type GroupFields = ValueOf<typeof groupShape>;
export type BalancerFields = ValueOf<typeof balancerShape>;
export type TrafficFields = ValueOf<typeof trafficShape>;
export type HealthFields = ValueOf<typeof healthShape>;
export type NotifyFields = ValueOf<typeof notifyShape>;
