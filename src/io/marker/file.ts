import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackMarker } from '../../engine/operation-ports.ts';

/** The back marker as a file of the state directory. Any content counts, an empty file too: it may have been cut by a full disk. */
export function fileMarker(stateDirectory: string): BackMarker {
  const path = (operation: string) => join(stateDirectory, `${operation}.back`);
  return {
    async read(operation) {
      try {
        const text = await readFile(path(operation), 'utf8');
        return text.trim() === '' ? 'a way back (no more is known)' : text.trim();
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw error;
      }
    },
    async write(operation, who) {
      await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
      const file = await open(path(operation), 'w', 0o600);
      try {
        await file.writeFile(`${who}, ${new Date().toISOString()}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async remove(operation) {
      await rm(path(operation), { force: true });
    },
  };
}
