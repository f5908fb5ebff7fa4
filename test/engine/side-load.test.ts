import { describe, expect, test } from 'vitest';
import { known, unknown } from '../../src/core/observed/reading.ts';
import type { Backend } from '../../src/engine/ports.ts';
import { measureLoad } from '../../src/engine/side-load.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const plan = { id: 'edge/query', origin: 'old-*', destination: 'new-*' };

describe('the load of a group', () => {
  test('a rise counts over seconds, a fall at once', async () => {
    const world = backendWith();
    await world.read(0, 0);
    await world.read(1000, 100);
    expect(world.load()).toEqual(known(100));
    // A spike of one second.
    await world.read(2000, 500);
    expect(world.load()).toEqual(known(250));
    await world.read(3000, 500);
    expect(world.load()).toEqual(known(0));
  });

  test('nothing is known of what was not read twice, nor of a process that has just begun to count anew', async () => {
    const world = backendWith();
    expect(world.load()).toMatchObject(unknown(expect.stringContaining('edge/query')));
    await world.read(0, 1000);
    expect(world.load().known).toBe(false);
    await world.read(1000, 1100);
    await world.read(2000, 5);
    expect(world.load().known).toBe(false);
  });
});

function backendWith() {
  let nowMs = 0;
  let attempts = 0;
  const load = measureLoad({ now: () => nowMs, monotonic: () => nowMs, sleep: () => Promise.resolve() });
  const backend: Pick<Backend, 'read'> = {
    read: () => Promise.resolve(madeReading([madeServer('new-1', { counters: { attempts } })])),
  };
  const counted = load.counted(plan, {
    ...backend,
    attempts: () => Promise.resolve({}),
    setWeights: () => Promise.resolve(),
    setStates: () => Promise.resolve(),
  });
  return {
    load: () => load.loadRps('destination'),
    async read(atMs: number, count: number) {
      nowMs = atMs;
      attempts = count;
      await counted.read(new AbortController().signal);
    },
  };
}
