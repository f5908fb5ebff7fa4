/** One process in time: a pid is reused, a pid with the moment of its start is not, within one boot. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Start time in clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTicks: number;
  readonly bootId: string;
};

/** What is on disk about one instance. It is removed only when no process of the instance is left. */
export type InstanceRecord = {
  readonly index: number;
  /** In the environment of the instance's processes, new for each start. */
  readonly token: string;
  /** Hash of command and files at the start; null where it was not asked for or could not be read. */
  readonly build: string | null;
  readonly startedAtMs: number;
  readonly restarts: number;
  /** Ends by itself in a row, each within a minute of its start. */
  readonly streak: number;
  /** What Drover last had to say about it. */
  readonly note: string | null;
  readonly phase: Phase;
};

/**
 * waiting → claimed → running → stopping → (removed)
 *    ↑__________________|           |
 *    |______________________________|   wanted again after SIGTERM: once it is gone, it is started anew
 *
 * `claimed`: the launcher is being started (no process yet), or waits at its gate until its process is on disk. It ends when
 * the controller that claimed it does, so that whoever finds a claim either finds the service running or may start it.
 */
export type Phase =
  | {
      readonly kind: 'waiting';
      readonly startAfterMs: number;
      readonly restart: boolean;
      /** The last start did not happen: whatever is in its log was written by a process of an earlier one. */
      readonly startFailed?: true;
    }
  | { readonly kind: 'claimed'; readonly restart: boolean; readonly process: ProcessIdentity | null }
  | { readonly kind: 'running'; readonly process: ProcessIdentity }
  | {
      readonly kind: 'stopping';
      readonly process: ProcessIdentity;
      readonly sinceMs: number;
      readonly termAtMs: number | null;
    };

/**
 * `at-gate`: a launcher that has not become the service. `leftovers`: the process is gone and others that it started are not. `unsure`: a process with its pid and start time does
 * not show the token (some programs overwrite their environment), so it is neither signalled nor replaced.
 */
export type Fact = 'alive' | 'at-gate' | 'gone' | 'leftovers' | 'unsure';

export type Surroundings = {
  readonly fact: Fact;
  /** How it ended, for the note. */
  readonly ending: string;
  readonly wanted: boolean;
  readonly nowMs: number;
  readonly drainMs: number;
  readonly stopMsMax: number;
};

export type Step =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'start' }
  | { readonly kind: 'save'; readonly record: InstanceRecord }
  | { readonly kind: 'signal'; readonly signal: 'SIGTERM' | 'SIGKILL'; readonly record: InstanceRecord }
  | { readonly kind: 'remove' };

const stableMs = 60_000;
const delayMsMin = 500;
const delayMsMax = 30_000;
const crashLoopStreak = 3;
const nothing: Step = { kind: 'nothing' };

/** What to do next about one instance. Called again after every step, until the answer is `nothing`. */
export function nextStep(record: InstanceRecord, around: Surroundings): Step {
  switch (record.phase.kind) {
    case 'waiting':
      if (!around.wanted) return { kind: 'remove' };
      return isDue(record.phase.startAfterMs, around.nowMs) ? { kind: 'start' } : nothing;
    case 'claimed':
      return nextWhileClaimed(record, record.phase, around);
    case 'running':
      return nextWhileRunning(record, record.phase, around);
    case 'stopping':
      return nextWhileStopping(record, record.phase, around);
  }
}

export function processOf({ phase }: InstanceRecord): ProcessIdentity | null {
  return phase.kind === 'waiting' ? null : phase.process;
}

/** Ended by itself again and again, and not yet up for a minute since. */
export function isCrashLooping(record: InstanceRecord): boolean {
  return record.streak >= crashLoopStreak;
}

/** Waiting time before the start that follows the n-th quick end in a row. */
function restartDelayMs(streak: number): number {
  return Math.min(delayMsMax, delayMsMin * 2 ** Math.max(0, streak - 1));
}

/** The record of a service that was let run. */
export function afterStart(record: InstanceRecord, process: ProcessIdentity, restart: boolean): InstanceRecord {
  return { ...record, restarts: record.restarts + (restart ? 1 : 0), phase: { kind: 'running', process } };
}

/** The record after a start that did not happen: it waits longer each time, but nothing has ended, so it is no restart. */
export function afterFailedStart(
  record: InstanceRecord,
  restart: boolean,
  note: string,
  nowMs: number,
): InstanceRecord {
  const streak = record.streak + 1;
  const startAfterMs = nowMs + restartDelayMs(streak);
  const phase: Phase = { kind: 'waiting', startAfterMs, restart, startFailed: true };
  return { ...record, streak, note, phase };
}

/** Only after a takeover: the controller that starts an instance goes on to `running` in the same step. */
function nextWhileClaimed(record: InstanceRecord, phase: Phase & { kind: 'claimed' }, around: Surroundings): Step {
  const { restart, process } = phase;
  const again = save(record, { kind: 'waiting', startAfterMs: around.nowMs, restart });
  if (process === null) return again;
  switch (around.fact) {
    case 'at-gate':
    case 'unsure':
      return nothing;
    case 'leftovers':
      return { kind: 'signal', signal: 'SIGKILL', record };
    case 'gone':
      return again;
    case 'alive':
      return { kind: 'save', record: afterStart(record, process, restart) };
  }
}

function nextWhileRunning(record: InstanceRecord, phase: Phase & { kind: 'running' }, around: Surroundings): Step {
  const { fact, wanted, nowMs } = around;
  switch (fact) {
    case 'at-gate':
    case 'unsure':
      return nothing;
    case 'leftovers':
      return { kind: 'signal', signal: 'SIGKILL', record };
    case 'gone':
      return wanted ? { kind: 'save', record: afterEnd(record, around.ending, nowMs) } : { kind: 'remove' };
    case 'alive': {
      if (!wanted) return save(record, { kind: 'stopping', process: phase.process, sinceMs: nowMs, termAtMs: null });
      const stable = record.streak > 0 && nowMs - record.startedAtMs >= stableMs;
      return stable ? { kind: 'save', record: { ...record, streak: 0, note: null } } : nothing;
    }
  }
}

function nextWhileStopping(record: InstanceRecord, phase: Phase & { kind: 'stopping' }, around: Surroundings): Step {
  const { fact, wanted, nowMs } = around;
  const { sinceMs, termAtMs } = phase;
  if (Math.max(sinceMs, termAtMs ?? 0) > nowMs) {
    // The clock was set back: wait from now on, not until the old time comes again.
    const termMs = termAtMs === null ? null : Math.min(termAtMs, nowMs);
    return save(record, { ...phase, sinceMs: Math.min(sinceMs, nowMs), termAtMs: termMs });
  }
  switch (fact) {
    case 'at-gate':
    case 'unsure':
      return nothing;
    case 'gone':
      return wanted ? save(record, { kind: 'waiting', startAfterMs: nowMs, restart: false }) : { kind: 'remove' };
    case 'alive':
    case 'leftovers':
      if (termAtMs === null && wanted && fact === 'alive') {
        return save(record, { kind: 'running', process: phase.process });
      }
      if (termAtMs === null) {
        if (nowMs - sinceMs < around.drainMs) return nothing;
        return {
          kind: 'signal',
          signal: 'SIGTERM',
          record: { ...record, phase: { ...phase, termAtMs: nowMs } },
        };
      }
      if (nowMs - termAtMs < around.stopMsMax) return nothing;
      return { kind: 'signal', signal: 'SIGKILL', record };
  }
}

function afterEnd(record: InstanceRecord, ending: string, nowMs: number): InstanceRecord {
  const streak = nowMs - record.startedAtMs >= stableMs ? 1 : record.streak + 1;
  const delayMs = restartDelayMs(streak);
  return {
    ...record,
    streak,
    note: `${ending}; started again after ${delayMs / 1000} s`,
    phase: { kind: 'waiting', startAfterMs: nowMs + delayMs, restart: true },
  };
}

function save(record: InstanceRecord, phase: Phase): Step {
  return { kind: 'save', record: { ...record, phase } };
}

/** A start that lies further ahead than any delay was computed by a clock that has been set back since. */
function isDue(startAfterMs: number, nowMs: number): boolean {
  return startAfterMs <= nowMs || startAfterMs > nowMs + delayMsMax;
}
