import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const checkout = join(import.meta.dirname, '..', '..');

/** Every process that a step starts inherits it, so that those it leaves behind can be found. */
const mark = `DROVER_TEST_RUN=${process.pid}-${process.hrtime.bigint()}`;

/** The process groups that are running now. */
const groups = new Set<number>();

/**
 * Runs a command of `node_modules/.bin` (or `node`) in the checkout, with its output on this one's. Resolves with its exit
 * code; 1 when it could not be started or was killed.
 */
export function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const [name = '', value = ''] = mark.split('=');
    const path = [dirname(process.execPath), join(checkout, 'node_modules', '.bin'), process.env['PATH'] ?? ''];
    const child = spawn(command, [...args], {
      cwd: checkout,
      stdio: ['ignore', 'inherit', 'inherit'],
      // A group of its own: a signal can then reach all of it, and reaches it only through endEverything.
      detached: true,
      env: { ...process.env, PATH: path.join(delimiter), [name]: value },
    });
    if (child.pid !== undefined) groups.add(child.pid);
    child.on('error', (error) => {
      console.error(`cannot start ${command}: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (code) => {
      if (child.pid !== undefined) groups.delete(child.pid);
      resolve(code ?? 1);
    });
  });
}

export type Leftover = { readonly pid: number; readonly command: string };

/** Processes of a step that are still there some seconds after it has ended. Only Linux tells. */
export async function leftovers(): Promise<Leftover[]> {
  for (let attempt = 0; attempt < 20; attempt++) {
    if (marked().length === 0) return [];
    await sleep(250);
  }
  return marked();
}

export function kill(pid: number): void {
  signal(pid, 'SIGKILL');
}

/** Ends what runs, first politely; for SIGINT and SIGTERM. */
export async function endEverything(): Promise<void> {
  for (const group of groups) signal(-group, 'SIGTERM');
  for (let attempt = 0; attempt < 20 && (groups.size > 0 || marked().length > 0); attempt++) await sleep(250);
  for (const group of groups) signal(-group, 'SIGKILL');
  for (const { pid } of marked()) kill(pid);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function marked(): Leftover[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const environment = contentOf(`/proc/${pid}/environ`).split('\0');
      const command = contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      // A process without a command line has ended and waits for its parent to notice.
      return environment.includes(mark) && command !== '' ? [{ pid: Number(pid), command }] : [];
    });
}

/** Empty for a process of somebody else, or one that has just ended. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
