import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
