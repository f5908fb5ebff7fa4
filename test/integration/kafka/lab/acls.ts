import type { Cluster } from './cluster.ts';
import { tool } from './java.ts';
import { run } from './running.ts';
import type { Properties } from './settings.ts';

/** For the server.properties: the plain listener and the broker itself may do everything, everybody else what ACLs say. */
export function guarded(version: Cluster['version']): Properties {
  const name = version === '2.8.2' ? oldAuthorizer : 'org.apache.kafka.metadata.authorizer.StandardAuthorizer';
  return { 'authorizer.class.name': name, 'super.users': 'User:ANONYMOUS' };
}

const oldAuthorizer = 'kafka.security.authorizer.AclAuthorizer';

/** Kafka's own `kafka-acls`; what it prints. `words`: behind the address of the cluster. */
export async function acls(cluster: Cluster, ...words: readonly string[]): Promise<string> {
  return await aclCommand(cluster, ['--bootstrap-server', cluster.bootstrap(), ...words]);
}

export async function aclCommand(cluster: Cluster, words: readonly string[]): Promise<string> {
  const main = cluster.version === '4.3.1' ? 'org.apache.kafka.tools.AclCommand' : 'kafka.admin.AclCommand';
  return (await run(tool(cluster, main, words), { timeLimitMs: 60_000 })).stdout;
}

/** Entries about topics, one a line: `literal orders: User:alice may READ from *`. */
export async function topicAcls(cluster: Cluster): Promise<string[]> {
  const told = await acls(cluster, '--list');
  const lines: string[] = [];
  let pattern = '';
  for (const line of told.split('\n')) {
    const [, type, name, how] = /resourceType=(\w+), name=(.*), patternType=(\w+)/.exec(line) ?? [];
    if (type !== undefined) pattern = type === 'TOPIC' ? `${how?.toLowerCase()} ${name}` : '';
    const entry = /principal=(.*), host=(.*), operation=(\w+), permissionType=(\w+)/.exec(line);
    if (entry === null || pattern === '') continue;
    const [, principal, host, operation, permission] = entry;
    lines.push(`${pattern}: ${principal} ${permission === 'DENY' ? 'may not' : 'may'} ${operation} from ${host}`);
  }
  return lines.toSorted((one, other) => (one < other ? -1 : 1));
}
