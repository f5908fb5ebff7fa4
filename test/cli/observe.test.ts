import { describe, expect, test } from 'vitest';
import type { Context, Output, World } from '../../src/cli/context.ts';
import { observe } from '../../src/cli/observe.ts';
import type { BackendReading } from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { type Backend, PortError } from '../../src/engine/ports.ts';
import { madeReading, madeServer } from '../made/readings.ts';

describe('observe, piped', () => {
  test('prints the figures since the start at once, then one dated line for each second', async () => {
    const { text } = await run({ haproxy: ['s'] }, [at(1000, 10), at(1100, 11), at(1200, 12)]);
    const lines = text.trimEnd().split('\n');
    expect(lines.slice(0, 5)).toEqual([
      expect.stringMatching(/^2026-01-01 00:00:00Z {2}web {2}warning: unknown: retry-on/),
      expect.stringMatching(/^web {2}http, roundrobin +since balancer start$/),
      expect.stringMatching(/^server +state +weight +share +attempts +failed$/),
      expect.stringMatching(/^a-1 +up +100 +50.0 % +1,000 +1.00 %$/),
      expect.stringMatching(/^b-1 +up +100 +50.0 % +1,000 +1.00 %$/),
    ]);
    expect(lines.slice(-3)).toEqual([
      '2026-01-01 00:00:01Z  web  200.0 attempts/s  failed 1.00 %',
      expect.stringMatching(/^2026-01-01 00:00:01Z {2}web {2}judge: 3x in .* \(for a destination with 10.0 % of this/),
      '2026-01-01 00:00:02Z  web  200.0 attempts/s  failed 1.00 %',
    ]);
  });

  test('how soon a bad build would be seen is said as soon as it is known, and every half minute', async () => {
    const minute = Array.from({ length: 70 }, (_, second) => at(1000 + 100 * second, 10 + second));
    const { text } = await run({ haproxy: ['s'], destination: 'b-*' }, minute);
    const judged = text.split('\n').filter((line) => line.includes('web  judge: '));
    expect(judged[0]).toMatch(
      /^2026-01-01 00:00:01Z {2}web {2}judge: 3x in .*10x in .*\(for this destination, at 1.00 % failed; dispersion/,
    );
    const atSeconds = judged.map((line) => Date.parse(line.slice(0, 20).replace(' ', 'T')) / 1000);
    const gaps = atSeconds.slice(1).map((second, index) => second - (atSeconds[index] ?? 0));
    expect(gaps).toEqual([30, 30]);
    expect(text.match(/what it would see is unknown/g)).toHaveLength(1);
  });

  test('groups are compared, with the share of the destination', async () => {
    const { text } = await run({ haproxy: ['s'], destination: 'b-*' }, [at(1000, 10), at(1100, 11)]);
    expect(text).toMatch(/^origin +1 of 1 up +100 +50.0 %/m);
    expect(text).toMatch(
      /Z {2}web {2}200.0 attempts\/s {2}share 50.0 % {2}failed 1.00 % at the origin, 1.00 % at the destination$/m,
    );
  });

  test('a balancer that is lost and comes back as another process is said once each, and counting begins anew', async () => {
    const gone = new PortError('unreachable', 'nothing listens there', { retriable: true });
    const { text } = await run({ haproxy: ['s'] }, [at(1000, 10), gone, gone, at(50, 0, 'new'), at(60, 0, 'new')]);
    expect(text.match(/cannot be read: nothing listens there/g)).toHaveLength(1);
    expect(text.match(/can be read again/g)).toHaveLength(1);
    expect(text).toContain("counting began anew: the balancer's process is another one");
    const flows = text.split('\n').filter((line) => line.includes('attempts/s'));
    expect(flows.at(-1)).toContain('20.0 attempts/s  failed 0 %');
    expect(text.trimEnd().split('\n').at(-1)).toContain('judge: what it would see is unknown: nothing has failed yet');
  });

  test('one of several that cannot be read does not hide the others; none that can is an error', async () => {
    const gone = new PortError('unreachable', 'nothing listens there', { retriable: true });
    const both = await run({ haproxy: ['s', 't'] }, [at(1000, 10), at(1100, 11)], { t: gone });
    expect(both.text).toContain('web at t  cannot be read: nothing listens there');
    expect(both.text).toMatch(/web at s {2}200.0 attempts/);
    await expect(run({ haproxy: ['t'] }, [], { t: gone })).rejects.toThrow('nothing listens there');
  });

  test('a pattern that fits no server is an error that names the servers', async () => {
    await expect(run({ haproxy: ['s'], destination: 'vpc-*' }, [at(1, 0), at(1, 0)])).rejects.toMatchObject({
      message: 'no server fits --destination vpc-*',
      remedy: 'the servers are named a-1, b-1',
    });
  });

  test('in TCP mode failures are unknown, not zero', async () => {
    const readings = [at(1000, 0, 'p', 'tcp'), at(1100, 0, 'p', 'tcp')];
    const { text } = await run({ haproxy: ['s'] }, readings);
    expect(text).toMatch(/^a-1 +up +100 +50.0 % +1,000 +unknown$/m);
    expect(text).toContain('no rollout: mode tcp');
    expect(text).toContain('failed unknown');
    const { text: json } = await run({ haproxy: ['s'], json: true }, readings);
    expect(records(json)[1]).toMatchObject({ attempts: 200, failures: null, forecast: null });
  });

  test('ends when nobody reads any more', async () => {
    const { passes } = await run({ haproxy: ['s'] }, [at(1000, 10), at(1100, 11), at(1200, 12)], {}, { goneAfter: 2 });
    expect(passes).toBe(2);
  });

  test('--once reads once', async () => {
    const { passes, text } = await run({ haproxy: ['s'], once: true }, [at(1000, 10), at(1100, 11)]);
    expect(passes).toBe(1);
    expect(text).not.toContain('attempts/s');
  });
});

describe('observe --json', () => {
  test('one object since the start, then one per second with the forecast, and nothing else', async () => {
    const { text } = await run({ haproxy: ['s'], destination: 'b-*', json: true }, [
      at(1000, 10),
      at(1100, 11),
      at(1200, 12),
    ]);
    const [first, second, third, ...more] = records(text);
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      kind: 'since-start',
      backend: 'web',
      seconds: null,
      attempts: 2000,
      failures: 20,
      share: 0.5,
    });
    expect(first).toMatchObject({
      traits: { mode: { value: 'http' } },
      findings: [{ severity: 'warn', rule: 'unknown' }],
    });
    expect(second).toMatchObject({
      kind: 'window',
      seconds: 1,
      attempts: 200,
      failures: 2,
      share: 0.5,
      dispersion: null,
    });
    expect(third).toMatchObject({
      groups: { origin: { attempts: 100, failures: 1 }, destination: { attempts: 100, failures: 1 } },
      servers: [
        { name: 'a-1', group: 'origin', attempts: 100, failures: 1 },
        { name: 'b-1', group: 'destination', attempts: 100, failures: 1 },
      ],
      forecast: { attemptsPerSecond: 200, share: 0.5, assumedShare: false, baseline: 0.01, dispersion: 3 },
    });
  });

  test('a reading that fails is an object too', async () => {
    const gone = new PortError('timeout', 'no answer', { retriable: true });
    const { text } = await run({ haproxy: ['s'], json: true }, [at(1, 0), gone]);
    expect(records(text)[1]).toMatchObject({ kind: 'unreadable', backend: 'web', code: 'timeout', error: 'no answer' });
  });
});

test('on a terminal of 60 columns no line is longer, and both figures do not fit side by side', async () => {
  const { text } = await run({ haproxy: ['s'] }, [at(1000, 10), at(1100, 11)], {}, { columns: 60 });
  const last = plain(text.split('\u001b[J').at(-1) ?? '');
  expect(last).toContain('last 1 s');
  expect(last).not.toContain('since balancer start');
  expect(last).toMatch(/judge {2}3x in \d+ min, 5x in \d+/);
  for (const line of last.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
});

function plain(text: string): string {
  return text.replaceAll(/\p{Cc}\[[\d;]*m/gu, '');
}

function records(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function at(attempts: number, failures: number, process = 'p', mode: 'http' | 'tcp' = 'http'): BackendReading {
  const responses = mode === 'tcp' ? {} : { rsp2xx: attempts - failures, rsp5xx: failures };
  const servers = ['a-1', 'b-1'].map((name) => madeServer(name, { counters: { attempts, ...responses } }));
  return madeReading(servers, { process, traits: { mode: known(mode), retryOn: unknown('not told') } });
}

type Script = readonly (BackendReading | PortError)[];

/** Runs until the script of readings ends. `broken`: sockets that always fail. */
async function run(
  options: Parameters<typeof observe>[1],
  script: Script,
  broken: Readonly<Record<string, PortError>> = {},
  { columns = null, goneAfter = Number.POSITIVE_INFINITY }: { columns?: number | null; goneAfter?: number } = {},
): Promise<{ text: string; passes: number }> {
  const stop = new AbortController();
  let [text, passes, now] = ['', 0, 0];
  const scripted = (socket: string): Backend => {
    const left = [...script];
    // A pattern for the destination is looked for with a reading of its own.
    if (options.destination !== undefined) left.unshift(left[0] ?? at(0, 0));
    return {
      read: () => {
        const next = broken[socket] ?? left.shift();
        if (left.length === 0) stop.abort();
        return next instanceof Error || next === undefined ? Promise.reject(next) : Promise.resolve(next);
      },
      attempts: () => Promise.resolve({}),
      setWeights: () => Promise.reject(new Error('observe writes')),
      setStates: () => Promise.reject(new Error('observe writes')),
    };
  };
  const stdout: Output = {
    write: (more) => {
      text += more;
    },
    terminal: columns === null ? null : { columns, rows: 50 },
    get gone() {
      return passes >= goneAfter;
    },
  };
  const world = {
    listBackends: ({ name }: { name: string }) =>
      broken[name] === undefined ? Promise.resolve(['web']) : Promise.reject(broken[name]),
    openBackends: ({ name }: { name: string }) => [{ id: `${name}/web`, address: 'a.sock', backend: scripted(name) }],
  };
  const clock: Context['clock'] = {
    now: () => Date.UTC(2026, 0, 1) + now,
    monotonic: () => now,
    sleep: (ms) => {
      now += ms;
      passes++;
      return Promise.resolve();
    },
  };
  const context = { stdout, clock, env: {}, world: world as Partial<World> } as Context;
  await observe(context, options, stop.signal);
  return { text, passes: Math.max(passes, 1) };
}
