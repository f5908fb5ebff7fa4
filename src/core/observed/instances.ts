import type { GroupReading, InstanceReading } from './group.ts';

/** What a provider tells of the instances behind one server of the balancer; empty: it knows of none. */
export function instancesAt(group: GroupReading, server: string): readonly InstanceReading[] {
  return indexOf(group).byServer.get(server) ?? [];
}

/** Whoever can size a group knows all that runs in it: where it names no instance for a server there is none. */
export function knowsAllOf(group: GroupReading): boolean {
  return group.size !== null && indexOf(group).areAllNamed;
}

type Index = { readonly byServer: ReadonlyMap<string, readonly InstanceReading[]>; readonly areAllNamed: boolean };

/** Every server of a backend asks, in every pass: to search the group each time is the square of its size. */
const indices = new WeakMap<GroupReading, Index>();

function indexOf(group: GroupReading): Index {
  const there = indices.get(group);
  if (there !== undefined) return there;
  const byServer = new Map<string, InstanceReading[]>();
  for (const instance of group.instances) {
    if (instance.server === null) continue;
    const list = byServer.get(instance.server);
    if (list === undefined) byServer.set(instance.server, [instance]);
    else list.push(instance);
  }
  const index = { byServer, areAllNamed: group.instances.every(({ server }) => server !== null) };
  indices.set(group, index);
  return index;
}
