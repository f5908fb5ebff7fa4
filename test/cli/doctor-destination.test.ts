import { expect, test } from 'vitest';
import type { World } from '../../src/cli/context.ts';
import { examineService } from '../../src/cli/doctor/services.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { InstanceReading } from '../../src/core/observed/group.ts';
import { known } from '../../src/core/observed/reading.ts';
import type { Backend } from '../../src/engine/ports.ts';
import { contextInMemory } from '../made/context.ts';
import { madeReading, madeServer } from '../made/readings.ts';
import { madeInstance, madeState } from '../made/rollout.ts';

const config = `version: 1
name: shop
environments:
  classic: { provider: local }
  vpc: { provider: local }
balancers:
  edge: { embedded: { listen: 127.0.0.1:24100 } }
services:
  query:
    owner: team-query
    kind: stateless
    objective: { failures: 1% }
    traffic: { balancer: edge, backend: query, origin: "classic-*", destination: "vpc-*" }
    origin: { environment: classic, size: 2..4, command: [run], ports: 24200, server: "classic-{index}", health: / }
    destination: { environment: vpc, size: 1..4, command: [run], ports: 24300, server: "vpc-{index}", health: / }
`;

const lastOutput = ['FATAL: cannot read secret.conf', 'drover: it ended with status 3'];
const looping = madeInstance('vpc-1', { state: 'crash-looping', lastOutput });
const waiting = madeInstance('vpc-1', { state: 'starting', lastOutput: ['loading'] });

/** What doctor says of a destination of which nothing is up. */
async function down(instance: InstanceReading, { isControlled = false, isUnderWay = false } = {}) {
  const parsed = parseConfig(config, 'drover.yaml', '/srv/shop');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const state = madeState([]);
  const plan = { ...state.plan, service: 'query' };
  const past = isUnderWay ? [{ state: { ...state, operation: 'rollout-query-1', plan }, entries: [] }] : [];
  const { context } = contextInMemory({
    world: worldOf(instance),
    clock: { now: () => 0, monotonic: () => 0, sleep: () => new Promise(() => undefined) },
  });
  const { checks } = await examineService(context, parsed.config, 'query', '/srv/shop/.drover', { past, isControlled });
  return checks.find(({ what }) => what.startsWith('edge/query: destination'));
}

function worldOf(instance: InstanceReading): Partial<World> {
  const written = () => Promise.reject(new Error('doctor writes'));
  const servers = [madeServer('classic-1'), madeServer('vpc-1', { weight: 0, health: 'down' })];
  const read = async () => madeReading(servers);
  const backend: Backend = { read, attempts: written, setWeights: written, setStates: written };
  return {
    openBackends: () => [{ id: 'edge/query', address: 'edge.sock', backend }],
    openGroup: (_, side) => ({
      group: {
        read: async () => ({
          size: { min: 1, max: 4, desired: 1 },
          instances: side === 'origin' ? [madeInstance('classic-1')] : [instance],
          build: known(side),
        }),
        resize: written,
      },
      close: () => Promise.resolve(),
    }),
    openMarker: () => ({ read: () => Promise.resolve(null), write: written, remove: written }),
    portHolder: () => null,
  };
}

test('a destination of which nothing comes up is told with the last words of an instance that has failed', async () => {
  expect(await down(looping)).toEqual({
    level: 'warning',
    what: 'edge/query: destination 0 of 1 up, 1 down (vpc-1); of an instance that does not come up: last output: FATAL: cannot read secret.conf (it ended with status 3)',
    remedy: '`drover apply` starts it',
  });
  expect(await down(waiting)).toMatchObject({ what: 'edge/query: destination 0 of 1 up, 1 down (vpc-1)' });
});

test('it is started by the controller that is alive, and nobody is sent to an apply beside it', async () => {
  expect(await down(looping, { isControlled: true, isUnderWay: true })).toMatchObject({
    remedy: 'the controller of rollout-query-1 starts it',
  });
  expect(await down(looping, { isControlled: true })).toMatchObject({
    remedy: '`drover apply`, once the controller that is alive has ended, starts it',
  });
  expect(await down(looping, { isUnderWay: true })).toMatchObject({ remedy: '`drover apply` starts it' });
});
