import { resolve } from 'node:path';
import type {
  BalancerConfig,
  BuildConfig,
  Config,
  Dependency,
  GroupConfig,
  HealthConfig,
  LocalGroupConfig,
  NotifyConfig,
  ServiceConfig,
} from '../core/fleet/config.ts';
import type { Items, Named } from './collections.ts';
import type { BalancerFields, FileFields, GroupFields, HealthFields, NotifyFields, ServiceFields } from './grammar.ts';
import { defaultControlSocket, isAddress } from './names.ts';
import { overridePolicy, policyConfig } from './policy.ts';
import type { PolicyFields } from './policy-grammar.ts';
import { settled, valueIn } from './shape.ts';

/** A file without problems as the rest of Drover sees it. Relative paths become absolute against `directory`. */
export function resolveConfig(file: FileFields, directory: string): Config {
  const environments = settled(file.environments);
  const common = settled(file.rollout);
  return {
    name: settled(file.name),
    environments: byName(environments, (name, fields) => ({ name, provider: settled(fields.provider) })),
    balancers: byName(settled(file.balancers), (name, fields) => balancerConfig(name, fields, directory)),
    services: byName(settled(file.services), (name, fields) =>
      serviceConfig(name, fields, { environments, common, directory }),
    ),
    waves: plain(valueIn(file.waves)).map((wave) => ({
      name: settled(wave.name),
      services: plain(settled(wave.services)),
      value: settled(wave.value),
    })),
    notify: plain(valueIn(file.notify)).map(notifyConfig),
    directory,
  };
}

/** Without a prototype: `constructor` is a name like any other, and a name that is not there is undefined. */
function byName<T, U>(named: Named<T>, change: (name: string, value: T) => U): Readonly<Record<string, U>> {
  const result: Record<string, U> = Object.create(null);
  for (const [name, { value }] of named) result[name] = change(name, value);
  return result;
}

function plain<T>(items: Items<T> | undefined): T[] {
  return (items ?? []).map((item) => item.value);
}

function balancerConfig(name: string, fields: BalancerFields, directory: string): BalancerConfig {
  const haproxy = valueIn(fields.haproxy);
  if (haproxy !== undefined) {
    const socket = valueIn(haproxy.socket);
    const sockets = socket === undefined ? plain(settled(haproxy.sockets)) : [socket];
    const configFile = valueIn(haproxy.config);
    return {
      kind: 'haproxy',
      name,
      sockets: sockets.map((each) => (isAddress(each) ? each : resolve(directory, each))),
      configFile: configFile === undefined ? null : resolve(directory, configFile),
    };
  }
  const embedded = settled(fields.embedded);
  const control = valueIn(embedded.socket) ?? defaultControlSocket(name);
  const { listen, carries } = embedded;
  return {
    ...{ kind: 'embedded', name, listen: settled(listen), socket: resolve(directory, control) },
    carries: settled(carries),
  };
}

type Surroundings = {
  readonly environments: ReadonlyMap<
    string,
    { readonly value: { readonly provider: Parameters<typeof settled<'none' | 'local'>>[0] } }
  >;
  readonly common: PolicyFields;
  readonly directory: string;
};

function serviceConfig(name: string, fields: ServiceFields, around: Surroundings): ServiceConfig {
  const objective = valueIn(fields.objective);
  return {
    name,
    owner: settled(fields.owner),
    kind: settled(fields.kind),
    objective: objective === undefined ? null : { failureRate: settled(objective.failures) },
    dependencies: dependencies(fields),
    origin: groupConfig(settled(fields.origin), around),
    destination: groupConfig(settled(fields.destination), around),
    traffic: plain(settled(fields.traffic)).map((traffic) => ({
      balancer: settled(traffic.balancer),
      backend: settled(traffic.backend),
      origin: settled(traffic.origin),
      destination: settled(traffic.destination),
    })),
    rollout: policyConfig(overridePolicy(around.common, valueIn(fields.rollout))),
  };
}

function dependencies(fields: ServiceFields): Dependency[] {
  const given = valueIn(fields.dependencies);
  if (given === undefined) return [];
  const kinds = ['hard', 'soft', 'telemetry'] as const;
  return kinds.flatMap((kind) => plain(valueIn(given[kind])).map((service) => ({ service, kind })));
}

function groupConfig(fields: GroupFields, around: Surroundings): GroupConfig {
  const environment = settled(fields.environment);
  const provider = around.environments.get(environment)?.value.provider;
  const isLocal = provider !== undefined && settled(provider) === 'local';
  return {
    environment,
    size: valueIn(fields.size) ?? null,
    capacityRps: valueIn(fields.capacity) ?? null,
    build: buildConfig(fields, around.directory),
    local: isLocal ? localConfig(fields, around.directory) : null,
  };
}

/** Left out (provider local): command and variables alone. */
function buildConfig(fields: GroupFields, directory: string): BuildConfig {
  const build = valueIn(fields.build);
  if (build === undefined) return { kind: 'command', files: [] };
  if ('declared' in build) return { kind: 'declared', build: build.declared };
  const path = valueIn(build.observed.http);
  if (path !== undefined) return { kind: 'http', path };
  return { kind: 'command', files: plain(settled(build.observed.files)).map((file) => resolve(directory, file)) };
}

function localConfig(fields: GroupFields, directory: string): LocalGroupConfig {
  return {
    command: plain(settled(fields.command)),
    workingDirectory: resolve(directory, valueIn(fields.directory) ?? '.'),
    env: byName(valueIn(fields.env) ?? new Map(), (_, value) => value),
    firstPort: settled(fields.ports),
    serverName: settled(fields.server),
    health: healthConfig(settled(fields.health)),
    stopMsMax: settled(fields.stop),
  };
}

function healthConfig(fields: HealthFields): HealthConfig {
  return {
    path: settled(fields.path),
    intervalMs: settled(fields.interval),
    timeoutMs: settled(fields.timeout),
    rise: settled(fields.rise),
    fall: settled(fields.fall),
    startMsMax: settled(fields.start),
  };
}

function notifyConfig(fields: NotifyFields): NotifyConfig {
  const slack = valueIn(fields.slack);
  if (slack !== undefined) return { kind: 'slack', url: slack, emoji: settled(fields.emoji) };
  return { kind: 'webhook', url: settled(fields.webhook) };
}
