import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Behaviour } from '../../contract/backend.ts';

/** A server behind the balancer that keeps its own books, and misbehaves when told to. */
export type Upstream = {
  readonly name: string;
  readonly port: number;
  readonly books: { answered: number; failed: number };
  /** Every request it has taken, `METHOD path`. */
  readonly taken: string[];
  behave(behaviour: Behaviour): Promise<void>;
  /** Takes over from the behaviour; null gives back. */
  answerWith(listener: RequestListener | null): void;
  close(): Promise<void>;
};

export async function openUpstream(name: string): Promise<Upstream> {
  const books = { answered: 0, failed: 0 };
  const taken: string[] = [];
  let behaviour: Behaviour = 'answer';
  let special: RequestListener | null = null;
  const listener: RequestListener = (request, response) => {
    if (request.url === '/health') {
      response.end('fine');
      return;
    }
    taken.push(`${request.method} ${request.url}`);
    if (special !== null) {
      special(request, response);
    } else if (behaviour === 'close') {
      books.failed += 1;
      request.socket.destroy();
    } else if (behaviour === 'error') {
      books.failed += 1;
      response.writeHead(500).end('planted');
    } else {
      books.answered += 1;
      request.resume();
      response.writeHead(200, { 'content-type': 'text/plain', 'x-server': name }).end(name);
    }
  };
  let server = await listen(listener, 0);
  const { port } = server.address() as AddressInfo;
  return {
    name,
    port,
    books,
    taken,
    behave: async (next) => {
      const was = behaviour;
      behaviour = next;
      if (next === 'refuse' && was !== 'refuse') await end(server);
      if (next !== 'refuse' && was === 'refuse') server = await listen(listener, port);
    },
    answerWith: (next) => {
      special = next;
    },
    close: () => end(server),
  };
}

async function listen(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

async function end(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
