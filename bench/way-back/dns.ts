import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchUnbound } from '../../scripts/fetch/unbound.ts';
import { closing } from '../frame/closing.ts';
import { nowMs } from '../traffic/site.ts';

export type DnsWayBack = {
  /** From the change of the weights to the last request that a client still sent to the destination. */
  readonly lastMs: number;
  /** Part of the requests that went to the destination, while its weight was one half. */
  readonly share: number;
};

const clients = 100;
const requestEveryMs = 100;
const origin = [127, 0, 0, 1] as const;
const destination = [127, 0, 0, 2] as const;

/**
 * The same way back by weighted DNS: an authoritative server that answers by weights, a real caching resolver before it, and
 * clients that resolve again as soon as the time to live that they were told is over, and never later. `phase`: at which part of
 * a time to live, from 0 to 1, the weights are changed.
 */
export async function dnsWayBack(ttlSeconds: number, seed: number, phase: number): Promise<DnsWayBack> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-bench-dns-'));
  const authority = await openAuthority(ttlSeconds, seed);
  let resolver: Resolver | null = null;
  const close = closing(async () => {
    await resolver?.stop();
    authority.close();
    rmSync(directory, { recursive: true, force: true });
  });
  try {
    resolver = await startResolver(directory, authority.port);
    const { port } = resolver;
    await sleep(1000);
    let lastMs = 0;
    let [toDestination, all] = [0, 0];
    let isBack = false;
    const ttlMs = ttlSeconds * 1000;
    let ends = Number.POSITIVE_INFINITY;
    const client = async (index: number): Promise<void> => {
      // They do not begin at once.
      await sleep((index / clients) * ttlMs);
      let [address, untilMs] = ['', 0];
      while (nowMs() < ends) {
        if (nowMs() >= untilMs) {
          const answer = await resolve(port);
          [address, untilMs] = [answer.address, nowMs() + answer.ttlSeconds * 1000];
        }
        if (!isBack) all++;
        if (address === destination.join('.')) {
          if (isBack) lastMs = nowMs();
          else toDestination++;
        }
        await sleep(requestEveryMs);
      }
    };
    const running = Array.from({ length: clients }, (_, index) => client(index));
    await sleep((2 + phase) * ttlMs);
    // Where the resolver happens to send everybody to the origin there is nothing to take back.
    while ((await resolve(port)).address !== destination.join('.')) await sleep(ttlMs);
    ends = nowMs() + 1.5 * ttlMs;
    authority.takeBack();
    isBack = true;
    const changedMs = nowMs();
    await Promise.all(running);
    return { lastMs: Math.max(0, lastMs - changedMs), share: toDestination / all };
  } finally {
    await close();
  }
}

type Authority = { readonly port: number; takeBack(): void; close(): void };

async function openAuthority(ttlSeconds: number, seed: number): Promise<Authority> {
  const socket = createSocket('udp4');
  let weight = 0.5;
  let state = seed;
  const chance = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  socket.on('message', (query, from) => {
    socket.send(answerTo(query, chance() < weight ? destination : origin, ttlSeconds), from.port, from.address);
  });
  const port = await bound(socket);
  return {
    port,
    takeBack: () => {
      weight = 0;
    },
    close: () => void socket.close(),
  };
}

/** The question again with one address, authoritative; nothing for other types than A. RFC 1035, 4.1. */
function answerTo(query: Buffer, address: readonly number[], ttlSeconds: number): Buffer {
  const end = questionEnd(query);
  const isA = query.readUInt16BE(end - 4) === 1;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8400, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(isA ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(1, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(ttlSeconds, 6);
  record.writeUInt16BE(4, 10);
  record.set(address, 12);
  return Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])]);
}

/** Behind the first question: its name, type and class. */
function questionEnd(message: Buffer): number {
  let at = 12;
  while ((message[at] ?? 0) !== 0) at += 1 + (message[at] ?? 0);
  return at + 5;
}

async function resolve(port: number): Promise<{ readonly address: string; readonly ttlSeconds: number }> {
  const socket = createSocket('udp4');
  try {
    const name = ['web', 'bench'].map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
    const head = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    socket.send(Buffer.concat([head, ...name, Buffer.from([0, 0, 1, 0, 1])]), port, '127.0.0.1');
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer];
    const record = questionEnd(answer);
    if (answer.readUInt16BE(6) !== 1) throw new Error('the resolver has no address');
    return {
      address: [...answer.subarray(record + 12, record + 16)].join('.'),
      ttlSeconds: answer.readUInt32BE(record + 6),
    };
  } finally {
    socket.close();
  }
}

type Resolver = { readonly port: number; stop(): Promise<void> };

/** A port that was free a moment ago may be somebody's source port by now: then another one. */
async function startResolver(directory: string, authority: number): Promise<Resolver> {
  const program = await fetchUnbound();
  for (let attempt = 1; ; attempt++) {
    try {
      return await startResolverOnce(program, directory, authority);
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

async function startResolverOnce(program: string, directory: string, authority: number): Promise<Resolver> {
  const probe = createSocket('udp4');
  const port = await bound(probe);
  probe.close();
  const file = join(directory, 'unbound.conf');
  writeFileSync(file, resolverConfiguration(directory, port, authority));
  const child = spawn(program, ['-d', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'exit');
  const stop = closing(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  for (let attempt = 0; attempt < 25 && child.exitCode === null; attempt++) {
    await sleep(200);
    const isReady = await resolve(port).then(
      () => true,
      () => false,
    );
    if (isReady && child.exitCode === null) return { port, stop };
  }
  await stop();
  throw new Error(`unbound does not answer: ${said}`);
}

function resolverConfiguration(directory: string, port: number, authority: number): string {
  return [
    'server:',
    '  interface: 127.0.0.1',
    `  port: ${port}`,
    '  do-daemonize: no',
    '  use-syslog: no',
    '  logfile: ""',
    '  username: ""',
    '  chroot: ""',
    `  directory: "${directory}"`,
    `  pidfile: "${join(directory, 'unbound.pid')}"`,
    '  do-not-query-localhost: no',
    '  module-config: "iterator"',
    '  num-threads: 1',
    'stub-zone:',
    '  name: "bench."',
    `  stub-addr: 127.0.0.1@${authority}`,
    'remote-control:',
    '  control-enable: no',
    '',
  ].join('\n');
}

async function bound(socket: Socket): Promise<number> {
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return (socket.address() as AddressInfo).port;
}
