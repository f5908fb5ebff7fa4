import type { OperatorRequest } from '../../core/rollout/observation.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { stillStanding } from '../../core/rollout/status.ts';
import type { Glance, OperationEnd } from '../../engine/operation.ts';
import type { Inbox } from '../../engine/operation-ports.ts';
import { openReception } from './reception.ts';
import type { Signals } from './signals.ts';

/** Decides when a controller ends, and that nothing which it has accepted until then is lost. */
export type Ending = {
  /** Throws once nothing is taken any more. */
  accept(request: OperatorRequest): void;
  /** After every pass. */
  look(glance: Glance): void;
  last(): Glance | null;
  /** Runs the loop until it ends or is to stop, and again where a way back came in too late for its last pass. */
  run(loop: (stop: AbortSignal) => Promise<OperationEnd>): Promise<OperationEnd['end']>;
  shut(): void;
};

/** Passes in which the journal took nothing, before a controller that was asked to end does so without an entry. */
const unwrittenPasses = 3;

/** `until`: ends it, as a signal would, as soon as a pass has shown this. */
export function openEnding(
  { operation, user }: { readonly operation: string; readonly user: string },
  inbox: Inbox,
  signals: Signals,
  until: (glance: Glance) => boolean,
): Ending {
  const reception = openReception(operation, inbox);
  let stop = new AbortController();
  let isInsisted = false;
  let unwritten = 0;
  let last: Glance | null = null;
  /** What the signal asks of the loop. It is written once a pass has had it and the next one has not. */
  let farewell: OperatorRequest | null = null;
  let isTaken = false;
  signals.onAsked((name, count) => {
    // Nothing to hold on the way back or when the journal does not take it: the second signal ends at once.
    isInsisted = count > 1;
    if (isInsisted) return stop.abort();
    farewell = { kind: 'hold', by: user, why: `the controller was asked to end (${name})` };
    inbox.push(farewell);
  });
  return {
    accept: reception.accept,
    look(next) {
      last = next;
      unwritten = next.trouble === null ? 0 : unwritten + 1;
      const { state, observation } = next;
      const hasIt = farewell !== null && observation.requests.includes(farewell);
      const isWritten = state.held !== null && ((isTaken && !hasIt) || !observation.leased);
      isTaken ||= hasIt;
      // A journal that takes nothing holds the share too: nothing proceeds without it.
      const isHeld = isWritten || state.back !== null || unwritten >= unwrittenPasses;
      const isEnough = until(next) || (signals.asked() !== null && isHeld);
      // The first commands of a way back are sent after this: what came of them is looked at, and told.
      if (isEnough && !isFirstCut(next)) stop.abort();
    },
    last: () => last,
    async run(loop) {
      let { end } = await loop(stop.signal);
      while (!isInsisted && !reception.close()) {
        stop = new AbortController();
        ({ end } = await loop(stop.signal));
      }
      reception.shut();
      return end;
    },
    shut() {
      reception.shut();
      signals.onAsked(() => undefined);
    },
  };
}

/** What of the destination carried traffic, or could not be read, when it was last looked at. */
export function standingOf(glance: Glance | null): readonly string[] {
  return glance === null ? [] : stillStanding(glance.state, glance.observation);
}

/** The same at the end: a controller that was not let to look again after the first commands does not know. */
export function standingAtEnd(last: Glance | null): readonly string[] {
  if (last === null || !isFirstCut(last)) return standingOf(last);
  return last.state.plan.backends.map(({ id }) => `${id} has not been read since the way back was sent to it`);
}

/** The way back was taken, whether the journal knows it or not. */
export function isBack(state: RolloutState, last: Glance | null): boolean {
  return state.back !== null || (last !== null && (goesBack(last) || isMarked(last)));
}

/** It was taken without this controller, which cannot write that down. */
function isMarked({ observation: { marker } }: Glance): boolean {
  return marker.known && marker.value !== null;
}

/** Its reading is from before the first command of the way back. */
function isFirstCut(glance: Glance): boolean {
  return glance.state.back === null && glance.watch.performed === null && goesBack(glance);
}

function goesBack({ decision }: Glance): boolean {
  return decision.events.some(({ kind }) => kind === 'back-performed');
}
