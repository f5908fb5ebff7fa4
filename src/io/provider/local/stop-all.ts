import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlLock, takeControlLock } from './control-lock.ts';
import { groupOfFolder, groupPaths, localDirectory, resolveDirectory, storePrefix } from './paths.ts';
import { findByToken, signalFound } from './processes.ts';
import { translated } from './records.ts';

export type StopAllResult = {
  /** Processes that were signalled. */
  readonly stopped: number;
  /** Processes that are left: not even SIGKILL ended them, or a controller goes on starting them. */
  readonly left: readonly number[];
  /** Groups that a living controller holds: it may start them again. */
  readonly heldGroups: readonly string[];
};

/** Between SIGTERM and SIGKILL. */
export const stopMsMax = 5_000;
const pollMs = 20;
const killMsMax = 5_000;

/**
 * Stops every process that carries a token of this state directory: SIGTERM, and SIGKILL for what is left after
 * `graceMs`. Forgets the groups that no controller holds, with their wanted sizes, so that nothing comes back. `only`: of
 * these groups; null: of all, also of those whose files are gone.
 */
export async function stopAll(
  stateDirectory: string,
  graceMs = stopMsMax,
  only: readonly string[] | null = null,
): Promise<StopAllResult> {
  const directory = resolveDirectory(stateDirectory);
  const names = (await groupNames(directory)).filter((name) => only === null || only.includes(name));
  const prefixes = only?.map((name) => groupPaths(directory, name).tokenPrefix) ?? [storePrefix(directory)];
  const locks = new Map<string, ControlLock>();
  for (const name of names) {
    const taken = await takeControlLock(groupPaths(directory, name));
    if (taken.held) locks.set(name, taken.lock);
  }
  try {
    const ended = await endProcesses(prefixes, graceMs);
    for (const name of locks.keys()) {
      if (ended.left.length === 0) await rm(groupPaths(directory, name).directory, { recursive: true, force: true });
    }
    return { ...ended, heldGroups: names.filter((name) => !locks.has(name)) };
  } finally {
    for (const lock of locks.values()) await lock.release();
  }
}

async function endProcesses(
  prefixes: readonly string[],
  graceMs: number,
): Promise<Pick<StopAllResult, 'stopped' | 'left'>> {
  const startedMs = performance.now();
  const signalledMs = new Map<string, number>();
  for (;;) {
    const found = prefixes.flatMap(findByToken);
    const nowMs = performance.now();
    const givenUp = nowMs - startedMs > graceMs + killMsMax;
    if (found.length === 0 || givenUp) return { stopped: signalledMs.size, left: found.map((one) => one.pid) };
    for (const one of found) {
      const key = `${one.pid}/${one.startTicks}`;
      const sinceMs = signalledMs.get(key);
      if (sinceMs === undefined) signalledMs.set(key, nowMs);
      if (sinceMs === undefined) signalFound(one, 'SIGTERM');
      else if (nowMs - sinceMs >= graceMs) signalFound(one, 'SIGKILL');
    }
    await sleep(pollMs);
  }
}

async function groupNames(directory: string): Promise<string[]> {
  const local = localDirectory(directory);
  if (!existsSync(local)) return [];
  const entries = await translated(local, () => readdir(local));
  return entries.map(groupOfFolder).filter((name) => name !== null);
}
