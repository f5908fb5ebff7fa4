import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import type { Backend } from '../../../src/engine/ports.ts';
import { embeddedBackend } from '../../../src/io/balancer/embedded/backend.ts';
import type { EmbeddedConfig } from '../../../src/io/balancer/embedded/config.ts';
import { type RunningEmbedded, startEmbedded, stopEmbedded } from '../../../src/io/balancer/embedded/lifecycle.ts';
import type { BackendHarness, Ledger } from '../../contract/backend.ts';
import { openUpstream, type Upstream } from './upstreams.ts';

export type EmbeddedHarness = BackendHarness & {
  readonly directory: string;
  readonly config: EmbeddedConfig;
  readonly running: RunningEmbedded;
  readonly upstreams: readonly Upstream[];
  /** `http://host:port` of the first backend. */
  readonly url: string;
};

export type HarnessOptions = {
  readonly names?: readonly string[];
  readonly backend?: Partial<EmbeddedConfig['backends'][number]>;
  /** Servers that somebody else has started. */
  readonly alsoServers?: readonly { readonly name: string; readonly address: string }[];
};

/** A balancer of its own with servers in this process; everything it starts ends with `close`. */
export async function openEmbedded({
  names = ['a-1', 'a-2', 'b-1'],
  backend = {},
  alsoServers = [],
}: HarnessOptions = {}): Promise<EmbeddedHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-embedded-'));
  const upstreams = await Promise.all(names.map(openUpstream));
  const config: EmbeddedConfig = {
    name: 'test',
    socket: join(directory, 'balancer.sock'),
    backends: [
      {
        name: 'web',
        listen: '127.0.0.1:0',
        servers: [...upstreams.map(({ name, port }) => ({ name, address: `127.0.0.1:${port}` })), ...alsoServers],
        ...backend,
      },
    ],
  };
  let running = await startEmbedded(config, directory);
  const agent = new Agent({ connections: 4 });
  const url = () => `http://${running.listening.web}`;
  const harness: EmbeddedHarness = {
    directory,
    config,
    upstreams,
    backend: embeddedBackend(config.socket, 'web') satisfies Backend,
    servers: names,
    get running() {
      return running;
    },
    get url() {
      return url();
    },
    traffic: (requests) => traffic(agent, url(), upstreams, requests),
    behave: async (server, behaviour) => {
      await upstreams.find(({ name }) => name === server)?.behave(behaviour);
    },
    restart: async () => {
      await stopEmbedded(config.name, directory);
      running = await startEmbedded(config, directory);
    },
    kill: async () => {
      await stopEmbedded(config.name, directory);
    },
    freeze: async () => {
      process.kill(running.pid, 'SIGSTOP');
      return async () => {
        process.kill(running.pid, 'SIGCONT');
      };
    },
    close: async () => {
      await agent.destroy();
      await stopEmbedded(config.name, directory);
      await Promise.all(upstreams.map((upstream) => upstream.close()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return harness;
}

async function traffic(agent: Agent, url: string, upstreams: readonly Upstream[], requests: number): Promise<Ledger> {
  for (const { books } of upstreams) Object.assign(books, { answered: 0, failed: 0 });
  const users = { answered: 0, failed: 0 };
  let left = requests;
  const user = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      users[(await answered(agent, url)) ? 'answered' : 'failed'] += 1;
    }
  };
  await Promise.all([user(), user(), user(), user()]);
  return { servers: Object.fromEntries(upstreams.map(({ name, books }) => [name, { ...books }])), users };
}

async function answered(agent: Agent, url: string): Promise<boolean> {
  try {
    const response = await request(url, { dispatcher: agent });
    await response.body.bytes();
    return response.statusCode < 500;
  } catch {
    return false;
  }
}
