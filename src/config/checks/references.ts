import type { ServiceFields } from '../grammar.ts';
import type { Position } from '../problem.ts';
import { type Field, valueIn } from '../shape.ts';
import { type Checking, listNames, namesOf, notNamed, servicesOf } from './checking.ts';

/** Names that stand for something defined elsewhere in the file. */
export function checkReferences(checking: Checking): void {
  const { file } = checking;
  const [environments, balancers, services] = [
    namesOf(file.environments),
    namesOf(file.balancers),
    namesOf(file.services),
  ];
  for (const { name, fields } of servicesOf(file)) {
    for (const side of ['origin', 'destination'] as const) {
      const group = valueIn(fields[side]);
      if (group === undefined) continue;
      expectField(checking, group.environment, environments, `services.${name}.${side}.environment`, 'environment');
    }
    for (const { value } of valueIn(fields.traffic) ?? []) {
      expectField(checking, value.balancer, balancers, `services.${name}.traffic.balancer`, 'balancer');
    }
    checkSameEnvironment(checking, name, fields);
    checkDependencies(checking, name, fields, services);
  }
  checkWaves(checking, services);
}

function expectField(
  checking: Checking,
  field: Field<string>,
  known: ReadonlySet<string>,
  path: string,
  what: string,
): void {
  const name = valueIn(field);
  if (name !== undefined) expectName(checking, name, field.at, known, path, what);
}

function expectName(
  checking: Checking,
  name: string,
  at: Position,
  known: ReadonlySet<string>,
  path: string,
  what: string,
): boolean {
  if (known.has(name)) return true;
  checking.problem({
    ...at,
    message: `${path}: there is no such ${what}`,
    expected: listNames(known),
    ...notNamed(name, known, checking.spell),
  });
  return false;
}

function checkSameEnvironment(checking: Checking, name: string, fields: ServiceFields): void {
  const [origin, destination] = [valueIn(fields.origin), valueIn(fields.destination)];
  if (origin === undefined || destination === undefined) return;
  const [from, to] = [valueIn(origin.environment), valueIn(destination.environment)];
  if (from === undefined || from !== to) return;
  const message = `services.${name}: both groups are in the environment ${from}`;
  checking.warn({
    ...destination.environment.at,
    message,
    suggestion: 'a rollout moves from one environment to another',
  });
}

function checkDependencies(
  checking: Checking,
  name: string,
  fields: ServiceFields,
  services: ReadonlySet<string>,
): void {
  const dependencies = valueIn(fields.dependencies);
  if (dependencies === undefined) return;
  const seen = new Map<string, number>();
  for (const kind of ['hard', 'soft', 'telemetry'] as const) {
    for (const { at, value } of valueIn(dependencies[kind]) ?? []) {
      const path = `services.${name}.dependencies.${kind}`;
      const line = seen.get(value);
      if (value === name)
        checking.problem({ ...at, message: `${path}: a service cannot depend on itself`, found: `"${value}"` });
      else if (line !== undefined) {
        const suggestion = `it is already on line ${line}; keep the stronger kind`;
        checking.problem({ ...at, message: `${path}: "${value}" is here a second time`, suggestion });
      } else expectName(checking, value, at, services, path, 'service');
      seen.set(value, line ?? at.line);
    }
  }
}

function checkWaves(checking: Checking, services: ReadonlySet<string>): void {
  const waveOf = new Map<string, string>();
  const lines = new Map<string, number>();
  for (const { value: wave } of valueIn(checking.file.waves) ?? []) {
    const waveName = valueIn(wave.name);
    const line = waveName === undefined ? undefined : lines.get(waveName);
    if (waveName !== undefined && line !== undefined) {
      const suggestion = `another wave of this name is on line ${line}`;
      checking.problem({ ...wave.name.at, message: `waves: "${waveName}" is here a second time`, suggestion });
    }
    if (waveName !== undefined) lines.set(waveName, line ?? wave.name.at.line);
    for (const { at, value: service } of valueIn(wave.services) ?? []) {
      if (!expectName(checking, service, at, services, 'waves: services', 'service')) continue;
      const other = waveOf.get(service);
      if (other !== undefined) {
        const suggestion = `it is already in the wave "${other}"; a service moves once`;
        checking.problem({ ...at, message: `waves: the service "${service}" is here a second time`, suggestion });
      }
      waveOf.set(service, other ?? waveName ?? 'before this one');
    }
  }
}
