import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openProxy, type TcpProxy } from './proxy.ts';

test('without a fault every byte arrives in both directions, and the end of one direction is not the end of the other', async () => {
  const { proxy } = await echoBehindProxy();
  const sent = bytes(3_000_000);
  const client = await dial(proxy);
  client.end(sent);
  expect((await buffer(client)).equals(sent)).toBe(true);
  expect(proxy.passed('to-server')).toBe(sent.length);
  expect(proxy.passed('to-client')).toBe(sent.length);
  await vi.waitFor(() => expect(proxy.connections()).toBe(0));
});

test('a cut breaks what is open on both sides, and whoever comes after it is served', async () => {
  const { proxy, served } = await echoBehindProxy();
  const client = await dial(proxy);
  await echoed(client, 'before');
  proxy.cut();
  await broken(client);
  await vi.waitFor(() => expect([...served].every((socket) => socket.destroyed)).toBe(true));
  expect(await echoed(await dial(proxy), 'after')).toBe('after');
});

test('after exactly N bytes to the client the connection is broken, and the N bytes are there', async () => {
  const { proxy } = await echoBehindProxy();
  const client = await dial(proxy);
  await echoed(client, 'counted before it was asked for');
  const blown = proxy.cutAfter('to-client', 100_001);
  const received: Buffer[] = [];
  client.on('data', (piece: Buffer) => received.push(piece));
  const sent = bytes(500_000);
  client.write(sent);
  await blown;
  await broken(client);
  expect(Buffer.concat(received).equals(sent.subarray(0, 100_001))).toBe(true);
  expect(await echoed(await dial(proxy), 'once only')).toBe('once only');
});

test('after exactly N bytes to the server it has these and no more', async () => {
  const { proxy, received } = await echoBehindProxy();
  const blown = proxy.cutAfter('to-server', 7);
  const client = await dial(proxy);
  client.write('0123456789');
  await blown;
  await broken(client);
  await vi.waitFor(() => expect(received()).toBe('0123456'));
});

test('what is held arrives whole and in order once it is released, and nothing before', async () => {
  const { proxy, received } = await echoBehindProxy();
  const client = await dial(proxy);
  await echoed(client, 'open;');
  proxy.hold();
  client.write('held;');
  client.write('held too;');
  // Long enough for loopback, were it not held.
  await sleep(100);
  expect(received()).toBe('open;');
  proxy.release();
  await vi.waitFor(() => expect(received()).toBe('open;held;held too;'));
});

test('a delay holds each piece back by at least as long, keeps the order, and is no limit to the rate', async () => {
  const { proxy } = await echoBehindProxy();
  proxy.delay(100);
  const sent = bytes(5_000_000);
  const client = await dial(proxy);
  const startedAt = performance.now();
  client.end(sent);
  expect((await buffer(client)).equals(sent)).toBe(true);
  // Both ways. Piece after piece it would be more than 80 times as long.
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(199);
});

test('while it refuses, connections break at once; when it accepts again they are served', async () => {
  const { proxy } = await echoBehindProxy();
  const open = await dial(proxy);
  proxy.refuse();
  await broken(open);
  const late = connect(proxy.address);
  await broken(late);
  proxy.accept();
  expect(await echoed(await dial(proxy), 'again')).toBe('again');
});

test('a server that is not there looks like one to its clients', async () => {
  const { proxy, stopServer } = await echoBehindProxy();
  await stopServer();
  await broken(connect(proxy.address));
  await vi.waitFor(() => expect(proxy.connections()).toBe(0));
});

async function echoBehindProxy() {
  const served = new Set<Socket>();
  let text = '';
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    served.add(socket);
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      text = (text + piece.toString('latin1')).slice(-100);
    });
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy = await openProxy({ host: '127.0.0.1', port: address.port });
  const stopServer = async () => {
    for (const socket of served) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(async () => {
    await proxy.close();
    await stopServer();
  });
  return { proxy, served, received: () => text, stopServer };
}

async function dial(proxy: TcpProxy): Promise<Socket> {
  const client = connect({ ...proxy.address, allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  await once(client, 'connect');
  return client;
}

async function echoed(client: Socket, text: string): Promise<string> {
  client.write(text);
  const [piece] = await once(client, 'data');
  return String(piece);
}

/** Its end, in whatever way; a connection that stays open fails the test by its time limit. */
async function broken(client: Socket): Promise<void> {
  client.on('error', () => {});
  client.on('end', () => client.destroy());
  client.resume();
  if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
}

/** Not periodic in any size of a buffer. */
function bytes(count: number): Buffer {
  const result = Buffer.alloc(count);
  for (let at = 0; at < count; at++) result[at] = (at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff;
  return result;
}
