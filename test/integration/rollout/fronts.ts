import { freePort } from '../free-ports.ts';
import { type RunningHaproxy, startHaproxy } from '../haproxy-process.ts';
import { type Behaviour, type RunningServer, startServer } from './servers.ts';

export type Weights = Readonly<Record<string, number>>;
const names = ['classic-1', 'classic-2', 'vpc-1', 'vpc-2'] as const;
const foundWeights: Weights = { 'classic-1': 10, 'classic-2': 20, 'vpc-1': 0, 'vpc-2': 0 };

/** HAProxies with one backend for each service, all of them in front of the same servers. */
export type Fronts = {
  readonly haproxies: readonly RunningHaproxy[];
  readonly urls: readonly string[];
  reload(weights: Weights): Promise<void>;
  close(): Promise<void>;
};

export async function openFronts(
  services: readonly string[],
  count: number,
  behaviourOf: (service: string, server: string) => Behaviour,
): Promise<Fronts> {
  const servers = new Map<string, RunningServer>();
  for (const service of services)
    for (const name of names) servers.set(`${service} ${name}`, await startServer(name, behaviourOf(service, name)));
  const haproxies: RunningHaproxy[] = [];
  const urls: string[] = [];
  const reloads: ((weights: Weights) => Promise<void>)[] = [];
  for (let index = 0; index < count; index++) {
    const ports = await Promise.all(services.map(freePort));
    urls.push(...ports.map((port) => `http://127.0.0.1:${port}/`));
    const sections = (weights: Weights) =>
      services.flatMap((service, at) => backendLines(service, ports[at] ?? 0, servers, weights));
    const defaults = ['timeout connect 500ms', 'timeout server 1500ms', 'retries 0'];
    const haproxy = await startHaproxy({ sections: sections(foundWeights), defaults });
    haproxies.push(haproxy);
    reloads.push((weights) => haproxy.reload(sections(weights)));
  }
  return {
    haproxies,
    urls,
    reload: async (weights) => {
      for (const reload of reloads) await reload(weights);
    },
    close: async () => {
      for (const haproxy of haproxies) await haproxy.close();
      for (const server of servers.values()) await server.close();
    },
  };
}

/** Checks that time out do not count soon: all servers live in one process, which a busy machine makes wait. */
function backendLines(
  service: string,
  port: number,
  servers: ReadonlyMap<string, RunningServer>,
  weights: Weights,
): string[] {
  return [
    `frontend ${service}-entry`,
    `  bind 127.0.0.1:${port}`,
    `  default_backend ${service}`,
    `backend ${service}`,
    '  balance roundrobin',
    '  option httpchk GET /health',
    ...names.map((name) => {
      const address = `127.0.0.1:${servers.get(`${service} ${name}`)?.port}`;
      return `  server ${name} ${address} weight ${weights[name] ?? 0} check inter 200ms rise 1 fall 50`;
    }),
  ];
}
