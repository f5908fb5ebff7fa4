import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whoever answers at the other end of a UNIX socket: says what it is told to as soon as it is asked, and ends. */
export type Peer = {
  readonly path: string;
  /** The pieces in which it is said; each is sent on its own. */
  say(pieces: readonly Uint8Array[]): void;
  close(): Promise<void>;
};

export async function openPeer(): Promise<Peer> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-peer-'));
  const path = join(directory, 'peer.sock');
  let pieces: readonly Uint8Array[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      for (const piece of pieces) socket.write(piece);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    say(next) {
      pieces = next;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(directory, { recursive: true });
    },
  };
}

/** Writes bytes as they are and returns what comes back until the other side ends, or until there is a line that has `last`. */
export function ask(path: string, bytes: Uint8Array, last = ''): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(path, () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes(last) && text.endsWith('\n')) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(text));
  });
}
