import type { Config, ServiceConfig } from '../../core/fleet/config.ts';
import type { ServerReading } from '../../core/observed/backend.ts';
import type { AsFound, ServerFound } from '../../core/rollout/events.ts';
import type { Observation } from '../../core/rollout/observation.ts';
import type { RolloutPlan } from '../../core/rollout/plan.ts';
import { serversOf } from '../../core/rollout/servers.ts';

/**
 * The way back as commands that a person can type when nothing of Drover works: literal, for each balancer process. The
 * origin's weights are those that the last rollout of the service found (`asFound`; null: there was none): at the moment they
 * may be anything, nothing included.
 */
export function wayBackByHand(
  config: Config,
  service: ServiceConfig,
  observation: Observation,
  plan: RolloutPlan,
  asFound: AsFound | null,
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
      const origin = originWeights(serversOf(backend, reading.value, 'origin'), asFound?.backends[backend.id] ?? {});
      if (origin.every(([, weight]) => weight === 0)) {
        lines.push(`# the weights of the origin at ${backend.id} are not known (0 now, and 0 in its configuration)`);
        continue;
      }
      const destination = serversOf(backend, reading.value, 'destination').map(
        ({ name }) => `${traffic.backend}/${name}`,
      );
      const commands = [
        ...origin.map(([name, weight]) => `set server ${traffic.backend}/${name} weight ${weight}`),
        ...destination.map((name) => `set server ${name} state maint`),
        // Whoever wakes them later gives them no traffic by that.
        ...destination.map((name) => `set server ${name} weight 0`),
      ];
      lines.push(...typedAtHaproxy(socket, commands));
    }
  }
  return lines;
}

/** Commands for a runtime socket, as a person types them. */
export function typedAtHaproxy(socket: string, commands: readonly string[]): string[] {
  return batches(commands).map((batch) => `echo '${batch.join('; ')}' | socat stdio ${addressOf(socket)}`);
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

/** As found; else as they are, or as a reload would bring them back where they carry nothing now. */
function originWeights(
  servers: readonly ServerReading[],
  found: Readonly<Record<string, ServerFound>>,
): [string, number][] {
  const isServing = servers.some(({ weight, admin }) => weight > 0 && admin === 'ready');
  return servers.map(({ name, weight, configuredWeight }) => [
    name,
    found[name]?.weight ?? (isServing ? weight : configuredWeight),
  ]);
}

function addressOf(socket: string): string {
  return socket.startsWith('/') || socket.startsWith('.') ? socket : `tcp-connect:${socket}`;
}
