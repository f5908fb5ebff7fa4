import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { PortError } from '../../../engine/ports.ts';
import type { ProcessIdentity } from './lifecycle.ts';
import { listeningInodes, type ProcessStat, parseProcessStat, parseUptime, variableIn } from './proc.ts';

/** The environment variable that marks a process as Drover's, and says whose. */
export const tokenVariable = 'DROVER_TOKEN';

export type FoundProcess = ProcessStat & {
  readonly pid: number;
  /** null: no token, or an environment that this user may not read. */
  readonly token: string | null;
};

export type MarkedProcess = FoundProcess & { readonly token: string };

/** Identity of a living process of this machine; null: there is none with this pid. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** Whether the recorded process still lives. `unsure`: one with its pid and start time does, without the token. */
export function lookUp(identity: ProcessIdentity, token: string): 'alive' | 'gone' | 'unsure' {
  if (identity.bootId !== bootId()) return 'gone';
  const stat = readStat(identity.pid);
  if (stat === null || stat.startTicks !== identity.startTicks) return 'gone';
  return tokenOf(identity.pid) === token ? 'alive' : 'unsure';
}

/** Changes with every boot of the machine. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Every living process whose token starts with the prefix, oldest first. */
export function findByToken(prefix: string): MarkedProcess[] {
  return findProcesses().filter((found): found is MarkedProcess => found.token?.startsWith(prefix) === true);
}

/**
 * What an instance's process left behind when it ended: whoever carries its token, and whoever is in its session and was
 * already there when the process was last seen alive (its pid may have been given to a stranger since, who leads a session
 * of the same number). `aliveAtTicks` null: not seen alive by this controller, only the token counts.
 */
export function findLeftovers(leader: ProcessIdentity, token: string, aliveAtTicks: number | null): FoundProcess[] {
  return findProcesses().filter((found) => {
    const wasThere = aliveAtTicks !== null && found.session === leader.pid && found.startTicks <= aliveAtTicks;
    return found.token === token || wasThere;
  });
}

/** The present moment in the unit of `startTicks`; Linux tells user space 100 ticks per second on every architecture that Node runs on. */
export function ticksNow(): number {
  return parseUptime(readFileSync('/proc/uptime', 'utf8'));
}

/**
 * Signals the process group of a leader that was just looked up (or is an unreaped child), or does nothing if it has ended.
 * The look-up and the signal have to stay in one synchronous stretch.
 */
export function signalGroup(leaderPid: number, signal: NodeJS.Signals): void {
  send(-leaderPid, signal);
}

/** Signals one process if it still is the one that was found. */
export function signalFound(found: FoundProcess, signal: NodeJS.Signals): void {
  if (readStat(found.pid)?.startTicks === found.startTicks) send(found.pid, signal);
}

/** Empty for a process that has ended. */
export function commandLine(pid: number): readonly string[] {
  return readIfThere(`/proc/${pid}/cmdline`)?.split('\0') ?? [];
}

/** Whether anything listens on the TCP port on this machine, and which process if that can be seen. */
export function findListener(port: number): { readonly pid: number | null } | null {
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    listeningInodes(readIfThere(table) ?? '', port),
  );
  if (inodes.length === 0) return null;
  const targets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && hasOpen(entry, targets)) return { pid: Number(entry) };
  }
  return { pid: null };
}

/** Throws where there is no /proc to identify processes by. */
export function requireProc(): void {
  if (readIfThere('/proc/self/stat') !== null) return;
  const message = `The local provider identifies processes by /proc, which this system (${process.platform}) does not have: use Linux, or provider "none".`;
  throw new PortError('refused', message, { retriable: false });
}

function findProcesses(): FoundProcess[] {
  const found: FoundProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const stat = Number.isInteger(pid) && pid !== process.pid ? readStat(pid) : null;
    if (stat !== null) found.push({ pid, ...stat, token: tokenOf(pid) });
  }
  return found.sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    // Ended in between: what the signal was for has happened. EPERM shows as a process that stays.
    if (!hasCode(error, 'ESRCH') && !hasCode(error, 'EPERM')) throw error;
  }
}

/** null: there is none with this pid that lives. */
function readStat(pid: number): ProcessStat | null {
  const text = readIfThere(`/proc/${pid}/stat`);
  // A process that ends while its file is read leaves it empty.
  return text === null || text === '' ? null : parseProcessStat(text);
}

/** null: no token, or an environment that this user may not read. */
export function tokenOf(pid: number): string | null {
  const text = readIfThere(`/proc/${pid}/environ`);
  return text === null ? null : variableIn(text, tokenVariable);
}

function hasOpen(pid: string, targets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) =>
      targets.has(linkTarget(`/proc/${pid}/fd/${descriptor}`)),
    );
  } catch (error) {
    if (isOutOfSight(error)) return false;
    throw error;
  }
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isOutOfSight(error)) return '';
    throw error;
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isOutOfSight(error)) return null;
    throw error;
  }
}

/** The process ended while it was looked at, or belongs to somebody else. */
function isOutOfSight(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].some((code) => hasCode(error, code));
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
