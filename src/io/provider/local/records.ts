import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PortError, type PortErrorCode } from '../../../engine/ports.ts';
import type { InstanceRecord } from './lifecycle.ts';
import { type GroupPaths, instanceFile } from './paths.ts';

/** The size that a group is wanted to have. */
export type Wanted = {
  readonly min: number;
  readonly desired: number;
  /** `min` of the configuration when it was written. */
  readonly declaredMin: number;
};

/** null: nothing was written yet. */
export type Stored = { readonly wanted: Wanted | null; readonly records: readonly InstanceRecord[] };

const version = 1;
const count = z.int().min(0);
const identity = z.strictObject({ pid: z.int().min(2), startTicks: count, bootId: z.string().min(1) });
const phase = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('waiting'),
    startAfterMs: z.number(),
    restart: z.boolean(),
    startFailed: z.literal(true).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('claimed'), restart: z.boolean(), process: identity.nullable() }),
  z.strictObject({ kind: z.literal('running'), process: identity }),
  z.strictObject({
    kind: z.literal('stopping'),
    process: identity,
    sinceMs: z.number(),
    termAtMs: z.number().nullable(),
  }),
]);
const instanceSchema = z.strictObject({
  version: z.literal(version),
  index: count,
  token: z.string().min(1),
  build: z.string().nullable(),
  startedAtMs: z.number(),
  restarts: count,
  streak: count,
  note: z.string().nullable(),
  phase,
});
/** More than any configuration may ask for. */
const size = count.max(10_000);
const groupSchema = z.strictObject({ version: z.literal(version), min: size, desired: size, declaredMin: size });

/** Reads a group's files. Throws PortError `corrupt` or `newer-version`, naming file and field, before anything is done. */
export async function readStored(paths: GroupPaths): Promise<Stored> {
  const names = await listFiles(paths);
  const group = names.includes('group.json') ? await readText(paths.group) : null;
  const records: InstanceRecord[] = [];
  for (const name of names) {
    // As it is written, and no other spelling of the same number: that would be a second file of one instance.
    const index = name.match(/^instance-(0|[1-9]\d{0,5})\.json$/)?.[1];
    if (index === undefined) continue;
    const file = instanceFile(paths, Number(index));
    const text = await readText(file);
    // A watching process may list a file that the controlling one removes before it is read.
    if (text !== null) records.push(parseInstance(file, text, Number(index), paths.tokenPrefix));
  }
  records.sort((a, b) => a.index - b.index);
  return { wanted: group === null ? null : parseWanted(paths.group, group), records };
}

/** Throws PortError `corrupt` or `newer-version`. */
export function parseInstance(file: string, text: string, index: number, tokenPrefix: string): InstanceRecord {
  const { version: _, ...record } = parse(file, text, instanceSchema);
  if (record.index !== index)
    throw corrupt(file, `index: expected ${index} as in the file's name, found ${record.index}`);
  if (!record.token.startsWith(tokenPrefix)) {
    const problem =
      'token: it belongs to another state directory; a copied or moved directory must not control the processes of the original';
    throw corrupt(file, problem);
  }
  return record;
}

/** Throws PortError `corrupt` or `newer-version`. */
export function parseWanted(file: string, text: string): Wanted {
  const { version: _, ...wanted } = parse(file, text, groupSchema);
  // Written only so, and what follows from another order would be found out by starting processes.
  if (wanted.desired < wanted.min)
    throw corrupt(file, `desired: expected at least ${wanted.min}, the minimum, found ${wanted.desired}`);
  return wanted;
}

export async function saveInstance(paths: GroupPaths, record: InstanceRecord): Promise<void> {
  await writeAtomically(instanceFile(paths, record.index), { version, ...record });
}

export async function saveWanted(paths: GroupPaths, wanted: Wanted): Promise<void> {
  await writeAtomically(paths.group, { version, ...wanted });
}

export async function removeInstance(paths: GroupPaths, index: number): Promise<void> {
  await translated(instanceFile(paths, index), () => rm(instanceFile(paths, index), { force: true }));
}

export async function makeDirectory(paths: GroupPaths): Promise<void> {
  await translated(paths.directory, () => mkdir(paths.directory, { recursive: true, mode: 0o700 }));
}

/** Removes what an interrupted write left. Only for the holder of the group's lock. */
export async function removeTemporaries(paths: GroupPaths): Promise<void> {
  for (const name of await listFiles(paths)) {
    const file = join(paths.directory, name);
    if (name.endsWith('.tmp')) await translated(file, () => rm(file, { force: true }));
  }
}

/** Runs a file operation; what the operating system says against it becomes a PortError. */
export async function translated<T>(file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const code = String(error.code);
    const { code: portCode, text } = fileProblems[code] ?? { code: 'unreachable' as const, text: error.message };
    throw new PortError(portCode, `${file}: ${text} (${code}).`, { retriable: true, cause: error });
  }
}

const fileProblems: Readonly<Record<string, { readonly code: PortErrorCode; readonly text: string }>> = {
  ENOENT: { code: 'not-found', text: 'it, or the directory it should be in, is gone' },
  ENOSPC: { code: 'disk-full', text: 'the disk is full; free some space' },
  EDQUOT: { code: 'disk-full', text: 'the disk quota is used up; free some space' },
  EROFS: { code: 'read-only', text: 'the file system is read-only; use another state directory' },
  EACCES: { code: 'denied', text: 'no permission; run as its owner or use another state directory' },
  EPERM: { code: 'denied', text: 'no permission; run as its owner or use another state directory' },
  ENOTDIR: { code: 'denied', text: 'a part of the path is a file; use another state directory' },
  EEXIST: { code: 'denied', text: 'a file where a directory should be; use another state directory' },
  EISDIR: { code: 'corrupt', text: 'a directory where a file should be; remove it' },
};

async function listFiles(paths: GroupPaths): Promise<string[]> {
  return (await translated(paths.directory, () => unlessMissing(readdir(paths.directory)))) ?? [];
}

async function readText(file: string): Promise<string | null> {
  return translated(file, () => unlessMissing(readFile(file, 'utf8')));
}

/** null: there is no such file. */
export async function unlessMissing<T>(operation: Promise<T>): Promise<T | null> {
  try {
    return await operation;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function parse<T>(file: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(file, text === '' ? 'the file is empty' : 'not JSON', error);
  }
  const versioned = z.looseObject({ version: z.number() }).safeParse(value);
  if (versioned.success && versioned.data.version > version) {
    const message = `${file}: written by a newer Drover (format ${versioned.data.version}, this one knows ${version}); use that one.`;
    throw new PortError('newer-version', message, { retriable: false });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw corrupt(file, said.join('; ').slice(0, 1000));
}

function corrupt(file: string, problem: string, cause?: unknown): PortError {
  const remedy =
    'Nothing was started or stopped. Repair or delete the file; a process that still runs is found again without it.';
  return new PortError('corrupt', `${file}: ${problem}. ${remedy}`, { retriable: false, cause });
}

/** The directory entry changes from the old content to the new, whatever dies in between. */
async function writeAtomically(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await translated(file, async () => {
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(value)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  });
}
