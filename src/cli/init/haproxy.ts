import { schemaLine } from '../../config/example.ts';
import type { BalancerConfig } from '../../core/fleet/config.ts';
import { controllability } from '../../core/fleet/controllability.ts';
import type { BackendReading, ServerReading } from '../../core/observed/backend.ts';
import { figuresOf, tallyReading } from '../../core/observed/tally.ts';
import { CliError, type Context } from '../context.ts';
import { rate, whole } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { harmless, wrapTo } from '../terminal/text.ts';
import { type LikelyGroup, likelyGroups } from './likely-groups.ts';

export type FoundBackend = { readonly name: string; readonly reading: BackendReading };
export type FoundHaproxy = {
  readonly sockets: readonly string[];
  /** haproxy.cfg, if it was given. */
  readonly configFile: string | null;
  readonly backends: readonly FoundBackend[];
};

const deadlineMs = 5000;

/**
 * Reads what is behind the first of these sockets and writes it down as a configuration. `written`: a path as the file has
 * to have it. Throws PortError.
 */
export async function surveyHaproxy(
  context: Context,
  { sockets, configFile }: Pick<FoundHaproxy, 'sockets' | 'configFile'>,
  written: (path: string) => string,
): Promise<string> {
  const balancer: BalancerConfig = { kind: 'haproxy', name: 'haproxy', sockets, configFile };
  const signal = AbortSignal.timeout(deadlineMs);
  const names = await context.world.listBackends(balancer, signal);
  if (names.length === 0) {
    throw new CliError(
      `no backend of the HAProxy at ${sockets[0] ?? ''} has servers: there is nothing to write down`,
      'add the services to haproxy.cfg first, or name the socket of another HAProxy',
    );
  }
  const backends: FoundBackend[] = [];
  for (const name of names) {
    const [open] = context.world.openBackends(balancer, { backend: name });
    if (open !== undefined) backends.push({ name, reading: await open.backend.read(signal) });
  }
  return configurationFromHaproxy({
    sockets: sockets.map(written),
    configFile: configFile === null ? null : written(configFile),
    backends,
  });
}

/**
 * `drover.yaml` for an HAProxy that runs: its backends as services, its servers with their weights, and the groups that
 * their names suggest. What could not be known has no value and is marked FILL IN, so that `drover check` names it.
 */
export function configurationFromHaproxy(found: FoundHaproxy): string {
  const services = uniqueNames(found.backends.map(({ name }) => name));
  const groups = found.backends.map(({ reading }) => likelyGroups(reading.servers));
  const environments = new Set(
    groups.flatMap(({ origin, destination }) => [
      environmentOf(origin, 'origin'),
      environmentOf(destination, 'destination'),
    ]),
  );
  const lines = [
    schemaLine,
    '#',
    `# What drover init found at ${found.sockets.join(', ')}. What it could not know is marked FILL IN; drover check names`,
    '# what is left of it. All keys and units: docs/reference/configuration.md',
    '',
    'version: 1',
    'name: fleet',
    '',
    '# Places where services run, called after the names of their servers. "none": your own tools own the instances.',
    'environments:',
    ...[...environments].map((name) => `  ${quoted(name)}: { provider: none }`),
    '',
    'balancers:',
    '  haproxy:',
    '    haproxy:',
    ...(found.sockets.length === 1
      ? [`      socket: ${quoted(found.sockets[0] ?? '')}`]
      : ['      sockets:', ...found.sockets.map((socket) => `        - ${quoted(socket)}`)]),
    found.configFile === null
      ? '      # config: /etc/haproxy/haproxy.cfg # tells what the socket does not: retries, stickiness, time-outs'
      : `      config: ${quoted(found.configFile)}`,
    '',
    'services:',
    ...found.backends.flatMap((backend, at) => [...serviceLines(services[at] ?? backend.name, backend), '']),
    '# The order in which services move, in pieces that each leave something of value:',
    '# waves:',
    '#   - name: first',
    `#     services: [${services[0] ?? 'web'}]`,
    '#     value: One service runs in the new place, and the way back has been rehearsed.',
  ];
  return `${lines.map(harmless).join('\n')}\n`;
}

function serviceLines(service: string, { name, reading }: FoundBackend): string[] {
  const { origin, destination, because } = likelyGroups(reading.servers);
  return [
    `  ${quoted(service)}:`,
    ...describeBackend(reading).map((line) => `    # ${line}`.trimEnd()),
    '    owner: # FILL IN: the team or person who answers for it',
    '    kind: # FILL IN: stateless, edge, stateful or a word of yours',
    '    objective:',
    '      failures: # FILL IN: the fraction of attempts that may fail without users minding, such as 1%',
    '    traffic:',
    '      balancer: haproxy',
    `      backend: ${quoted(name)}`,
    patternLine('origin', origin, origin === null ? 'which servers are left' : 'servers named so'),
    patternLine('destination', destination, because ?? 'which servers are entered; they need weight 0 in haproxy.cfg'),
    ...groupLines('origin', environmentOf(origin, 'origin')),
    ...groupLines('destination', environmentOf(destination, 'destination')),
  ];
}

function patternLine(side: string, group: LikelyGroup | null, said: string): string {
  if (group === null) return `      ${side}: # FILL IN: a pattern such as "new-*": ${said}`;
  return `      ${side}: ${quoted(group.pattern)} # a guess: ${group.servers} ${group.servers === 1 ? 'server' : 'servers'}; ${said}`;
}

function groupLines(side: string, environment: string): string[] {
  return [
    `    ${side}:`,
    `      environment: ${quoted(environment)}`,
    '      build: # FILL IN: what runs there, such as v41, or where instances tell it: { http: /version }',
    ...(side === 'origin'
      ? [
          '      # capacity: 120/s # what one instance can carry. Without it the highest load seen counts, and a group that',
          '      #                   always runs at its size shows no reserve for the way back: then nothing goes forward.',
        ]
      : []),
  ];
}

function environmentOf(group: LikelyGroup | null, side: string): string {
  return group === null || group.environment === '' ? side : group.environment;
}

const serversShownMax = 30;

function describeBackend(reading: BackendReading): string[] {
  const { traits, servers } = reading;
  const { sinceStart } = figuresOf(tallyReading(null, reading, 0, null), () => true);
  const mode = traits.mode.known ? traits.mode.value : 'mode unknown';
  const algorithm = traits.algorithm.known ? traits.algorithm.value : 'balancing unknown';
  const failed = mode === 'http' ? `, of which ${rate(sinceStart.failures, sinceStart.attempts)} failed` : '';
  const rows = servers.slice(0, serversShownMax).map(serverCells);
  const more = servers.length - rows.length;
  return [
    `${mode}, ${algorithm}; since HAProxy's start ${whole(sinceStart.attempts)} attempts${failed}`,
    ...table([['server', 'address', 'weight', 'configured', 'state'], ...rows], 'llrrl').map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more servers`] : []),
    ...controllability(traits, servers).flatMap(({ severity, what, why, remedy }) =>
      wrapTo(`${severity === 'refuse' ? 'No rollout starts' : 'Warning'}: ${what}. ${why} ${remedy}`, 110),
    ),
  ];
}

function serverCells(server: ServerReading): string[] {
  const { name, address, weight, configuredWeight, admin, health } = server;
  return [name, address ?? '–', String(weight), String(configuredWeight), admin === 'ready' ? health : admin];
}

/** Names of services are shorter and plainer than those of backends may be. */
function uniqueNames(backends: readonly string[]): string[] {
  const taken = new Set<string>();
  return backends.map((backend) => {
    const plain =
      backend
        .replace(/[^A-Za-z0-9_-]/g, '-')
        .replace(/^[-_]+/, '')
        .slice(0, 50) || 'service';
    let name = plain;
    for (let next = 2; taken.has(name); next++) name = `${plain}-${next}`;
    taken.add(name);
    return name;
  });
}

/** JSON strings are YAML; plain words that YAML takes for something else (`on`, `1e3`, `null`) need the quotes. */
function quoted(text: string): string {
  return /^[A-Za-z][A-Za-z_-]*$/.test(text) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
