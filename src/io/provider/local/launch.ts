import { type ChildProcess, spawn } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { ProcessIdentity } from './lifecycle.ts';
import { commandLine, identify, tokenVariable } from './processes.ts';

export type LaunchOptions = {
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly token: string;
  /** Standard output and error are appended to it. */
  readonly logFile: string;
};

/** A launcher that waits. `proceed` makes it become the command (same pid, same start time), `abandon` makes it end. */
export type Launched = {
  readonly identity: ProcessIdentity;
  readonly child: ChildProcess;
  proceed(): void;
  abandon(): void;
};

/** The operating system did not start it; the message is for people. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
}

/**
 * Waits for one line on descriptor 3 and becomes the command. If this process ends first, the descriptor closes and the
 * launcher ends too: no service ever runs whose process is not on disk.
 */
const gate = 'read -r go <&3 && [ "$go" = go ] && exec 3<&- && exec "$@"';

/** Starts a launcher in a session of its own. Throws LaunchError. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  await requireDirectory(options.workingDirectory);
  const log = await open(options.logFile, 'a', 0o600).catch((error) => {
    throw new LaunchError(`cannot write its output to ${options.logFile}: ${textOf(error)}`, { cause: error });
  });
  try {
    const child = await spawnGated(options, log.fd);
    const pipe = child.stdio[3];
    const identity = identify(child.pid ?? 0);
    if (identity === null || !(pipe instanceof Socket)) throw new LaunchError('its launcher ended at once');
    // A launcher that was killed meanwhile shows by its exit, not by its pipe.
    pipe.on('error', () => undefined);
    pipe.unref();
    child.unref();
    return { identity, child, proceed: () => pipe.end('go\n'), abandon: () => pipe.destroy() };
  } finally {
    await log.close();
  }
}

/** Whether the process is a launcher that has not become its command. */
export function isAtGate(pid: number): boolean {
  return commandLine(pid).includes(gate);
}

async function spawnGated(
  { command, workingDirectory, env, token }: LaunchOptions,
  log: number,
): Promise<ChildProcess> {
  // A shell drops variables whose names it could not assign to (`a.b`); env(1) passes them.
  const odd = Object.entries(env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name));
  const plain = Object.fromEntries(Object.entries(env).filter(([name]) => /^[A-Za-z_]\w*$/.test(name)));
  const prefix = odd.length === 0 ? [] : ['env', ...odd.map(([name, value]) => `${name}=${value ?? ''}`)];
  try {
    const child = spawn('/bin/sh', ['-c', gate, 'drover', ...prefix, ...command], {
      cwd: workingDirectory,
      env: { ...plain, [tokenVariable]: token },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    return child;
  } catch (error) {
    throw new LaunchError(`cannot be started: ${textOf(error)}`, { cause: error });
  }
}

async function requireDirectory(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() !== true) throw new LaunchError(`its working directory ${path} does not exist`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
