import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Nobody but this process writes to these ledgers from here on. Whoever did before has no lease any more; where it lives all the same,
 * because it was stopped and may wake up in the middle of a write, it is ended. `record` says which process it is: by its number, by
 * when it began, and by the program that it runs. true: what it had sent was settled, all of it; or there was none.
 */
export async function endPreviousMover(record: string, program: string): Promise<boolean> {
  const previous = readRecord(record);
  if (previous !== null && previous.pid !== process.pid) await end(previous, program);
  const own = JSON.stringify({ pid: process.pid, born: bornOf(process.pid) });
  writeFileSync(`${record}.${process.pid}`, own, { mode: 0o600 });
  renameSync(`${record}.${process.pid}`, record);
  return previous === null;
}

/** For a mover that ends, and of which no request can be performed any more. */
export function forgetMover(record: string): void {
  rmSync(record, { force: true });
}

type Previous = { readonly pid: number; readonly born: string };

function readRecord(path: string): Previous | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('born' in value)) return null;
    const { pid, born } = value;
    return Number.isSafeInteger(pid) && Number(pid) > 1 && typeof born === 'string' ? { pid: Number(pid), born } : null;
  } catch {
    // None was written, or not to its end: then that one had not begun to write either.
    return null;
  }
}

async function end({ pid, born }: Previous, program: string): Promise<void> {
  const isThere = () => bornOf(pid) === born;
  if (!isThere() || !programOf(pid).includes(program)) return;
  process.kill(pid, 'SIGKILL');
  for (let waits = 0; isThere(); waits += 1) {
    if (waits > 500) throw new Error(`the process ${pid}, which moved the data before this one, does not end`);
    await sleep(10);
  }
}

/** `BOOT/TICKS`, from field 22 of /proc/PID/stat; null: there is no such process. */
function bornOf(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? null : `${boot}/${fields[18] ?? ''}`;
  } catch {
    return null;
  }
}

function programOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
