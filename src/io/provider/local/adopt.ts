import { type InstanceRecord, processOf } from './lifecycle.ts';
import { tokenIndex } from './paths.ts';
import { bootId, findByToken, type MarkedProcess, signalFound } from './processes.ts';
import { readStored, removeTemporaries, saveInstance, saveWanted, type Wanted } from './records.ts';
import type { Setup } from './setup.ts';

/**
 * What a controller takes over: the records on disk, and processes with a token of this group that no record names. Only
 * for the holder of the group's lock. Throws PortError before anything is changed or signalled.
 */
export async function adopt(
  setup: Setup,
): Promise<{ readonly wanted: Wanted; readonly records: readonly InstanceRecord[] }> {
  const { paths, clock } = setup;
  const stored = await readStored(paths);
  const wanted = followDeclared(stored.wanted, setup);
  await removeTemporaries(paths);
  await saveWanted(paths, wanted);
  const records = new Map(stored.records.map((record) => [record.index, afterBoot(record, clock.now())]));
  for (const [index, found] of unrecorded(setup, stored.records)) {
    const leader = found.find((one) => one.session === one.pid);
    if (leader !== undefined && !records.has(index)) {
      const adopted = adoptedRecord(index, leader, clock.now());
      await saveInstance(paths, adopted);
      records.set(index, adopted);
    } else {
      // Doubles of a recorded instance, or what is left of one, from a start whose record was lost.
      for (const one of found) signalFound(one, 'SIGKILL');
    }
  }
  return { wanted, records: [...records.values()] };
}

/** What is wanted before anything was: the declared minimum. */
export function followDeclared(stored: Wanted | null, setup: Pick<Setup, 'size'>): Wanted {
  const { min } = setup.size;
  if (stored === null) return { min, desired: min, declaredMin: min };
  // A minimum that nobody moved follows the configuration; one that was moved stays.
  const kept = stored.min === stored.declaredMin ? min : stored.min;
  return { min: kept, desired: Math.max(stored.desired, kept), declaredMin: min };
}

/** A process of an earlier boot is gone, but did not end by itself. */
function afterBoot(record: InstanceRecord, nowMs: number): InstanceRecord {
  const process = processOf(record);
  if (process === null || process.bootId === bootId()) return record;
  return { ...record, phase: { kind: 'waiting', startAfterMs: nowMs, restart: false } };
}

/** By index, the oldest process of each first. */
function unrecorded(setup: Setup, records: readonly InstanceRecord[]): Map<number, MarkedProcess[]> {
  const tokens = new Set(records.map((record) => record.token));
  const found = new Map<number, MarkedProcess[]>();
  for (const one of findByToken(setup.paths.tokenPrefix)) {
    const index = tokenIndex(setup.paths, one.token);
    if (index === null || tokens.has(one.token)) continue;
    const sameStart = found.get(index)?.[0]?.token === one.token || !found.has(index);
    if (sameStart) found.set(index, [...(found.get(index) ?? []), one]);
    else signalFound(one, 'SIGKILL');
  }
  return found;
}

function adoptedRecord(index: number, leader: MarkedProcess, nowMs: number): InstanceRecord {
  return {
    index,
    token: leader.token,
    build: null,
    startedAtMs: nowMs,
    restarts: 0,
    streak: 0,
    note: 'found running without a record, and taken over',
    phase: { kind: 'running', process: { pid: leader.pid, startTicks: leader.startTicks, bootId: bootId() } },
  };
}
