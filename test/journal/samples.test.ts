import { expect, test } from 'vitest';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { sampleHash, sampleReferences, verifySamples } from '../../src/core/journal/samples.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { draft } from './written.ts';

const samples = '10,1000,10,100,1\n20,1000,9,100,0\n';
const { entries } = seal(
  emptyHead('rollout-query-1'),
  [
    draft({ kind: 'checkpoint', samples: { block: '000001', hash: sampleHash(samples, sha256) } }),
    draft({ kind: 'checkpoint', samples: null }),
    draft({ kind: 'held', samples: 'none' }),
  ],
  sha256,
);
const [reference] = sampleReferences(entries);

test('finds the blocks that a chain rests on', () => {
  expect(sampleReferences(entries)).toEqual([
    { operation: 'rollout-query-1', seq: 1, block: '000001', hash: sha256(samples) },
  ]);
});

test('tells a block that is what it was from one that was pruned and one that was changed', () => {
  if (reference === undefined) throw new Error('no reference');
  expect(verifySamples(reference, samples, sha256)).toBe('intact');
  expect(verifySamples(reference, null, sha256)).toBe('pruned');
  expect(verifySamples(reference, samples.replace('9', '8'), sha256)).toMatchObject({
    kind: 'samples',
    seq: 1,
    message: expect.stringContaining('entry 1: its samples (block 000001) were changed after it was written (hash '),
  });
});
