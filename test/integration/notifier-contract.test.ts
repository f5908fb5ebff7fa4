import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Notifier } from '../../src/cli/context.ts';
import type { NotifyConfig } from '../../src/core/fleet/config.ts';
import type { Notification } from '../../src/core/rollout/notification.ts';
import { systemClock } from '../../src/io/clock/system.ts';
import { openNotifier } from '../../src/io/notify/notifier.ts';
import { plantedParts, testPlanted, type Wrong } from '../contract/clauses.ts';
import { type NotifierHarness, notifierClauses, notifierContract, type Outside } from '../contract/notifier.ts';
import { type Endpoint, openEndpoint } from './notify/endpoint.ts';

notifierContract('webhooks', open);

async function open(): Promise<NotifierHarness> {
  const endpoints: Endpoint[] = [];
  return {
    async open(places) {
      const opened = await Promise.all(places.map(openPlace));
      endpoints.push(...opened);
      const trouble: string[] = [];
      const notifier = openNotifier({
        endpoints: opened.map(({ url }): NotifyConfig => ({ kind: 'webhook', url })),
        clock: systemClock,
        onTrouble: (line) => trouble.push(line),
        pausesMs: [1, 2],
      });
      return {
        notifier,
        trouble,
        told: (place) => (opened[place]?.told ?? []).map(({ body }) => body as Notification),
      };
    },
    async close() {
      for (const endpoint of endpoints) await endpoint.close();
    },
  };
}

async function openPlace(outside: Outside): Promise<Endpoint> {
  if (outside !== 'gone') return openEndpoint(outside === 'hung' ? () => 'hang' : undefined);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { url: `http://127.0.0.1:${port}/`, told: [], close: async () => undefined };
}

const wrong: readonly Wrong<Notifier>[] = [
  {
    wrong: 'the end throws away what is still to be told',
    clause: 'everything arrives once and in order, before the end',
    as: (notifier) => ({ close: () => notifier.close(0) }),
  },
  {
    wrong: 'everything is told twice',
    clause: 'everything arrives once and in order, before the end',
    as: (notifier) => ({
      send(notification) {
        notifier.send(notification);
        notifier.send(notification);
      },
    }),
  },
  {
    wrong: 'the end comes and the line stays open',
    clause: 'after the end nothing is sent any more',
    as: (notifier) => {
      let ends = 0;
      return { close: (msMax) => (ends++ === 0 ? Promise.resolve() : notifier.close(msMax)) };
    },
  },
];

testPlanted<NotifierHarness>(
  'contract of a notifier',
  notifierClauses(),
  { open, close: (harness) => harness.close() },
  plantedParts(wrong, (harness, mistaken) => ({
    ...harness,
    async open(places) {
      const opened = await harness.open(places);
      return { ...opened, notifier: mistaken(opened.notifier) };
    },
  })),
);
