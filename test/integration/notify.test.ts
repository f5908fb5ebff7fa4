import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { NotifyConfig } from '../../src/core/fleet/config.ts';
import { systemClock } from '../../src/io/clock/system.ts';
import { type NotifierOptions, openNotifier } from '../../src/io/notify/notifier.ts';
import { notification } from '../notify/notification.ts';
import { type Endpoint, openEndpoint, type Script } from './notify/endpoint.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function endpoint(script?: Script): Promise<Endpoint> {
  const opened = await openEndpoint(script);
  closing.push(opened.close);
  return opened;
}

/** Short pauses; a `close` that is not waited for is a leak. */
function notifier(endpoints: readonly NotifyConfig[], options: Partial<NotifierOptions> = {}) {
  const trouble: string[] = [];
  const given = { endpoints, clock: systemClock, onTrouble: (line: string) => trouble.push(line) };
  return { ...openNotifier({ callMs: 5_000, pausesMs: [1, 2, 3], ...given, ...options }), trouble };
}

describe('endpoints that are well', () => {
  test('a webhook gets the notification as JSON, a Slack endpoint one line of text, each in order', async () => {
    const [hook, slack] = [await endpoint(), await endpoint()];
    const { send, close, trouble } = notifier([
      { kind: 'webhook', url: hook.url },
      { kind: 'slack', url: slack.url, emoji: ':ox:' },
    ]);
    const sent = [notification({ step: 1 }), notification({ step: 2 }), notification({ step: 3 })];
    for (const each of sent) send(each);
    await close(30_000);
    expect(hook.told.map(({ body }) => body)).toEqual(sent);
    expect(hook.told[0]).toMatchObject({ method: 'POST', path: '/hook/T0KEN', type: 'application/json' });
    expect(slack.told).toHaveLength(3);
    expect(slack.told[0]?.body).toEqual({ text: expect.stringMatching(/^:ox: query \(team-query, classic → vpc\) /) });
    expect(trouble).toEqual([]);
  });

  test('a name and password in the address go into a header', async () => {
    const hook = await endpoint();
    const { send, close, trouble } = notifier([{ kind: 'webhook', url: hook.url.replace('//', '//me:p%40ss@') }]);
    send(notification());
    await close(30_000);
    expect(hook.told[0]).toMatchObject({ authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` });
    expect(trouble).toEqual([]);
  });

  test('one that is overloaded is asked again until it takes it', async () => {
    const hook = await endpoint((n) => [500, 429, 'cut' as const][n] ?? 204);
    const { send, close, trouble } = notifier([{ kind: 'webhook', url: hook.url }]);
    send(notification());
    await close(30_000);
    expect(hook.told).toHaveLength(4);
    expect(trouble).toEqual([]);
  });
});

describe('endpoints that are not', () => {
  test('send never waits, and one that hangs keeps nobody else from being told', async () => {
    const [hung, well] = [await endpoint(() => 'hang'), await endpoint()];
    const endpoints = [hung, well].map(({ url }): NotifyConfig => ({ kind: 'webhook', url }));
    const { send, close, trouble } = notifier(endpoints, { callMs: 60_000 });
    for (let step = 1; step <= 5; step++) send(notification({ step }));
    await expect.poll(() => well.told.length).toBe(5);
    expect(hung.told).toHaveLength(1);
    await close(50);
    expect(trouble).toEqual([
      expect.stringMatching(
        /^notify\[0\] \(webhook\) was not told of "promoted" of rollout-query-1: no answer in time/,
      ),
      'notify[0] (webhook): 4 notifications were not sent before the end',
    ]);
  });

  test('a deadline ends each call; after the last pause it is given up and said', async () => {
    const hung = await endpoint(() => 'hang');
    const { send, close, trouble } = notifier([{ kind: 'webhook', url: hung.url }], { callMs: 30 });
    send(notification());
    await close(30_000);
    expect(trouble).toEqual([expect.stringMatching(/: no answer in time; given up after 4 attempts$/)]);
  });

  test('nobody listens: given up, and the line has a code, but no address', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}/T0KEN`;
    const { send, close, trouble } = notifier([{ kind: 'webhook', url }]);
    send(notification());
    await close(30_000);
    expect(trouble).toEqual([expect.stringMatching(/: ECONNREFUSED; given up after 4 attempts$/)]);
    expect(trouble.join()).not.toMatch(/T0KEN|127\.0\.0\.1/);
  });

  test('a refusal is final, and what it answered is not repeated', async () => {
    const gone = await endpoint(() => 404);
    const { send, close, trouble } = notifier([{ kind: 'slack', url: gone.url, emoji: ':truck:' }]);
    send(notification());
    await close(30_000);
    expect(gone.told).toHaveLength(1);
    expect(trouble).toEqual(['notify[0] (slack) was not told of "promoted" of rollout-query-1: it answered 404']);
  });

  test.each([301, 302, 307, 308])('a redirect (%i) is not followed: nobody else is told', async (status) => {
    const elsewhere = await endpoint();
    const redirecting = await endpoint(() => ({ status, headers: { location: elsewhere.url } }));
    const { send, close, trouble } = notifier([{ kind: 'webhook', url: redirecting.url }]);
    send(notification());
    await close(30_000);
    expect(elsewhere.told).toEqual([]);
    expect(redirecting.told).toHaveLength(1);
    expect(trouble).toEqual([expect.stringContaining(`it answered ${status} (redirects are not followed)`)]);
  });

  test('more than the queue holds: the newest are kept, and what was lost is said', async () => {
    const slow = await endpoint((n) => (n === 0 ? 503 : 200));
    const options = { queueMax: 3, pausesMs: [300] };
    const { send, close, trouble } = notifier([{ kind: 'webhook', url: slow.url }], options);
    for (let step = 1; step <= 8; step++) send(notification({ step }));
    await close(30_000);
    expect(slow.told.map(({ body }) => (body as { step: number }).step)).toEqual([1, 1, 6, 7, 8]);
    expect(trouble).toEqual(['notify[0] (webhook) is too slow: 4 older notifications were dropped']);
  });

  test('Retry-After lengthens a pause, and the end does not wait for it', async () => {
    const busy = await endpoint(() => ({ status: 429, headers: { 'retry-after': '60' } }));
    const { send, close, trouble } = notifier([{ kind: 'webhook', url: busy.url }]);
    send(notification());
    await expect.poll(() => busy.told.length).toBe(1);
    await close(100);
    expect(busy.told).toHaveLength(1);
    expect(trouble).toEqual([expect.stringContaining('it answered 429; the end came before another attempt')]);
  });
});
