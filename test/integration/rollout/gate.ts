import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** HAProxy's runtime socket at another path, where a test decides whether what is asked gets through. */
export type Gate = {
  /** From now on a connection gets through when this says yes, and waits until then. */
  guard(isOpen: () => Promise<boolean>): void;
  /** Every `set` that came through, in order: what the balancer was told. */
  readonly told: readonly Told[];
  close(): Promise<void>;
};

export type Told = { readonly atMs: number; readonly command: string };

/** The client opens a connection for every question, so what it asks after the guard has closed is not answered. */
export async function openGate(path: string, socket: string): Promise<Gate> {
  let guard = async () => true;
  let isClosed = false;
  const sockets = new Set<Socket>();
  const told: Told[] = [];
  const keep = (one: Socket) => {
    sockets.add(one);
    one.on('error', () => one.destroy());
    one.on('close', () => sockets.delete(one));
  };
  const server = createServer({ allowHalfOpen: true }, async (client) => {
    keep(client);
    while (!(await guard()) && !isClosed) await sleep(20);
    if (isClosed || client.destroyed) return;
    const haproxy = connect({ path: socket, allowHalfOpen: true });
    keep(haproxy);
    let line = '';
    client.on('data', (bytes: Buffer) => {
      line += bytes.toString('utf8');
      if (!line.endsWith('\n')) return;
      const commands = line.trim().split(';');
      for (const command of commands) if (command.startsWith('set ')) told.push({ atMs: Date.now(), command });
    });
    client.pipe(haproxy).pipe(client);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return {
    told,
    guard(isOpen) {
      guard = isOpen;
    },
    async close() {
      isClosed = true;
      for (const one of sockets) one.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
