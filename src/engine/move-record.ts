import { type MoveEvent, moveRules } from '../core/move/operation/events.ts';
import { foldMove, type MoveState } from '../core/move/operation/state.ts';
import { openChain } from './chain.ts';
import { openDeadline } from './deadline.ts';
import { keepLease } from './lease.ts';
import type { MovePorts } from './move-ports.ts';

/**
 * Writes down what an operator asks of a copy that has no controller, so that the next one finds it. Moves nothing. `leased`:
 * somebody has the lease and keeps it.
 */
export async function recordMove(
  ports: Omit<MovePorts, 'target' | 'acls' | 'mover' | 'tell'>,
  operation: string,
  actor: string,
  eventsFor: (state: MoveState) => readonly MoveEvent[],
): Promise<'written' | 'leased'> {
  const { clock, timing, journal, sha256 } = ports;
  const lease = keepLease(ports, operation, 'settled');
  const chain = openChain(journal, operation, sha256);
  // A lease that nobody renews is over after its length, and what it allowed after another call's.
  const deadline = openDeadline(clock, timing.leaseMs + 2 * timing.callMs, []);
  try {
    let state: MoveState | null = null;
    while (!deadline.signal.aborted) {
      await lease.keep(deadline.signal);
      if (lease.isHeld()) {
        for (const entry of await chain.catchUp(deadline.signal)) state = foldMove(state, entry);
        const events = state === null ? [] : eventsFor(state);
        if (events.length === 0) return 'written';
        const drafts = events.map((body) => ({ body, actor, atMs: clock.now(), rules: moveRules }));
        if ((await chain.append(drafts, deadline.signal)) !== 'conflict') return 'written';
        lease.doubt();
      }
      await clock.sleep(timing.pollMs / 2, deadline.signal);
    }
    return 'leased';
  } finally {
    deadline.close();
    await lease.release();
  }
}
