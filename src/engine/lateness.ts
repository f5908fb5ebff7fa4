import type { Observation } from '../core/rollout/observation.ts';
import { groupsRead, type Patience } from './observe.ts';

/** When each thing that is read was last waited for in full and in vain; absent: it answered when it was last asked. */
export type Lateness = Readonly<Record<string, number>>;

/** What does not answer is waited for in full this often, and for a moment in every pass between. */
const fullEveryMs = 10_000;

/**
 * How long the next pass waits. Whatever hangs would otherwise hold up the judge at all the others, pass after pass. Whoever
 * takes longer than that moment to answer, and not longer than a call may, is heard again when it is waited for in full.
 */
export function patienceWith(lateness: Lateness, nowMs: number, msMax: number, momentMs: number): Patience {
  const late = Object.keys(lateness).filter((what) => nowMs - (lateness[what] ?? nowMs) < fullEveryMs);
  return { msMax, late: new Set(late), lateMsMax: Math.min(momentMs, msMax) };
}

/** After a pass that began at `beganMs` and waited like this. */
export function latenessAfter(
  before: Lateness,
  observation: Pick<Observation, 'backends' | 'origin' | 'destination'>,
  patience: Patience,
  beganMs: number,
): Lateness {
  const readings = {
    ...observation.backends,
    [groupsRead.origin]: observation.origin,
    [groupsRead.destination]: observation.destination,
  };
  const next: Record<string, number> = {};
  for (const [what, { atMs, reading }] of Object.entries(readings)) {
    if (reading.known) continue;
    const since = before[what];
    // What says at once that it cannot be reached holds nobody up.
    if (patience.late.has(what) && since !== undefined) next[what] = since;
    else if (atMs - beganMs >= patience.lateMsMax) next[what] = atMs;
  }
  return next;
}
