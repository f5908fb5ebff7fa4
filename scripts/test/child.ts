import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const checkout = join(import.meta.dirname, '..', '..');

const variable = 'DROVER_TEST_RUN';
/** Every process that is started here inherits it with the name of its step, so that those it leaves behind can be found. */
const mark = `${process.pid}-${process.hrtime.bigint()}/`;

export type Running = {
  /** Tells its processes from those of a step that runs beside it. */
  readonly step?: string;
  /** It gets what nobody else wants of the processors, and its output goes into this file. */
  readonly behind?: string;
};

/** The process groups that are running now. */
const groups = new Set<number>();

/**
 * Runs a command of `node_modules/.bin` (or `node`) in the checkout, with its output on this one's. Resolves with its exit
 * code; 1 when it could not be started or was killed.
 */
export function run(command: string, args: readonly string[], { step = '', behind }: Running = {}): Promise<number> {
  return new Promise((resolve) => {
    const path = [dirname(process.execPath), join(checkout, 'node_modules', '.bin'), process.env['PATH'] ?? ''];
    const output = behind === undefined ? 'inherit' : openSync(behind, 'w');
    const [program = command, ...rest] = behind === undefined ? [command, ...args] : ['nice', '-n19', command, ...args];
    const child = spawn(program, rest, {
      cwd: checkout,
      stdio: ['ignore', output, output],
      // A group of its own: a signal can then reach all of it, and reaches it only through endEverything.
      detached: true,
      env: { ...process.env, PATH: path.join(delimiter), [variable]: `${mark}${step}` },
    });
    if (output !== 'inherit') closeSync(output);
    if (child.pid !== undefined) groups.add(child.pid);
    if (child.pid !== undefined && behind !== undefined) yieldAsSession(child.pid);
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

/** Where Linux shares processors out between sessions first, the niceness of a process says nothing to those of another session. */
function yieldAsSession(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '19');
  } catch {
    // It does not, or the process has ended.
  }
}

export type Leftover = { readonly pid: number; readonly command: string };

/** Processes of a step that are still there some seconds after it has ended. Only Linux tells. */
export async function leftovers(step = ''): Promise<Leftover[]> {
  for (let attempt = 0; attempt < 20; attempt++) {
    if (marked(step).length === 0) return [];
    await sleep(250);
  }
  return marked(step);
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

/** Of all steps, where none is named. */
function marked(step?: string): Leftover[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const marks = contentOf(`/proc/${pid}/environ`)
        .split('\0')
        .filter((one) => one.startsWith(`${variable}=${mark}`));
      const command = contentOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      // A process without a command line has ended and waits for its parent to notice.
      const ours = step === undefined ? marks.length > 0 : marks.includes(`${variable}=${mark}${step}`);
      return ours && command !== '' ? [{ pid: Number(pid), command }] : [];
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
