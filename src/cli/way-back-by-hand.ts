import type { Config, ServiceConfig } from '../core/fleet/config.ts';
import type { Observation } from '../core/rollout/observation.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import { serversOf } from '../core/rollout/servers.ts';

/** The way back as commands that a person can type when nothing of Drover works: literal, one line per balancer process. */
export function wayBackByHand(
  config: Config,
  service: ServiceConfig,
  observation: Observation,
  plan: RolloutPlan,
): string[] {
  const lines: string[] = [];
  const ids = [...plan.backends];
  for (const traffic of service.traffic) {
    const balancer = config.balancers[traffic.balancer];
    if (balancer === undefined) continue;
    if (balancer.kind === 'embedded') {
      ids.shift();
      lines.push(
        `drover back --offline --embedded ${balancer.socket} --backend ${traffic.backend} --destination '${traffic.destination}'`,
      );
      continue;
    }
    for (const socket of balancer.sockets) {
      const backend = ids.shift();
      const reading = backend === undefined ? undefined : observation.backends[backend.id]?.reading;
      lines.push(
        `drover back --offline --haproxy ${socket} --backend ${traffic.backend} --destination '${traffic.destination}'`,
      );
      if (backend === undefined || !reading?.known) continue;
      const commands = [
        ...serversOf(backend, reading.value, 'origin').map(
          ({ name, weight }) => `set server ${traffic.backend}/${name} weight ${weight}`,
        ),
        ...serversOf(backend, reading.value, 'destination').map(
          ({ name }) => `set server ${traffic.backend}/${name} state maint`,
        ),
      ];
      lines.push(`echo '${commands.join('; ')}' | socat stdio ${addressOf(socket)}`);
    }
  }
  return lines;
}

function addressOf(socket: string): string {
  return socket.startsWith('/') || socket.startsWith('.') ? socket : `tcp-connect:${socket}`;
}
