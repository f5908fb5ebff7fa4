import { createConnection } from 'node:net';

export type Said = { readonly text: string; readonly status: number | null };

/**
 * Writes bytes as they are, and returns all that comes back until the connection closes or is silent for `quietMs`.
 * For what no HTTP client would send.
 */
export function say(url: string, bytes: string, quietMs = 1500): Promise<Said> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection({ host: hostname, port: Number(port) }, () => socket.write(bytes, 'latin1'));
    socket.setEncoding('latin1');
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (?<status>\d{3})/u.exec(text)?.groups?.status;
      resolve({ text, status: status === undefined ? null : Number(status) });
    });
  });
}

/** Connects, writes, and after `ms` breaks the connection without a word (RST). */
export function sayAndLeave(url: string, bytes: string, ms: number): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) }, () => {
      socket.write(bytes, 'latin1');
      setTimeout(() => socket.resetAndDestroy(), ms);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}
