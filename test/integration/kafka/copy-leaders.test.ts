import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Desk, openDesk } from './copy-command.ts';
import { expectSame, giveMiddle, until } from './copy-middle.ts';
import { type Cluster, startCluster } from './lab/cluster.ts';
import { moveLeader } from './lab/tools.ts';

let source: Cluster;
let target: Cluster;
let desk: Desk;

beforeAll(async () => {
  [source, target] = await Promise.all([
    startCluster({ version: '4.3.1', brokers: 1 }),
    startCluster({ version: '4.3.1', brokers: 3, properties: { 'replica.lag.time.max.ms': '3000' } }),
  ]);
  desk = openDesk(source, target);
});
afterAll(async () => {
  await desk?.close();
  await Promise.all([source?.stop(), target?.stop()]);
});

test('while the lead of the target moves from A to B and back, and its leader is killed and comes back, each record is written once', async () => {
  await giveMiddle(source, 'led', 2);
  const copy = desk.copy('led', '--yes', '--max-rate', '100kB/s', '--replication-factor', '3');
  await until(async () => copy.text().includes('data may move'), copy);
  const place = { topic: 'led', partition: 0 };
  for (const leader of [2, 3, 2]) await moveLeader(target, place, leader);
  await target.broker(2).kill();
  await target.broker(2).start();
  expect(copy.child.exitCode, 'nothing was left to be copied').toBeNull();
  expect((await desk.copy('led', '--unlimited').ended).code).toBe(0);
  const { code, errors } = await copy.ended;
  expect({ code, errors }).toMatchObject({ code: 0 });
  await target.untilWhole();
  await expectSame(source, target, 'led', 2);
  const kinds = (await desk.journal('copy-1')).map(({ kind }) => kind);
  for (const bad of ['partition-stopped', 'unproven', 'lost-on-target']) expect(kinds).not.toContain(bad);
  expect((await desk.drover('kafka', 'prove', 'copy-1').ended).code).toBe(0);
});
