import type { GroupFields } from '../grammar.ts';
import type { Position } from '../problem.ts';
import { valueIn } from '../shape.ts';
import { type Checking, providerOf, servicesOf } from './checking.ts';

/** What a group needs and may have depends on the provider of its environment; ports are used once. */
export function checkGroups(checking: Checking): void {
  const ranges: PortRange[] = listenPorts(checking);
  for (const { name, fields } of servicesOf(checking.file)) {
    for (const side of ['origin', 'destination'] as const) {
      const group = valueIn(fields[side]);
      if (group === undefined) continue;
      const path = `services.${name}.${side}`;
      const environment = valueIn(group.environment);
      const provider = providerOf(checking.file, environment);
      if (provider === 'none') checkForeignGroup(checking, path, group, environment ?? '');
      if (provider !== 'local') continue;
      checkLocalGroup(checking, path, group);
      const range = portRange(checking, path, group);
      if (range !== null) ranges.push(range);
    }
  }
  checkCollisions(checking, ranges);
}

const localNeeds = {
  size: 'a number of instances such as 4, or 2..6',
  command: 'a list of a program and its arguments',
  ports: 'the port of the first instance',
  server: 'a server name with {index}',
  health: 'a path such as /healthz',
} as const;

/** `stop` has a default and `env`, `directory` may be left out; without a process they mean nothing all the same. */
const localOnly = ['size', 'command', 'directory', 'env', 'ports', 'server', 'health', 'stop'] as const;

function checkForeignGroup(checking: Checking, path: string, group: GroupFields, environment: string): void {
  for (const key of localOnly) {
    if (group[key].state !== 'given') continue;
    checking.problem({
      ...group[key].at,
      message: `${path}.${key}: Drover does not run the instances of this environment`,
      expected: `no "${key}" where the provider is none`,
      suggestion: `remove it, or give the environment ${environment} the provider local`,
    });
  }
  if (group.build.state === 'missing') {
    checking.problem({
      ...group.keyAt,
      message: `${path}.build is missing`,
      expected: 'the build that runs there, or { http: PATH } to ask the instances',
      found: 'nothing',
      suggestion: 'evidence counts for one pair of builds; `build: v41` is enough',
    });
  }
  const build = valueIn(group.build);
  if (build === undefined || !('observed' in build) || build.observed.files.state !== 'given') return;
  const message = `${path}.build.files: Drover does not know the command of these instances`;
  checking.problem({
    ...build.observed.files.at,
    message,
    expected: 'the build, or { http: PATH }, where the provider is none',
  });
}

function checkLocalGroup(checking: Checking, path: string, group: GroupFields): void {
  for (const [key, expected] of Object.entries(localNeeds)) {
    const field = group[key as keyof typeof localNeeds];
    if (field.state !== 'missing') continue;
    const message = `${path}.${key} is missing (the provider is local)`;
    checking.problem({ ...group.keyAt, message, expected, found: 'nothing' });
  }
  const command = valueIn(group.command);
  const values = [...(command ?? []), ...(valueIn(group.env)?.values() ?? [])];
  if (command === undefined || group.env.state === 'invalid' || values.some(({ value }) => value.includes('{port}')))
    return;
  const message = `${path}.command: neither the command nor "env" has {port}, so the instances cannot know their ports`;
  checking.warn({
    ...group.command.at,
    message,
    suggestion: 'for example "--port={port}", or env: { PORT: "{port}" }',
  });
}

type PortRange = { readonly path: string; readonly at: Position; readonly first: number; readonly last: number };

const portMax = 65_535;

function portRange(checking: Checking, path: string, group: GroupFields): PortRange | null {
  const [first, size] = [valueIn(group.ports), valueIn(group.size)];
  if (first === undefined || size === undefined) return null;
  const last = first + size.max - 1;
  if (last > portMax) {
    const expected = `${size.max} ports from it on, so at most ${portMax - size.max + 1}`;
    checking.problem({
      ...group.ports.at,
      message: `${path}.ports: the last port would be ${last}`,
      expected,
      found: `${first}`,
    });
  }
  return { path: `${path}.ports`, at: group.ports.at, first, last };
}

function listenPorts(checking: Checking): PortRange[] {
  return [...(valueIn(checking.file.balancers) ?? [])].flatMap(([name, { value }]) => {
    const embedded = valueIn(value.embedded);
    const listen = embedded === undefined ? undefined : valueIn(embedded.listen);
    if (embedded === undefined || listen === undefined) return [];
    const port = Number(listen.slice(listen.lastIndexOf(':') + 1));
    return [{ path: `balancers.${name}.embedded.listen`, at: embedded.listen.at, first: port, last: port }];
  });
}

/** Sorted by first port, only the widest earlier range can reach into a later one. */
function checkCollisions(checking: Checking, ranges: readonly PortRange[]): void {
  const sorted = ranges.toSorted((a, b) => a.first - b.first);
  let widest: PortRange | undefined;
  for (const range of sorted) {
    if (widest !== undefined && range.first <= widest.last) reportCollision(checking, widest, range);
    if (widest === undefined || range.last > widest.last) widest = range;
  }
}

function reportCollision(checking: Checking, a: PortRange, b: PortRange): void {
  const [earlier, later] =
    a.at.line < b.at.line || (a.at.line === b.at.line && a.at.column < b.at.column) ? [a, b] : [b, a];
  checking.problem({
    ...later.at,
    message: `${later.path}: the ports collide with ${earlier.path} (line ${earlier.at.line})`,
    expected: `no port of ${portsOf(earlier)}`,
    found: portsOf(later),
  });
}

function portsOf(range: PortRange): string {
  return range.first === range.last ? `${range.first}` : `${range.first}..${range.last}`;
}
