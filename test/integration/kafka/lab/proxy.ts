import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Address = { readonly host: string; readonly port: number };
export type Direction = 'to-server' | 'to-client';

/** A TCP proxy in front of one server. Without a fault it is a wire. */
export type TcpProxy = {
  readonly address: Address;
  /** Connections that are open now. */
  connections(): number;
  /** Bytes that it has passed on since it was opened. */
  passed(direction: Direction): number;
  /** Breaks every open connection, with a reset on both sides. */
  cut(): void;
  /** From now on, and until `accept`, breaks what is open and whoever comes. */
  refuse(): void;
  accept(): void;
  /** Each piece, in both directions, is passed on this much later; 0: at once. */
  delay(ms: number): void;
  /** Holds every byte back, of new connections too, and loses none: until `release`. */
  hold(): void;
  release(): void;
  /**
   * Counted from now, over all connections: after exactly this many bytes in this direction the connection that carried the
   * last of them is broken on both sides, so that its reader has a part of something. Resolves when that has happened.
   */
  cutAfter(direction: Direction, bytes: number): Promise<void>;
  close(): Promise<void>;
};

const waitingBytesMax = 16 * 1024 * 1024;

type Fuse = { readonly direction: Direction; bytesLeft: number; readonly blown: () => void };

export async function openProxy(server: Address, listen: Address = { host: '127.0.0.1', port: 0 }): Promise<TcpProxy> {
  const wire = new Wire(server);
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => wire.carry(client));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ ...listen, exclusive: true }, resolve);
  });
  return {
    address: { host: listen.host, port: boundPort(listener) },
    connections: () => wire.pairs.size,
    passed: (direction) => wire.passed[direction],
    cut: () => wire.cut(),
    refuse: () => {
      wire.refusing = true;
      wire.cut();
    },
    accept: () => {
      wire.refusing = false;
    },
    delay: (ms) => {
      wire.delayMs = ms;
    },
    hold: () => wire.hold(),
    release: () => wire.release(),
    cutAfter: (direction, bytes) => wire.cutAfter(direction, bytes),
    close: async () => {
      wire.refusing = true;
      wire.cut();
      wire.release();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** What all connections of one proxy share. */
class Wire {
  readonly pairs = new Set<readonly [Socket, Socket]>();
  readonly passed: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 };
  refusing = false;
  delayMs = 0;
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => {};
  private fuse: Fuse | null = null;
  private readonly server: Address;

  constructor(server: Address) {
    this.server = server;
  }

  carry(client: Socket): void {
    if (this.refusing) return void client.resetAndDestroy();
    const server = connectTo({ ...this.server, allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    this.pairs.add(pair);
    const end = () => this.breakPair(pair);
    for (const socket of pair) socket.on('error', end).on('close', () => this.forget(pair));
    void this.pump(client, server, 'to-server', end);
    void this.pump(server, client, 'to-client', end);
  }

  cut(): void {
    for (const pair of this.pairs) this.breakPair(pair);
  }

  hold(): void {
    this.release();
    this.gate = new Promise((resolve) => {
      this.openGate = resolve;
    });
  }

  release(): void {
    this.openGate();
  }

  cutAfter(direction: Direction, bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.fuse = { direction, bytesLeft: bytes, blown: resolve };
    });
  }

  /** One direction of a connection, in order; ends half-closed as the sender did. */
  private async pump(from: Socket, to: Socket, direction: Direction, end: () => void): Promise<void> {
    let broken = false;
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    const passOn = async (before: Promise<void>, piece: Uint8Array, delay: Promise<unknown>) => {
      await before;
      await delay;
      await this.gate;
      waiting -= piece.length;
      if (!broken && !(await this.pass(piece, to, direction))) broken = true;
      if (broken) end();
    };
    try {
      for await (const piece of from.iterator({ destroyOnReturn: false })) {
        waiting += piece.length;
        // The delay counts from here, also behind other pieces: a long wire, not a narrow one.
        last = passOn(last, piece, this.delayMs > 0 ? sleep(this.delayMs) : Promise.resolve());
        last.catch(end);
        if (waiting > waitingBytesMax) await last;
      }
      await last;
      if (!broken) to.end();
    } catch {
      // A reset on one side is one on the other side too.
      end();
    }
  }

  /** false: the fuse has blown in this piece, of which only the first bytes went through. */
  private async pass(piece: Uint8Array, to: Socket, direction: Direction): Promise<boolean> {
    const fuse = this.fuse?.direction === direction ? this.fuse : null;
    const bytes = Math.min(piece.length, fuse?.bytesLeft ?? piece.length);
    if (fuse !== null) fuse.bytesLeft -= bytes;
    const blows = fuse !== null && fuse.bytesLeft === 0;
    if (blows) this.fuse = null;
    await write(to, piece.subarray(0, bytes));
    this.passed[direction] += bytes;
    if (blows) {
      // What was written is to arrive: a reset would let the kernel drop it.
      await new Promise<void>((resolve) => to.end(resolve));
      fuse.blown();
    }
    return !blows;
  }

  private breakPair(pair: readonly [Socket, Socket]): void {
    for (const socket of pair) {
      if (socket.writableFinished) socket.destroy();
      else socket.resetAndDestroy();
    }
    this.forget(pair);
  }

  private forget(pair: readonly [Socket, Socket]): void {
    if (pair.every((socket) => socket.destroyed)) this.pairs.delete(pair);
  }
}

function write(to: Socket, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => to.write(piece, (error) => (error ? reject(error) : resolve())));
}

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return address.port;
}
