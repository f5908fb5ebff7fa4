import { createServer } from 'node:net';

let lastPort = 20_000 + (process.pid % 80) * 100;

/** The first of so many neighbouring ports that nobody listens on; below those that outgoing connections take. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = lastPort;
    lastPort = lastPort + count < 32_000 ? lastPort + count : 20_000;
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

export async function freePort(): Promise<number> {
  return await freePorts(1);
}
