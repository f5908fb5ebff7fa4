import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { markedAtMs } from '../../src/core/rollout/marker.ts';
import { fileMarker } from '../../src/io/marker/file.ts';
import { markerContract } from '../contract/marker.ts';

markerContract('file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'drover-marker-'));
  // Not there yet: the way back may be the first thing that ever writes into it.
  const state = join(directory, '.drover');
  return {
    marker: fileMarker(state),
    connect: () => fileMarker(state),
    async cut(operation) {
      await fileMarker(state).write(operation, 'somebody');
      await writeFile(join(state, `${operation}.back`), '');
    },
    async spoil() {
      await rm(state, { recursive: true, force: true });
      await writeFile(state, 'a file where the directory should be');
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
});

test('a marker without a word still says when the way back was taken', async () => {
  const state = await mkdtemp(join(tmpdir(), 'drover-marker-'));
  onTestFinished(() => rm(state, { recursive: true, force: true }));
  const takenAt = new Date('2026-01-31T03:00:00.123Z');
  await writeFile(join(state, 'rollout-web-1.back'), '');
  await utimes(join(state, 'rollout-web-1.back'), takenAt, takenAt);
  expect(markedAtMs((await fileMarker(state).read('rollout-web-1')) ?? '')).toBe(takenAt.getTime());
});
