import type { ServiceFields, TrafficFields } from '../grammar.ts';
import { valueIn } from '../shape.ts';
import { type Checking, namesOf, providerOf, servicesOf } from './checking.ts';

/** A balancer is there for somebody; the embedded one carries one backend, whose servers it learns from the local provider. */
export function checkBalancers(checking: Checking): void {
  const uses = Map.groupBy(usesOf(checking), (use) => use.balancer);
  const known = namesOf(checking.file.balancers);
  // A use that could not be read, or is misspelt, may be one of this balancer.
  const allRead = servicesOf(checking.file).every(({ fields }) => isWholeTraffic(fields, known));
  for (const [name, { at, value }] of valueIn(checking.file.balancers) ?? []) {
    const isEmbedded = value.embedded.state === 'given';
    const [use, ...others] = uses.get(name) ?? [];
    if (use === undefined) {
      if (!allRead) continue;
      const message = `balancers.${name}: no service names it under "traffic"`;
      if (isEmbedded) checking.problem({ ...at, message, expected: 'a service whose traffic it carries' });
      else checking.warn({ ...at, message });
    } else if (isEmbedded) {
      for (const other of others) reportSecondBackend(checking, other, use);
      for (const each of [use, ...others]) reportForeignServers(checking, each);
    }
  }
}

type Use = {
  readonly service: ReturnType<typeof servicesOf>[number];
  readonly traffic: TrafficFields;
  readonly balancer: string;
};

function usesOf(checking: Checking): Use[] {
  return servicesOf(checking.file).flatMap((service) =>
    (valueIn(service.fields.traffic) ?? []).flatMap(({ value: traffic }) => {
      const balancer = valueIn(traffic.balancer);
      return balancer === undefined ? [] : [{ service, traffic, balancer }];
    }),
  );
}

function isWholeTraffic(fields: ServiceFields, known: ReadonlySet<string>): boolean {
  const traffic = valueIn(fields.traffic) ?? [];
  return traffic.length > 0 && traffic.every(({ value }) => known.has(valueIn(value.balancer) ?? ''));
}

function reportSecondBackend(checking: Checking, use: Use, first: Use): void {
  checking.problem({
    ...use.traffic.balancer.at,
    message: `services.${use.service.name}.traffic.balancer: an embedded balancer carries one backend only`,
    found: `"${use.balancer}", which carries that of ${first.service.name} (line ${first.traffic.balancer.at.line})`,
    suggestion: 'give each service a balancer of its own',
  });
}

function reportForeignServers(checking: Checking, { service, balancer }: Use): void {
  for (const side of ['origin', 'destination'] as const) {
    const group = valueIn(service.fields[side]);
    if (group === undefined || providerOf(checking.file, valueIn(group.environment)) !== 'none') continue;
    checking.problem({
      ...group.environment.at,
      message: `services.${service.name}.${side}: an embedded balancer does not know the addresses of these instances`,
      expected: `an environment with the provider local, since the traffic is carried by "${balancer}"`,
      found: `the provider none`,
    });
  }
}
