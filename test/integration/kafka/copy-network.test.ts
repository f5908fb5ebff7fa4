import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Desk, openDesk } from './copy-command.ts';
import { expectSame, giveMiddle, until } from './copy-middle.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import type { TcpProxy } from './lab/proxy.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

/** Two versions: what one of them answers only after a while is not what the other one does. */
beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1, listeners: ['proxied'] }),
    startCluster({ version: '3.9.2', brokers: 1, listeners: ['proxied'] }),
  ]);
  desk = openDesk(source, target, 'proxied');
});
afterAll(async () => {
  await desk?.close();
  await Promise.all([source?.stop(), target?.stop()]);
});

test.each([
  ['target', 'to-server', 'to-client'],
  ['source', 'to-client', 'to-server'],
] as const)(
  'a network to the %s that truncates, cuts, hangs, lags and is gone for a while: each record is there once, and nothing is in doubt',
  async (side, first, second) => {
    const topic = `to-the-${side}`;
    await giveMiddle(source, topic, 2);
    const proxy = proxyOf(side === 'target' ? target : source);
    // A minute and a half of it: what is fetched ahead is half of it at most.
    const copy = desk.copy(topic, '--yes', '--max-rate', '100kB/s');
    await until(async () => copy.text().includes('data may move'), copy);
    // In the middle of a request and of an answer, at bytes that are no border of anything.
    const cut = async (direction: typeof first | typeof second, bytes: number) => {
      const how = await Promise.race([proxy.cutAfter(direction, bytes).then(() => 'cut'), copy.ended]);
      expect(how, `nothing was left to be cut ${direction}`).toBe('cut');
    };
    await cut(first, 77_777);
    await cut(second, 333);
    proxy.cut();
    await sleep(500);
    proxy.refuse();
    await sleep(2000);
    proxy.accept();
    proxy.hold();
    await sleep(2000);
    proxy.release();
    proxy.delay(200);
    await cut(first, 33_333);
    proxy.delay(0);
    expect((await desk.copy(topic, '--unlimited').ended).code).toBe(0);
    const { code, errors } = await copy.ended;
    expect({ code, errors }).toMatchObject({ code: 0 });
    await expectSame(source, target, topic, 2);
    const [operation = ''] = /copy-\d+/.exec(copy.text()) ?? [];
    const kinds = (await desk.journal(operation)).map(({ kind }) => kind);
    for (const bad of ['partition-stopped', 'unproven', 'lost-on-target', 'mover-failed'])
      expect(kinds).not.toContain(bad);
    expect((await desk.drover('kafka', 'prove', operation).ended).code).toBe(0);
  },
);

function proxyOf(cluster: Cluster): TcpProxy {
  const { proxy } = cluster.broker(1);
  if (proxy === null) throw new Error('the broker has no proxy');
  return proxy;
}
