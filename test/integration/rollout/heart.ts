import { createServer, type Socket } from 'node:net';

/** Counts the calls of a heartbeat. Deaf, it takes them and never answers: a controller that ends waits for its last one. */
export type Heart = { readonly url: string; calls(): number; close(): void };

export async function openHeart({ isDeaf = false } = {}): Promise<Heart> {
  let calls = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      calls++;
      if (!isDeaf) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/beat`,
    calls: () => calls,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
