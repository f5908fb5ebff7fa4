import { connect, createServer, type Socket } from 'node:net';

/** HAProxy's runtime socket at another path, where it is seen when a command that takes servers away was acknowledged. */
export type Tee = {
  /** Monotonic, in ms; null: none was, since the last time this was asked. */
  takeAckMs(): number | null;
  close(): Promise<void>;
};

export async function openTee(path: string, socket: string, nowMs: () => number): Promise<Tee> {
  let ackMs: number | null = null;
  const sockets = new Set<Socket>();
  const keep = (one: Socket) => {
    sockets.add(one);
    one.on('error', () => one.destroy());
    one.on('close', () => sockets.delete(one));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    const haproxy = connect({ path: socket, allowHalfOpen: true });
    keep(haproxy);
    let takes = false;
    client.on('data', (data) => {
      if (/state maint/.test(data.toString())) takes = true;
    });
    haproxy.on('data', () => {
      if (takes) ackMs ??= nowMs();
    });
    client.pipe(haproxy).pipe(client);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  return {
    takeAckMs() {
      const taken = ackMs;
      ackMs = null;
      return taken;
    },
    async close() {
      for (const one of sockets) one.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
