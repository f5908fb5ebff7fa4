import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EmbeddedHarness, openEmbedded } from './embedded/harness.ts';
import { carry, killableServers, users } from './embedded/load.ts';
import { counters, deadline, failuresOf, settled } from './embedded/look.ts';

/** What the embedded balancer promises about shares and about losing servers. */
const names = ['classic-1', 'classic-2', 'classic-3', 'vpc-1', 'vpc-2'];
let harness: EmbeddedHarness;

beforeEach(async () => {
  harness = await openEmbedded({ names, backend: { ejection: { connectFailures: 2, ms: 300 } } });
});
afterEach(async () => {
  await harness.close();
});

test.each([1, 5, 10, 50])(
  '%i percent is exact within one over 10,000 requests while servers come and go',
  async (percent) => {
    const { backend, traffic } = harness;
    let destination = 0;
    let total = 0;
    for (const [classic, vpc] of [
      [3, 2],
      [2, 2],
      [3, 1],
      [1, 2],
      [3, 2],
    ] as const) {
      const weights = weightsFor(percent, classic, vpc);
      const there = (name: string) => Number(name.split('-')[1]) <= (name.startsWith('vpc') ? vpc : classic);
      const states = Object.fromEntries(names.map((name) => [name, there(name) ? 'ready' : 'maint'] as const));
      await backend.setStates(states, deadline());
      await backend.setWeights(
        Object.fromEntries(names.map((name) => [name, name.startsWith('vpc') ? weights.vpc : weights.classic])),
        deadline(),
      );
      const { servers, users: seen } = await traffic(2000);
      expect(seen).toEqual({ answered: 2000, failed: 0 });
      for (const [name, { answered }] of Object.entries(servers)) {
        total += answered;
        if (name.startsWith('vpc')) destination += answered;
        if (!there(name)) expect(answered).toBe(0);
      }
      expect(Math.abs(destination - (total * percent) / 100)).toBeLessThanOrEqual(1);
    }
    expect(total).toBe(10_000);
  },
);

test('weight 0 is in force when it is acknowledged: not one attempt more, under load', async () => {
  const { backend, url } = harness;
  const group = ['vpc-1', 'vpc-2'];
  const load = users(url, 16);
  for (let turn = 0; turn < 5; turn += 1) {
    await backend.setWeights({ 'vpc-1': 100, 'vpc-2': 100 }, deadline());
    await load.more(200);
    await backend.setWeights({ 'vpc-1': 0, 'vpc-2': 0 }, deadline());
    const acknowledged = await backend.attempts(group, deadline());
    await load.more(200);
    expect(await backend.attempts(group, deadline())).toEqual(acknowledged);
  }
  expect((await load.end()).failed).toBe(0);
});

test('SIGKILL of a whole group under keep-alive load: no user sees a failure, and every lost attempt is counted', async () => {
  const killable = await killableServers(['vpc-1', 'vpc-2', 'vpc-3']);
  const wide = await openEmbedded({ names: ['classic-1', 'classic-2'], alsoServers: killable.servers });
  try {
    const load = users(wide.url, 32);
    await load.more(1000);
    killable.kill();
    await load.more(2000);
    const seen = await load.end();
    expect(seen.failed).toBe(0);
    expect(seen.answered).toBeGreaterThan(3000);
    const reading = await settled(wide.backend);
    const lost = ['vpc-1', 'vpc-2', 'vpc-3'].map((name) => failuresOf(reading, name));
    expect(Math.min(...lost)).toBeGreaterThan(0);
    expect(failuresOf(reading, 'classic-1') + failuresOf(reading, 'classic-2')).toBe(0);
  } finally {
    killable.kill();
    await wide.close();
  }
});

test('a POST is never repeated once it was sent, however it fails', async () => {
  const { upstreams, behave, backend } = harness;
  await behave('vpc-1', 'close');
  await behave('vpc-2', 'error');
  const statuses = await Promise.all(
    Array.from({ length: 100 }, (_, index) => carry(harness.url, { method: 'POST', path: `/${index}`, body: 'once' })),
  );
  const taken = upstreams.flatMap((upstream) => upstream.taken);
  expect(taken).toHaveLength(100);
  expect(new Set(taken).size).toBe(100);
  expect(statuses.filter((status) => status === 502)).toHaveLength(20);
  expect(statuses.filter((status) => status === 500)).toHaveLength(20);
  const reading = await settled(backend);
  expect(counters(reading, 'vpc-1')).toMatchObject({ attempts: 20, eresp: 20, wretr: 0, wredis: 0 });
});

test('neither is one without a body: that it has none does not make it harmless', async () => {
  for (const name of names) await harness.behave(name, 'close');
  expect(await carry(harness.url, { method: 'POST', path: '/order', body: null })).toBe(502);
  expect(harness.upstreams.flatMap((upstream) => upstream.taken)).toEqual(['POST /order']);
});

test('a POST that met a closed port was not sent, so it goes to another server', async () => {
  const { behave, backend } = harness;
  await behave('vpc-1', 'refuse');
  const statuses: number[] = [];
  for (let index = 0; index < 40; index += 1) {
    statuses.push(await carry(harness.url, { method: 'POST', path: '/', body: 'x'.repeat(5000) }));
  }
  expect(new Set(statuses)).toEqual(new Set([200]));
  const { attempts, wredis, econ } = counters(await settled(backend), 'vpc-1');
  expect({ wredis, econ }).toEqual({ wredis: attempts, econ: 0 });
});

test('a server that refuses is ejected after the configured number of failures, and gets traffic again when it is back', async () => {
  const { behave, backend, traffic } = harness;
  await behave('vpc-2', 'refuse');
  expect((await traffic(300)).users.failed).toBe(0);
  const reading = await settled(backend);
  // Two to eject it; later ones are single trials, 300 ms apart.
  expect(counters(reading, 'vpc-2').attempts).toBeLessThan(30);
  await behave('vpc-2', 'answer');
  await expect.poll(async () => (await traffic(50)).servers['vpc-2']?.answered, { timeout: 20_000 }).toBeGreaterThan(5);
});

test('a server that fails its checks gets nothing and is not blamed; passing again it gets its share', async () => {
  const check = { path: '/health', intervalMs: 50, timeoutMs: 5000, rise: 2, fall: 2 };
  const checked = await openEmbedded({ names, backend: { check, ejection: { connectFailures: 1000, ms: 1 } } });
  try {
    const health = async () =>
      (await checked.backend.read(deadline())).servers.find(({ name }) => name === 'vpc-1')?.health;
    await expect.poll(health, { timeout: 20_000 }).toBe('up');
    await checked.behave('vpc-1', 'refuse');
    await expect.poll(health, { timeout: 20_000 }).toBe('down');
    const before = await settled(checked.backend);
    expect((await checked.traffic(100)).users).toEqual({ answered: 100, failed: 0 });
    expect(counters(await settled(checked.backend), 'vpc-1')).toEqual(counters(before, 'vpc-1'));
    await checked.behave('vpc-1', 'answer');
    await expect.poll(health, { timeout: 20_000 }).toBe('up');
    expect((await checked.traffic(100)).servers['vpc-1']?.answered).toBe(20);
  } finally {
    await checked.close();
  }
});

test('a GET that every server drops is tried on no more than four of them, and then is 502', async () => {
  for (const name of names) await harness.behave(name, 'close');
  expect(await carry(harness.url, { method: 'GET', path: '/deadly', body: null })).toBe(502);
  expect(harness.upstreams.flatMap((upstream) => upstream.taken)).toHaveLength(4);
  const reading = await settled(harness.backend);
  const all = names.map((name) => counters(reading, name));
  expect(all.reduce((sum, { wretr }) => sum + wretr, 0)).toBe(3);
  expect(all.reduce((sum, { eresp }) => sum + eresp, 0)).toBe(1);
});

test('where fewer repeats are configured there are no more, and none where there are to be none', async () => {
  for (const [retriesMax, attempts] of [
    [1, 2],
    [0, 1],
  ] as const) {
    const frugal = await openEmbedded({ names, backend: { retriesMax } });
    try {
      for (const name of names) await frugal.behave(name, 'close');
      expect(await carry(frugal.url, { method: 'GET', path: '/deadly', body: null })).toBe(502);
      expect(frugal.upstreams.flatMap((upstream) => upstream.taken)).toHaveLength(attempts);
    } finally {
      await frugal.close();
    }
  }
});

/** The smallest weights with which `vpc` servers have exactly this share beside `classic` servers. */
function weightsFor(percent: number, classic: number, vpc: number): { classic: number; vpc: number } {
  for (let weight = 1; weight <= 256; weight += 1) {
    const other = (weight * vpc * (100 - percent)) / percent / classic;
    if (Number.isInteger(other) && other <= 256) return { classic: other, vpc: weight };
  }
  throw new Error(`no weights for ${percent} %`);
}
