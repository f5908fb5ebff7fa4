import { expect, test } from 'vitest';
import { takeBackAll } from '../../src/cli/back/offline-target.ts';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { contextInMemory } from '../made/context.ts';
import { madeReading, madeServer } from '../made/readings.ts';

async function left(servers: readonly ServerReading[]) {
  let nowMs = 0;
  const sleep = (ms: number) => {
    nowMs += ms;
    return Promise.resolve();
  };
  const { context } = contextInMemory({ clock: { now: () => 0, monotonic: () => nowMs, sleep } });
  const refused = () => Promise.reject(new Error('nothing is written'));
  const backend = {
    read: async () => madeReading(servers),
    attempts: refused,
    setWeights: refused,
    setStates: refused,
  };
  const target = { id: 'edge/web', backend, destination: 'vpc-*', origin: { kind: 'glob', glob: null } } as const;
  return await takeBackAll(context, [target], false);
}

test('where other words are needed, the same command is not said to help', async () => {
  expect(await left([madeServer('classic-1')])).toEqual([
    { line: 'edge/web: no server matches "vpc-*"', isFinal: true },
  ]);
  const retired = [madeServer('classic-1', { weight: 0, configuredWeight: 0 }), madeServer('vpc-1')];
  expect(await left(retired)).toEqual([
    { line: expect.stringContaining('name the origin with --origin GLOB'), isFinal: true },
  ]);
  const down = [madeServer('classic-1', { health: 'down' }), madeServer('vpc-1')];
  expect(await left(down)).toEqual([{ line: expect.stringContaining('--all takes it anyway'), isFinal: false }]);
});
