import { describe, expect, test } from 'vitest';
import { sampleHash } from '../../src/core/journal/samples.ts';
import { checkpointOf } from '../../src/core/rollout/checkpoint.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { collectSamples } from '../../src/engine/samples.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { madeWatch, stateAt } from '../made/rollout.ts';
import { Desk, operation } from './desk.ts';

const judging = stateAt({ kind: 'judging', step: 1 });
const checkpoint = checkpointOf(judging, madeWatch(judging), 0);

function window(fromMs: number) {
  const counts = { origin: { attempts: 3, failures: 1 }, destination: { attempts: 2, failures: 0 } };
  return { edge: { fromMs, toMs: fromMs + 1, ...counts, destinationOpen: 0, originHosts: [] } };
}

function block(event: RolloutEvent): string {
  if (event.kind !== 'checkpoint' || event.samples === null) throw new Error('nothing was sealed');
  return event.samples.block;
}

function opened() {
  const desk = new Desk();
  return { desk, samples: collectSamples(desk.ports('one'), operation) };
}

describe('the samples under a checkpoint', () => {
  test('are what was counted since the last one that is durable, and the chain has their hash', async () => {
    const { desk, samples } = opened();
    samples.add(window(1));
    samples.add(window(2));
    const first = await samples.seal(checkpoint, 5);
    const text = await desk.journal.samples.read(operation, block(first));
    expect(text).toBe('["edge",1,2,3,1,2,0]\n["edge",2,3,3,1,2,0]');
    expect(first).toMatchObject({ samples: { hash: sampleHash(text ?? '', sha256) } });
    // It was lost to a faster controller: the next one has these too.
    samples.add(window(3));
    expect(await desk.journal.samples.read(operation, block(await samples.seal(checkpoint, 6)))).toBe(
      `${text}\n["edge",3,4,3,1,2,0]`,
    );
    samples.add(window(4));
    await samples.appended();
    expect(await desk.journal.samples.read(operation, block(await samples.seal(checkpoint, 7)))).toBe(
      '["edge",4,5,3,1,2,0]',
    );
  });

  test('of a controller that loses the append do not overwrite the winner’s', async () => {
    const { desk, samples } = opened();
    const loser = collectSamples(desk.ports('two'), operation);
    samples.add(window(1));
    loser.add(window(2));
    const [won, lost] = [block(await samples.seal(checkpoint, 5)), block(await loser.seal(checkpoint, 5))];
    expect(won).not.toBe(lost);
    expect(await desk.journal.samples.read(operation, won)).toBe('["edge",1,2,3,1,2,0]');
  });

  test('are none where nothing was counted, and belong to no other entry', async () => {
    const { samples } = opened();
    expect(await samples.seal(checkpoint, 5)).toEqual(checkpoint);
    samples.add(window(1));
    const held: RolloutEvent = { kind: 'held', why: 'lunch', by: 'kim' };
    expect(await samples.seal(held, 5)).toBe(held);
    await samples.appended();
    expect(block(await samples.seal(checkpoint, 6))).toMatch(/^6-/);
  });

  test('are kept for a day of checkpoints, and what is older goes', async () => {
    const { desk, samples } = opened();
    const names: string[] = [];
    for (let seq = 1; seq <= 3000; seq++) {
      samples.add(window(seq));
      names.push(block(await samples.seal(checkpoint, seq)));
      await samples.appended();
    }
    const kept = await Promise.all(names.map((name) => desk.journal.samples.read(operation, name)));
    expect(kept.findIndex((text) => text !== null)).toBe(3000 - 2880);
    expect(kept.filter((text) => text !== null)).toHaveLength(2880);
  });
});
