import { createServer, type Server, type Socket } from 'node:net';
import { z } from 'zod';
import type { RunningBackend } from './listener.ts';
import type { UpstreamServer } from './upstream.ts';
import { type ControlReply, type ControlRequest, type Hello, lineSplitter, parseRequest, problemsOf } from './wire.ts';

export type Controlled = {
  hello(): Hello;
  readonly backends: ReadonlyMap<string, RunningBackend>;
  /** The configuration was read again, and only its weights differ: the hash it has now. */
  configured(configHash: string): void;
  /** Called after the request to stop has been answered. */
  stop(): void;
};

/** Answers on a UNIX socket that only this user may open. Throws the error of `listen` as it is. */
export async function startControl(path: string, controlled: Controlled): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, controlled);
  });
  await listenPrivately(server, path);
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

async function listenPrivately(server: Server, path: string): Promise<void> {
  // The mode is right from the first moment on, without the gap that a chmod would leave.
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
}

function serve(socket: Socket, controlled: Controlled): void {
  socket.setEncoding('utf8');
  socket.on('error', () => socket.destroy());
  const onLine = (line: string): void => {
    if (!socket.writable) return;
    socket.write(`${JSON.stringify(reply(line, controlled))}\n`);
  };
  socket.on(
    'data',
    lineSplitter(onLine, () => socket.destroy()),
  );
}

function reply(line: string, controlled: Controlled): ControlReply {
  let request: ControlRequest;
  try {
    request = parseRequest(line);
  } catch (error) {
    const why = error instanceof z.ZodError ? problemsOf(error) : 'not JSON';
    return { id: idOf(line), error: { code: 'refused', message: `not a request of this socket: ${why}` } };
  }
  try {
    return { id: request.id, result: perform(request, controlled) };
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    return { id: request.id, error: { code: 'not-found', message: error.message } };
  }
}

function perform(request: ControlRequest, controlled: Controlled): unknown {
  switch (request.op) {
    case 'hello':
      return controlled.hello();
    case 'stop':
      setImmediate(() => controlled.stop());
      return null;
    case 'read':
      return backendOf(request.backend, controlled).read(identityOf(controlled.hello()));
    case 'configured': {
      const servers = Object.entries(request.weights).map(([backend, weights]) => ({
        weights,
        servers: serversOf(backend, Object.keys(weights), controlled),
      }));
      for (const { weights, servers: own } of servers)
        for (const server of own) server.configuredWeight = weights[server.config.name] ?? server.configuredWeight;
      controlled.configured(request.configHash);
      return null;
    }
    case 'attempts': {
      const servers = serversOf(request.backend, request.servers, controlled);
      return Object.fromEntries(servers.map((server) => [server.config.name, server.counters.attempts]));
    }
    case 'weights': {
      const servers = serversOf(request.backend, Object.keys(request.weights), controlled);
      for (const server of servers) server.setWeight(request.weights[server.config.name] ?? 0);
      return null;
    }
    case 'states': {
      const servers = serversOf(request.backend, Object.keys(request.states), controlled);
      for (const server of servers) server.setAdmin(request.states[server.config.name] ?? 'maint');
      return null;
    }
  }
}

/** All of them are known, or nothing is done. */
function serversOf(backend: string, names: readonly string[], controlled: Controlled): UpstreamServer[] {
  const running = backendOf(backend, controlled);
  const servers = names.map((name) => ({ name, server: running.server(name) }));
  const missing = servers.filter(({ server }) => server === null).map(({ name }) => name);
  if (missing.length > 0) throw new NotFound(`backend ${backend} has no server ${missing.join(', ')}`);
  return servers.flatMap(({ server }) => (server === null ? [] : [server]));
}

function backendOf(name: string, { backends }: Controlled): RunningBackend {
  const backend = backends.get(name);
  if (backend === undefined) throw new NotFound(`no backend ${name}; there is ${[...backends.keys()].join(', ')}`);
  return backend;
}

function identityOf({ pid, startedAtMs }: Hello): string {
  return `${pid}@${startedAtMs}`;
}

class NotFound extends Error {}

function idOf(line: string): number | null {
  const id = /"id":(?<id>\d{1,15})\b/u.exec(line)?.groups?.id;
  return id === undefined ? null : Number(id);
}
