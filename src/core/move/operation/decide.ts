import { decideCopying } from './decide-copying.ts';
import { decideEnding } from './decide-ending.ts';
import { decidePreparing } from './decide-preparing.ts';
import { decideRebuilding } from './decide-rebuilding.ts';
import { type MoveDecision, nothing } from './decision.ts';
import type { MoveEvent } from './events.ts';
import type { MoveObservation, MoveRequest } from './observation.ts';
import { hasMoveEnded, isUnderWay, type MoveState, withEvent } from './state.ts';

/**
 * What to do now. Pure and total: everything it knows comes from the folded journal (`state`) and from the newest observation.
 * Effects follow from what is in the state, which is journalled already.
 */
export function decideMove(state: MoveState, observation: MoveObservation): MoveDecision {
  const asked = answersTo(state, observation);
  // What was asked for changes what is wanted, so it is journalled first, and nothing moves meanwhile that was to be held.
  if (asked.length > 0) return { ...nothing, events: asked, mover: restrained(state, asked), wakeAtMs: 0 };
  switch (state.stage.kind) {
    case 'preparing':
      return decidePreparing(state, observation);
    case 'copying':
      return decideCopying(state, observation);
    case 'rebuilding':
      return decideRebuilding(state, observation);
    case 'restoring':
    case 'removing':
      return decideEnding(state, observation);
    case 'copied':
    case 'aborted':
    case 'removed':
      return { ...nothing, isOver: true };
    default:
      return unreachable(state.stage);
  }
}

function restrained({ stage, rate, held }: MoveState, asked: readonly MoveEvent[]): MoveDecision['mover'] {
  if (stage.kind !== 'copying') return null;
  const isHeld = held !== null || asked.some(({ kind }) => stills.includes(kind));
  return { isHeld, rate };
}

/** What is asked for has nothing moving any more. */
const stills: readonly MoveEvent['kind'][] = ['copy-held', 'abort-asked', 'rebuild-asked'];

/** One after the other: what is asked for last is what counts. A controller begins before it does anything that was asked of it. */
function answersTo(given: MoveState, { requests, nowMs }: MoveObservation): MoveEvent[] {
  const begins = requests.filter(({ kind }) => kind === 'begin');
  const events: MoveEvent[] = [];
  let state = given;
  for (const request of [...begins, ...requests.filter(({ kind }) => kind !== 'begin')]) {
    const answer = answerTo(state, request);
    events.push(...answer);
    state = answer.reduce((before, event) => withEvent(before, event, nowMs), state);
  }
  return events;
}

function answerTo(state: MoveState, request: MoveRequest): MoveEvent[] {
  const { stage } = state;
  const canEnd = isUnderWay(state);
  switch (request.kind) {
    case 'begin':
      return stage.kind === 'copying' ? [{ kind: 'copying' }] : [];
    case 'hold': {
      const { by, why } = request;
      const isSame = state.held?.by === by && state.held.why === why;
      return canEnd && !isSame ? [{ kind: 'copy-held', by, why }] : [];
    }
    case 'resume':
      return state.held === null ? [] : [{ kind: 'copy-resumed', by: request.by, reason: request.reason }];
    case 'rate':
      return request.rate === state.rate ? [] : [{ kind: 'rate-changed', by: request.by, rate: request.rate }];
    case 'abort':
      return canEnd ? [{ kind: 'abort-asked', by: request.by, reason: request.reason }] : [];
    case 'rebuild': {
      const { kind: _, ...asked } = request;
      // Where there are no ids the name stands in their place, and two topics of a name cannot be told apart.
      const isOurs = state.targetIds[asked.topic] === asked.topicId && asked.topicId !== asked.topic;
      const canRebuild = stage.kind === 'preparing' || stage.kind === 'copying';
      return canRebuild && isOurs ? [{ kind: 'rebuild-asked', ...asked }] : [];
    }
    case 'back': {
      const removal = { kind: 'removal-asked', by: request.by, reason: request.reason } as const;
      if (canEnd) return [{ kind: 'abort-asked', by: request.by, reason: request.reason }, removal];
      if (hasMoveEnded(state) && stage.kind !== 'removed') return [removal];
      return stage.kind === 'restoring' && state.removal === null ? [removal] : [];
    }
    default:
      return unreachable(request);
  }
}

function unreachable(value: never): never {
  throw new Error(`no decision for ${JSON.stringify(value)}`);
}
