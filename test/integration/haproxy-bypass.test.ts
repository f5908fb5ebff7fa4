import { afterEach, describe, expect, test } from 'vitest';
import { controllability } from '../../src/core/fleet/controllability.ts';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { type HaproxyHarness, openHaproxy } from './haproxy-harness.ts';

/** What Drover says of these lines, held against what HAProxy does with them. `b-1` answers nothing but 500. */
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('rules that pass by weights, states and counters', () => {
  test('use-server fills a server of weight 0, whose attempts are counted all the same; maint takes them back', async () => {
    const harness = await open(['use-server b-1 if TRUE']);
    await harness.backend.setWeights({ 'b-1': 0 }, deadline());
    await harness.traffic(20);
    expect((await bad(harness)).counters).toMatchObject({ attempts: 20, rsp5xx: 20 });
    await harness.backend.setStates({ 'b-1': 'maint' }, deadline());
    await harness.traffic(20);
    expect((await bad(harness)).counters.rsp5xx).toBe(20);
    expect(await findings(harness)).toEqual(['refuse use-server b-1']);
  });

  test.each(['option persist', 'force-persist if TRUE'])(
    'with %s a server in maint keeps what is bound',
    async (line) => {
      const harness = await open([line, 'use-server b-1 if TRUE']);
      await harness.backend.setStates({ 'b-1': 'maint' }, deadline());
      await harness.traffic(20);
      expect((await bad(harness)).counters.rsp5xx).toBe(20);
      expect(await findings(harness)).toEqual(['refuse use-server b-1', `warn ${line.replace(/ if.*/, '')}`]);
    },
  );

  test.each(['http-response', 'http-after-response'])(
    '%s set-status hides a 500 from users, not from the counters',
    async (kind) => {
      const harness = await open([`${kind} set-status 200`]);
      const { users } = await harness.traffic(20);
      expect(users).toEqual({ answered: 20, failed: 0 });
      expect((await bad(harness)).counters).toMatchObject({ attempts: 10, rsp2xx: 0, rsp5xx: 10 });
      expect(await findings(harness)).toEqual([`warn ${kind} set-status`]);
    },
  );

  test('a server that observes its traffic takes itself out of what is judged', async () => {
    const harness = await open([], 'check inter 60s observe layer7 error-limit 5 on-error mark-down');
    await harness.traffic(100);
    const server = await bad(harness);
    expect(server.health).toBe('down');
    expect(server.counters.attempts).toBeLessThan(20);
    expect(await findings(harness)).toEqual(['warn servers that errors in traffic take out (observe): a-1, b-1']);
  });

  test('after maint a server with a slow start is starting, and far from its share', async () => {
    const harness = await open([], 'check inter 100ms slowstart 600s');
    await until(harness, 'up');
    await harness.backend.setStates({ 'b-1': 'maint' }, deadline());
    await harness.backend.setStates({ 'b-1': 'ready' }, deadline());
    await until(harness, 'starting');
    await harness.traffic(100);
    expect((await bad(harness)).counters.attempts).toBeLessThan(20);
    expect(await findings(harness)).toEqual(['warn servers with a slow start: a-1, b-1']);
  });
});

async function open(lines: readonly string[], server = ''): Promise<HaproxyHarness> {
  const harness = await openHaproxy({
    names: ['a-1', 'b-1'],
    backend: ['balance roundrobin', ...lines],
    server: () => `weight 100 ${server}`,
  });
  closing.push(harness.close);
  await harness.behave('b-1', 'error');
  return harness;
}

async function bad({ backend }: HaproxyHarness): Promise<ServerReading> {
  const { servers } = await backend.read(deadline());
  const found = servers.find(({ name }) => name === 'b-1');
  if (found === undefined) throw new Error('no b-1');
  return found;
}

async function until(harness: HaproxyHarness, health: ServerReading['health']): Promise<void> {
  const signal = deadline();
  while ((await bad(harness)).health !== health) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function findings({ backend }: HaproxyHarness): Promise<string[]> {
  const { traits, servers } = await backend.read(deadline());
  return controllability(traits, servers).map(({ severity, what }) => `${severity} ${what}`);
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(20_000);
}
