import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** An address of the loopback network that nobody else has, so that any port of it is free. */
export type Place = { readonly address: string; release(): Promise<void> };

const claimPort = 19_000;

/**
 * All of 127.0.0.0/8 is loopback on Linux. Whoever listens at the claim's port of an address has it, and the kernel lets only one:
 * two clusters, and two test runs, never meet. `ports` are those that will be needed: a stranger that listens at one of them
 * on every address of the machine makes the claim fail here, by number, and not in the middle of a start.
 */
export async function claimPlace(ports: readonly number[]): Promise<Place> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const address = `127.${randomInt(64, 128)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
    const claim = await listen(address, claimPort);
    if (claim === null) continue;
    for (const port of ports) {
      const server = await listen(address, port);
      if (server === null) {
        await close(claim);
        throw new Error(`port ${port} is taken on every address of this machine: the Kafka laboratory needs it`);
      }
      await close(server);
    }
    return { address, release: () => close(claim) };
  }
  throw new Error(`no address of 127.64.0.0/10 has port ${claimPort} free: is it taken on every address?`);
}

/** null: somebody has it. */
function listen(host: string, port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('listening', () => resolve(server));
    server.once('error', (error) => {
      if ('code' in error && error.code === 'EADDRINUSE') resolve(null);
      else
        reject(new Error(`cannot listen at ${host}:${port} (loopback beside 127.0.0.1 needs Linux)`, { cause: error }));
    });
    server.listen({ host, port, exclusive: true });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
