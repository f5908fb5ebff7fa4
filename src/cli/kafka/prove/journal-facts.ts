import type { Entry } from '../../../core/journal/entry.ts';
import type { MoveEvent } from '../../../core/move/operation/events.ts';
import type { MoveState } from '../../../core/move/operation/state.ts';
import type { JournalFacts } from './result.ts';

/** What the chain of a copy tells beside figures: who stopped it, what was lost and what ended by itself. */
export function journalFacts(state: MoveState, entries: readonly Entry[]): JournalFacts {
  const events = entries.map(({ body, atMs }) => ({ event: body as MoveEvent, atMs }));
  const count = (kind: MoveEvent['kind']) => events.filter(({ event }) => event.kind === kind).length;
  const holds = events.flatMap(({ event, atMs }) =>
    event.kind === 'copy-held' ? [{ atMs, by: event.by, why: event.why }] : [],
  );
  return {
    controllers: count('copying'),
    moverFailures: count('mover-failed'),
    holds,
    lost: state.lost.map(placed),
    unproven: state.unproven.map(placed),
    stopped: Object.values(state.stopped).map(({ topic, partition, why }) => ({ topic, partition, why })),
    leversLeft: state.leversLeft,
  };
}

type Placed = MoveState['lost'][number] | MoveState['unproven'][number];

function placed({ topic, partition, from, to }: Placed) {
  return { topic, partition, from, to };
}
