import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BackendReading } from '../../../core/observed/backend.ts';
import { known } from '../../../core/observed/reading.ts';
import { startChecks } from './checks.ts';
import { type BackendConfig, hostPort } from './config.ts';
import { Diffusion } from './diffusion.ts';
import { type Choice, Exchange } from './exchange.ts';
import { UpstreamServer } from './upstream.ts';

/** One backend at work: its servers, the choice among them, and the address on which users reach it. */
export type RunningBackend = {
  readonly name: string;
  /** `host:port` on which it listens. */
  readonly address: string;
  read(process: string): BackendReading;
  server(name: string): UpstreamServer | null;
  /** Ends idle connections at once and the others after their present request, or after `graceMs`. */
  close(graceMs: number): Promise<void>;
};

/** Throws the error of `listen` (EADDRINUSE, EACCES) as it is. */
export async function startBackend(config: BackendConfig): Promise<RunningBackend> {
  const diffusion = new Diffusion(config.servers.map((server) => server.name));
  const servers: UpstreamServer[] = config.servers.map(
    (server, index) =>
      new UpstreamServer(server, config, () => diffusion.setWeight(index, servers[index]?.effectiveWeight ?? 0)),
  );
  servers.forEach((server, index) => {
    diffusion.setWeight(index, server.effectiveWeight);
  });
  const byName = new Map(servers.map((server) => [server.config.name, server]));
  const traffic = trafficServer(config, {
    next: (tried) => diffusion.next(tried),
    server: (index) => {
      const server = servers[index];
      if (server === undefined) throw new RangeError(`no server ${index}`);
      return server;
    },
    retriesMax: config.retriesMax,
  });
  const address = await listen(traffic, config);
  const stopChecks = config.check === null ? () => {} : startChecks(servers, config.check);
  return {
    name: config.name,
    address,
    read: (process) => ({ process, servers: servers.map((server) => server.read()), traits: traitsOf(config) }),
    server: (name) => byName.get(name) ?? null,
    close: async (graceMs) => {
      stopChecks();
      await closeTraffic(traffic, graceMs);
      await Promise.all(servers.map((server) => server.pool.destroy()));
    },
  };
}

function trafficServer(config: BackendConfig, choice: Choice): Server {
  const server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: 10_000,
    // A body may take as long as it keeps moving: the idle time-out below bounds it.
    requestTimeout: 0,
    connectionsCheckingInterval: 2000,
    keepAliveTimeout: 60_000,
    requireHostHeader: true,
  });
  server.timeout = config.connectMsMax + config.responseMsMax + 30_000;
  const carry: Parameters<typeof createServer>[1] = (request, response) =>
    new Exchange(choice, request, response).start();
  server.on('request', carry);
  // With a listener Node leaves "100 Continue" to us: it is sent when a server has been connected.
  server.on('checkContinue', carry);
  server.on('connect', (_, socket) => refuseTunnel(socket));
  return server;
}

async function listen(server: Server, config: BackendConfig): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...config.listen, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as AddressInfo;
  return hostPort({ host: bound.address, port: bound.port });
}

function refuseTunnel(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.end('HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
}

async function closeTraffic(server: Server, graceMs: number): Promise<void> {
  for (const event of ['request', 'checkContinue']) {
    server.prependListener(event, (_: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
  }
  const endsAt = setTimeout(() => server.closeAllConnections(), graceMs);
  // A connection whose response was on its way when this began becomes idle later.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(endsAt);
  clearInterval(idle);
}

/** undici's time-outs are looked at twice a second and may be that late, each of the two. */
const clockMs = 1000;

function traitsOf(config: BackendConfig): BackendReading['traits'] {
  return {
    mode: known('http'),
    algorithm: known('roundrobin'),
    stickiness: known(null),
    // Neither hides a failure: the attempt that was repeated stays counted.
    retryOn: known(['conn-failure', 'empty-response']),
    abortOnClose: known(false),
    redispatch: known(true),
    bypasses: known([]),
    attemptMsMax: known(config.connectMsMax + config.responseMsMax + clockMs),
    readOnly: known(null),
  };
}
