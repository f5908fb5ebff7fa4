import { existsSync } from 'node:fs';
import { PortError } from '../../engine/ports.ts';

/** SQLite's primary result codes that can come from the outside; the low byte of an extended code. */
const primary = {
  error: 1,
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
} as const;

/** Extended codes of `inputOutput`: EFBIG and EDQUOT come as a failed write, a file that is too short as a short read. */
const failedWrites: readonly number[] = [10 | (3 << 8), 10 | (19 << 8)];
const failedReads: readonly number[] = [10 | (1 << 8), 10 | (2 << 8), 10 | (32 << 8), 10 | (33 << 8)];

/** The extended result code; null: this did not come from SQLite. */
function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error)) return null;
  return typeof error.errcode === 'number' ? error.errcode : null;
}

/** Another process holds a lock for a moment: worth trying again soon. */
export function isBusy(error: unknown): boolean {
  const code = (sqliteCode(error) ?? 0) & 0xff;
  return code === primary.busy || code === primary.locked;
}

/** A reader could neither use nor create the index beside the write-ahead log. */
export function isWithoutIndex(error: unknown): boolean {
  const code = (sqliteCode(error) ?? 0) & 0xff;
  return code === primary.cannotOpen || code === primary.readOnly;
}

/** What SQLite or the file system said, as a PortError with the path and what to do. Other errors come back as they are. */
export function translate(error: unknown, path: string): unknown {
  if (error instanceof PortError) return error;
  const code = sqliteCode(error);
  return code === null ? translateFileError(error, path) : translateSqlite(error, code, path);
}

function translateSqlite(cause: unknown, code: number, path: string): unknown {
  switch (code & 0xff) {
    case primary.full:
      return diskFull(path, cause);
    case primary.inputOutput:
      if (failedWrites.includes(code))
        return diskFull(path, cause, ', over its quota, or the file has reached its size limit');
      return failedReads.includes(code) ? corrupt(path, saidBy(cause), cause) : diskError(path, cause);
    case primary.readOnly:
      return readOnly(path, cause);
    case primary.busy:
    case primary.locked:
      return busy(path, cause);
    case primary.corrupt:
    case primary.error:
      return corrupt(path, saidBy(cause), cause);
    case primary.notDatabase:
      return corrupt(path, 'it is not a journal of Drover, or its first bytes were overwritten', cause);
    case primary.cannotOpen:
    case primary.permission:
      return denied(path, cause);
    default:
      return cause;
  }
}

function translateFileError(cause: unknown, path: string): unknown {
  if (!(cause instanceof Error) || !('code' in cause)) return cause;
  switch (cause.code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return diskFull(path, cause);
    case 'EROFS':
      return readOnly(path, cause);
    case 'EACCES':
    case 'EPERM':
      return denied(path, cause);
    // What a file system says that takes no new files: /proc, for one.
    case 'ENOENT':
      return new PortError(
        'refused',
        `cannot create the journal ${path}: nothing can be made in its directory. Give another place with --journal PATH`,
        { retriable: false, cause },
      );
    case 'EIO':
      return diskError(path, cause);
    case 'ENOTDIR':
    case 'EEXIST':
      return new PortError(
        'refused',
        `cannot create the journal ${path}: a file stands where its directory should be`,
        {
          retriable: false,
          cause,
        },
      );
    // A whole number that JavaScript cannot hold exactly: never written by Drover.
    case 'ERR_OUT_OF_RANGE':
      return corrupt(path, 'it holds a number that is out of range', cause);
    default:
      return cause;
  }
}

function saidBy(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function diskFull(path: string, cause: unknown, orElse = ''): PortError {
  return new PortError(
    'disk-full',
    `cannot write the journal ${path}: the disk is full${orElse}. Nothing of this write was kept. Free some space and try again; ` +
      'the way back does not need the journal (drover back --offline)',
    { retriable: true, cause },
  );
}

function readOnly(path: string, cause: unknown): PortError {
  return new PortError(
    'read-only',
    `cannot write the journal ${path}: the file, its directory or its file system is read-only. ` +
      'Make it writable for this user, or give another place with --journal PATH',
    { retriable: false, cause },
  );
}

function denied(path: string, cause: unknown): PortError {
  return new PortError(
    'denied',
    `cannot open the journal ${path}: this user may not read it, or may not create files in its directory. ` +
      'Run as the user who started the operation, or give another place with --journal PATH',
    { retriable: false, cause },
  );
}

function busy(path: string, cause: unknown): PortError {
  return new PortError(
    'timeout',
    `the journal ${path} was locked by another process for too long. See who has it open (fuser ${path}), and try again`,
    { retriable: true, cause },
  );
}

function diskError(path: string, cause: unknown): PortError {
  return new PortError(
    'unreachable',
    `the disk under the journal ${path} reports an error (${saidBy(cause)}). Look at the kernel log before trusting this disk`,
    { retriable: true, cause },
  );
}

export function corrupt(path: string, what: string, cause?: unknown): PortError {
  const beside = ['-wal', '-shm'].map((end) => `${path}${end}`).filter((file) => existsSync(file));
  const kept = beside.length === 0 ? '' : `, with ${beside.join(' and ')} beside it`;
  return new PortError(
    'corrupt',
    `the journal ${path} is damaged: ${what}. Keep the file as it is${kept}; ` +
      'restore a copy or an export, or save what can be read with sqlite3 and its command .recover',
    { retriable: false, cause },
  );
}
