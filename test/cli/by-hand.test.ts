import { expect, test } from 'vitest';
import { asFoundByHand, awayByHand, chained } from '../../src/cli/back/by-hand.ts';
import type { ExportedState } from '../../src/cli/back/exported-state.ts';
import { parseRequest } from '../../src/io/balancer/embedded/wire.ts';
import { contextInMemory } from '../made/context.ts';

const found = {
  'classic-1': { side: 'origin', weight: 40, admin: 'ready' },
  'vpc-1': { side: 'destination', weight: 0, admin: 'ready' },
  'vpc-2': { side: 'destination', weight: 0, admin: 'drain' },
} as const;
const servers = { backend: 'web', origin: 'classic-*', destination: 'vpc-*' };
const haproxy = { kind: 'haproxy', name: 'edge', sockets: ['/run/a.sock', '10.0.0.1:99'], configFile: null } as const;
const embedded = {
  kind: 'embedded',
  name: 'inner',
  listen: '127.0.0.1:80',
  socket: '/run/b.sock',
  carries: 'origin',
} as const;

function printed(given: Partial<ExportedState>, directory = '/srv/shop/.drover'): readonly string[] {
  const { context } = contextInMemory({
    world: {
      openBackends: (balancer, { backend }) => {
        const addresses = balancer.kind === 'haproxy' ? balancer.sockets : [balancer.socket];
        const many = addresses.length > 1;
        return addresses.map((address, at) => ({
          ...{ id: `${balancer.name}/${backend}${many ? `#${at + 1}` : ''}`, address },
          backend: {} as never,
        }));
      },
    },
  });
  const state = { operation: 'rollout-web-1', service: 'web', completed: false, balancers: [], asFound: {}, ...given };
  return asFoundByHand(context, directory, state);
}

test('weights first and then the states of the destination, at each process; no state of the origin', () => {
  const balancers = [{ ...servers, balancer: haproxy }];
  const commands =
    'set server web/classic-1 weight 40; set server web/vpc-1 weight 0; set server web/vpc-2 weight 0; set server web/vpc-1 state ready; set server web/vpc-2 state drain';
  expect(printed({ balancers, asFound: { 'edge/web#1': found, 'edge/web#2': found } })).toEqual([
    `echo '${commands}' | socat stdio /run/a.sock`,
    `echo '${commands}' | socat stdio tcp-connect:10.0.0.1:99`,
    'rm -f /srv/shop/.drover/rollout-web-1.json /srv/shop/.drover/rollout-web-1.back',
  ]);
  expect(printed({ balancers })[0]).toMatch(/^# how edge\/web#1 was found was not exported/);
});

test('an embedded balancer takes what is typed', () => {
  const balancers = [{ ...servers, balancer: embedded }];
  const lines = printed({ balancers, asFound: { 'inner/web': found } }).slice(0, -1);
  const requests = lines.map((line) => /^echo '(.*)' \| socat stdio \/run\/b\.sock$/.exec(line)?.[1] ?? '');
  expect(requests.map(parseRequest)).toEqual([
    { id: 1, op: 'weights', backend: 'web', weights: { 'classic-1': 40, 'vpc-1': 0, 'vpc-2': 0 } },
    { id: 2, op: 'states', backend: 'web', states: { 'vpc-1': 'ready', 'vpc-2': 'drain' } },
  ]);
});

test('sizes as found are told, and a directory with a blank can be typed', () => {
  const sizes = { origin: null, destination: { min: 1, max: 4, desired: 2 } };
  expect(printed({ sizes }, '/srv/my shop/.drover')).toEqual([
    expect.stringMatching(/^# the destination's group was found with 2 instances, 1 to 4/),
    "rm -f '/srv/my shop/.drover/rollout-web-1.json' '/srv/my shop/.drover/rollout-web-1.back'",
  ]);
  expect(awayByHand('/srv/my shop/.drover/journal.db')).toBe(
    "mkdir -p '/srv/my shop/.drover/damaged' && mv '/srv/my shop/.drover/journal.db'* '/srv/my shop/.drover/damaged'",
  );
});

test('no command runs where one before it has failed, and comments come before all', () => {
  expect(chained(['one', '# of sizes', 'two', 'three'])).toEqual(['# of sizes', 'one &&', 'two &&', 'three']);
});
