import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of a service: fails the fraction of its requests that it is told to, evenly, and tells its build. */
export type Behaviour = { failures: number; build: string };

export type RunningServer = { readonly name: string; readonly port: number; close(): Promise<void> };

/** `onPort` 0: any that is free. */
export async function startServer(name: string, behaviour: Behaviour, onPort = 0): Promise<RunningServer> {
  let due = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    response.setHeader('x-server', name);
    if (request.url === '/health') return void response.end('fine');
    if (request.url === '/build') return void response.end(`${behaviour.build}\n`);
    due += behaviour.failures;
    const fails = due >= 1;
    if (fails) due -= 1;
    return void response.writeHead(fails ? 500 : 200).end(name);
  });
  await listen(server, onPort);
  const { port } = server.address() as AddressInfo;
  return { name, port, close: () => end(server) };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
