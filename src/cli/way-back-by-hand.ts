import type { Config, ServiceConfig } from '../core/fleet/config.ts';
import type { Observation } from '../core/rollout/observation.ts';
import type { RolloutPlan } from '../core/rollout/plan.ts';
import { serversOf } from '../core/rollout/servers.ts';

/** The way back as commands that a person can type when nothing of Drover works: literal, for each balancer process. */
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
      const origin = serversOf(backend, reading.value, 'origin');
      const destination = serversOf(backend, reading.value, 'destination').map(
        ({ name }) => `${traffic.backend}/${name}`,
      );
      const commands = [
        ...origin.map(({ name, weight }) => `set server ${traffic.backend}/${name} weight ${weight}`),
        ...destination.map((name) => `set server ${name} state maint`),
        // Whoever wakes them later gives them no traffic by that.
        ...destination.map((name) => `set server ${name} weight 0`),
      ];
      for (const batch of batches(commands))
        lines.push(`echo '${batch.join('; ')}' | socat stdio ${addressOf(socket)}`);
    }
  }
  return lines;
}

/** HAProxy reads a line of commands into one buffer, of 16 kB by default. */
const batchCharacterMax = 8000;

function batches(commands: readonly string[]): string[][] {
  const all: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const command of commands) {
    if (length + command.length > batchCharacterMax) {
      all.push([]);
      length = 0;
    }
    all.at(-1)?.push(command);
    length += command.length + 2;
  }
  return all;
}

function addressOf(socket: string): string {
  return socket.startsWith('/') || socket.startsWith('.') ? socket : `tcp-connect:${socket}`;
}
