import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Hello } from './wire.ts';

/** In the environment of the process: its token. */
export const tokenVariable = 'DROVER_BALANCER_TOKEN';

/** What a balancer leaves beside its configuration for those who look for it: who it is, and where it answers. */
const recordSchema = z.strictObject({
  /** Never 0 or below, which would name a group of processes. */
  pid: z.int().min(2),
  startedAtMs: z.int(),
  /** The boot, and the kernel's own start time of the pid within it; null where it does not tell. */
  born: z.string().nullable(),
  token: z.string(),
  configHash: z.string(),
  socket: z.string(),
  listening: z.record(z.string(), z.string()),
});
export type EmbeddedRecord = z.infer<typeof recordSchema>;

export function recordPathOf(configPath: string): string {
  return `${configPath}.running`;
}

/** null: there is none, or it is not a record (a balancer killed before it wrote one leaves none). */
export function readRecord(path: string): EmbeddedRecord | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The process that answers is the one that wrote the record. */
export function sameProcess(record: EmbeddedRecord, hello: Hello): boolean {
  return record.pid === hello.pid && record.startedAtMs === hello.startedAtMs && record.token === hello.token;
}

/**
 * Whether the process of the record still exists, without asking it. `unknown`: the pid exists, and this system does not
 * tell since when or with which token, so it could be anybody's.
 */
export function processState(record: EmbeddedRecord): 'running' | 'gone' | 'unknown' {
  if (record.born !== null) {
    if (bornOf(record.pid) !== record.born) return 'gone';
    return environmentOf(record.pid).includes(`${tokenVariable}=${record.token}`) ? 'running' : 'unknown';
  }
  try {
    process.kill(record.pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return 'gone';
  }
  return 'unknown';
}

/** `BOOT/TICKS`: field 22 of /proc/PID/stat, counted behind the name, which may hold anything. null: ended, or no /proc. */
export function bornOf(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields[18] ?? '';
    return state === 'Z' || !/^\d+$/.test(ticks) ? null : `${boot}/${ticks}`;
  } catch {
    return null;
  }
}

/** Empty where it may not be read. */
function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
