import type { BalancerConfig, Config, GroupConfig, ServiceConfig } from '../../../core/fleet/config.ts';
import { isServerName } from '../../../core/observed/server-name.ts';
import { PortError } from '../../../engine/ports.ts';
import type { EmbeddedConfig } from './config.ts';

type Embedded = Extract<BalancerConfig, { kind: 'embedded' }>;

/**
 * The configured weight of a server of the group that carries the traffic at the start; the other group's is 0. Low enough that
 * the lowest weight of the drill gets a request now and then.
 */
const fullWeight = 20;

/**
 * What an embedded balancer of drover.yaml runs on: one backend, whose servers are every instance that the local provider may
 * start. Throws PortError where the configuration leaves that open.
 */
export function embeddedConfigOf(config: Config, balancer: Embedded): EmbeddedConfig {
  const uses = Object.values(config.services).flatMap((service) =>
    service.traffic.filter((traffic) => traffic.balancer === balancer.name).map((traffic) => ({ service, traffic })),
  );
  const [use, other] = uses;
  if (use === undefined) throw refused(balancer, 'no service names it under "traffic"');
  if (other !== undefined)
    throw refused(balancer, 'it carries one backend only; give each service a balancer of its own');
  return {
    name: balancer.name,
    socket: balancer.socket,
    backends: [
      {
        name: use.traffic.backend,
        listen: balancer.listen,
        servers: [
          ...serversOf(balancer, use.service, use.service.origin, balancer.carries === 'origin' ? fullWeight : 0),
          ...serversOf(
            balancer,
            use.service,
            use.service.destination,
            balancer.carries === 'destination' ? fullWeight : 0,
          ),
        ],
        check: checkOf(use.service.origin),
        ...timeouts(use.service.rollout.attemptMsMax),
      },
    ],
  };
}

/** So that no attempt lasts longer than the policy says: connecting, answering, and the balancer's own second of slack. */
function timeouts(attemptMsMax: number) {
  const connectMsMax = Math.min(2000, Math.ceil(attemptMsMax / 4));
  return { connectMsMax, responseMsMax: Math.max(1, attemptMsMax - connectMsMax - 1000) };
}

function serversOf(balancer: Embedded, service: ServiceConfig, group: GroupConfig, weight: number) {
  const { local, size } = group;
  if (local === null || size === null) {
    throw refused(
      balancer,
      `service ${service.name} is not run by the local provider in ${group.environment}, so its addresses are unknown`,
    );
  }
  if (!isServerName(local.serverName))
    throw refused(balancer, `no server can be called ${local.serverName}: give its group another \`server\``);
  return Array.from({ length: size.max }, (_, index) => ({
    name: local.serverName.replaceAll('{index}', String(index + 1)),
    address: `127.0.0.1:${local.firstPort + index}`,
    weight,
  }));
}

function checkOf(group: GroupConfig): NonNullable<EmbeddedConfig['backends'][number]['check']> | null {
  if (group.local === null) return null;
  const { path, intervalMs, timeoutMs, rise, fall } = group.local.health;
  return { path, intervalMs, timeoutMs, rise, fall };
}

function refused(balancer: Embedded, why: string): PortError {
  return new PortError('refused', `the embedded balancer "${balancer.name}" cannot be started: ${why}`, {
    retriable: false,
  });
}
