import { Agent, request } from 'undici';
import { HaproxyBackend } from '../../src/io/balancer/haproxy/backend.ts';
import type { BackendHarness, Ledger } from '../contract/backend.ts';
import { openUpstream, type Upstream } from './embedded/upstreams.ts';
import { freePort } from './free-ports.ts';
import { type HaproxyOptions, type RunningHaproxy, startHaproxy } from './haproxy-process.ts';

export type HaproxyHarness = BackendHarness & {
  readonly haproxy: RunningHaproxy;
  readonly upstreams: readonly Upstream[];
  readonly url: string;
};

export type HaproxyHarnessOptions = {
  readonly names?: readonly string[];
  /** More lines for the backend `web`. */
  readonly backend?: readonly string[];
  /** The words of a server's line after its address. */
  readonly server?: (name: string) => string;
  readonly process?: Pick<HaproxyOptions, 'master' | 'global' | 'defaults'>;
};

/** HAProxy with the backend `web`, in front of servers in this process. */
export async function openHaproxy({
  names = ['a-1', 'a-2', 'b-1'],
  backend = ['balance roundrobin'],
  server = () => 'weight 100',
  process: processOptions = {},
}: HaproxyHarnessOptions = {}): Promise<HaproxyHarness> {
  const upstreams = await Promise.all(names.map(openUpstream));
  const port = await freePort();
  const sections = [
    ...['frontend web', `  bind 127.0.0.1:${port}`, '  default_backend web', 'backend web'],
    ...backend.map((line) => `  ${line}`),
    ...upstreams.map((upstream) => `  server ${upstream.name} 127.0.0.1:${upstream.port} ${server(upstream.name)}`),
  ];
  const haproxy = await startHaproxy({ ...processOptions, sections });
  const agent = new Agent({ connections: 4 });
  const url = `http://127.0.0.1:${port}`;
  return {
    haproxy,
    upstreams,
    url,
    backend: new HaproxyBackend({ socket: haproxy.socket, backend: 'web', configFile: haproxy.configFile }),
    servers: names,
    traffic: (requests) => traffic(agent, url, upstreams, requests),
    behave: async (name, behaviour) => {
      await upstreams.find((upstream) => upstream.name === name)?.behave(behaviour);
    },
    restart: () => haproxy.reload(),
    kill: () => haproxy.kill(),
    freeze: async () => {
      const worker = await haproxy.worker();
      process.kill(worker, 'SIGSTOP');
      return async () => {
        process.kill(worker, 'SIGCONT');
      };
    },
    close: async () => {
      await agent.destroy();
      await haproxy.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
    },
  };
}

async function traffic(agent: Agent, url: string, upstreams: readonly Upstream[], requests: number): Promise<Ledger> {
  for (const { books } of upstreams) Object.assign(books, { answered: 0, failed: 0 });
  const users = { answered: 0, failed: 0 };
  let left = requests;
  const user = async () => {
    while (left-- > 0) users[(await isAnswered(agent, url)) ? 'answered' : 'failed']++;
  };
  await Promise.all([user(), user(), user(), user()]);
  return { servers: Object.fromEntries(upstreams.map(({ name, books }) => [name, { ...books }])), users };
}

async function isAnswered(agent: Agent, url: string): Promise<boolean> {
  try {
    const { body, statusCode } = await request(url, { dispatcher: agent });
    await body.dump();
    return statusCode < 500;
  } catch {
    return false;
  }
}
