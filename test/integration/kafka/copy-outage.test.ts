import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Desk, openDesk, type RunningCommand } from './copy-command.ts';
import { expectSame, giveMiddle, until } from './copy-middle.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { endOffset } from './lab/kcat.ts';
import type { Direction, TcpProxy } from './lab/proxy.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

/** Two versions, each behind a proxy. */
beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '3.9.2', brokers: 1, listeners: ['proxied'] }),
    startCluster({ version: '4.3.1', brokers: 1, listeners: ['proxied'] }),
  ]);
  desk = openDesk(source, target, 'proxied');
});
afterAll(async () => {
  await desk?.close();
  await Promise.all([source?.stop(), target?.stop()]);
});

test('a network on both sides that truncates, cuts, hangs, lags and is gone for a while: each record is there once, and nothing is in doubt', async () => {
  const copy = await begun('wires');
  const [from, to] = [proxyOf(source), proxyOf(target)];
  // In the middle of requests and of answers, at bytes that are no border of anything.
  await cut(copy, to, 'to-server', 77_777);
  await cut(copy, from, 'to-client', 77_777);
  await cut(copy, to, 'to-client', 333);
  await cut(copy, from, 'to-server', 333);
  for (const proxy of [from, to]) {
    proxy.cut();
    await sleep(500);
    proxy.refuse();
    await sleep(2000);
    proxy.accept();
    proxy.hold();
    await sleep(2000);
    proxy.release();
  }
  to.delay(200);
  await cut(copy, to, 'to-server', 33_333);
  to.delay(0);
  await endsWell(copy, 'wires');
});

test('a broker of the target that cannot write any more is waited for, and once it has room each record is there once', async () => {
  const copy = await begun('full', '--disk-floor', '0%');
  const broker = target.broker(1);
  // No file of the broker may be larger: to it that is what a full disk is, an error of a write in the middle of a batch.
  execFileSync('prlimit', ['--pid', `${broker.pid()}`, '--fsize=1500000']);
  expect((await desk.copy('full', '--max-rate', '500kB/s').ended).code).toBe(0);
  await until(async () => broker.log().includes('File too large'), copy);
  await sleep(3000);
  expect(copy.child.exitCode).toBeNull();
  await broker.kill();
  await broker.start();
  await target.untilWhole();
  expect(await endOffset(target, 'full', 0)).toBeLessThan(40_000);
  await endsWell(copy, 'full');
});

/** A minute and a half of it; what is fetched ahead is half of it at most. */
async function begun(topic: string, ...options: readonly string[]): Promise<RunningCommand> {
  await giveMiddle(source, topic, 2);
  const copy = desk.copy(topic, '--yes', '--max-rate', '100kB/s', ...options);
  await until(async () => copy.text().includes('data may move'), copy);
  return copy;
}

async function cut(copy: RunningCommand, proxy: TcpProxy, direction: Direction, bytes: number): Promise<void> {
  const how = await Promise.race([proxy.cutAfter(direction, bytes).then(() => 'cut'), copy.ended]);
  expect(how, `nothing was left to be cut ${direction}`).toBe('cut');
}

/** What is left goes at once. */
async function endsWell(copy: RunningCommand, topic: string): Promise<void> {
  expect((await desk.copy(topic, '--unlimited').ended).code).toBe(0);
  const { code, errors } = await copy.ended;
  expect({ code, errors }).toMatchObject({ code: 0 });
  await expectSame(source, target, topic, 2);
  const [operation = ''] = /copy-\d+/.exec(copy.text()) ?? [];
  const kinds = (await desk.journal(operation)).map(({ kind }) => kind);
  for (const bad of ['partition-stopped', 'unproven', 'lost-on-target']) expect(kinds).not.toContain(bad);
  expect((await desk.drover('kafka', 'prove', operation).ended).code).toBe(0);
}

function proxyOf(cluster: Cluster): TcpProxy {
  const { proxy } = cluster.broker(1);
  if (proxy === null) throw new Error('the broker has no proxy');
  return proxy;
}
