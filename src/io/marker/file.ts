import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackMarker } from '../../engine/operation-ports.ts';
import { PortError, type PortErrorCode } from '../../engine/ports.ts';

/**
 * The back marker as a file of the state directory. Any content counts, an empty file too: it may have been cut by a full disk.
 * Throws PortError.
 */
export function fileMarker(stateDirectory: string): BackMarker {
  const path = (operation: string) => join(stateDirectory, `${operation}.back`);
  return {
    async read(operation) {
      try {
        return await readMarker(path(operation));
      } catch (error) {
        if (isCode(error, 'ENOENT')) return null;
        throw translated(error, path(operation));
      }
    },
    async write(operation, who) {
      try {
        await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
        await writeDurably(path(operation), `${who}, ${new Date().toISOString()}\n`);
      } catch (error) {
        throw translated(error, path(operation));
      }
    },
    async remove(operation) {
      try {
        await rm(path(operation), { force: true });
      } catch (error) {
        throw translated(error, path(operation));
      }
    },
  };
}

const bytesMax = 1024;

/** Who took the way back, in one line that commands no terminal: anybody who may write here may have written it. */
export function markerText(bytes: Uint8Array): string {
  const text = new TextDecoder()
    .decode(bytes)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return text === '' ? 'a way back (no more is known)' : text;
}

/** One that a full disk has left without a word still has the time at which it was made. */
async function readMarker(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytesMax), 0, bytesMax, 0);
    const text = markerText(buffer.subarray(0, bytesRead));
    return bytesRead > 0 ? text : `${text}, ${(await file.stat()).mtime.toISOString()}`;
  } finally {
    await file.close();
  }
}

/** Never over another one. */
async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    if (isCode(error, 'EEXIST')) return null;
    throw error;
  });
  if (file === null) return;
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** What the operating system said, with the path and what to do. */
function translated(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  const { code, text } = problems[String(error.code)] ?? { code: 'unreachable' as const, text: error.message };
  const message = `the back marker ${path}: ${text} (${String(error.code)})`;
  return new PortError(code, message, { retriable: true, cause: error });
}

const full = { code: 'disk-full', text: 'the disk is full: free some space' } as const;
const denied = { code: 'denied', text: 'no permission: run as the owner of the state directory' } as const;
const noDirectory = { code: 'denied', text: 'a file is where the state directory should be: move it away' } as const;
const problems: Readonly<Record<string, { readonly code: PortErrorCode; readonly text: string }>> = {
  ENOSPC: full,
  EDQUOT: full,
  EROFS: { code: 'read-only', text: 'the file system is read-only: make it writable' },
  EACCES: denied,
  EPERM: denied,
  ENOTDIR: noDirectory,
  EEXIST: noDirectory,
};
