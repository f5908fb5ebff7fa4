import type { RolloutEvent } from './events.ts';
import { handWords, outWords } from './hands.ts';
import type { Observation, OperatorRequest } from './observation.ts';
import type { RolloutState } from './state.ts';

export type HeldEvent = Extract<RolloutEvent, { readonly kind: 'held' }>;

/**
 * It is held for what is out, and whoever resumes hears that at once. What it was held for before stays in force: who held it has not
 * been answered. null: nothing is out.
 */
export function heldForOut(
  state: RolloutState,
  observation: Observation,
  asked: Extract<OperatorRequest, { kind: 'resume' }> | null,
): HeldEvent | null {
  const out = outWords(state, observation);
  if (out === null) return null;
  const hands = state.plan.backends.flatMap(({ id }) => handsThatStand(state, id).map((words) => `${words} at ${id}`));
  const also = hands.length === 0 ? '' : `, which writes anew what somebody has set: ${hands.join(', ')}`;
  const before = heldBefore(state);
  const word = asked === null ? '' : `; ${asked.by} asked to go on${asked.reason === null ? '' : `: ${asked.reason}`}`;
  return {
    kind: 'held',
    why: `somebody took ${out}, or a reload did; it is left so (set it ready there, then resume${also})${beforeWords(before)}${word}`,
    by: 'drover',
    ...(before === null ? {} : { before }),
  };
}

/** A hold for something else, which says as well what somebody has lowered or taken out: whoever answers for it has read of that. */
export function beside(
  state: RolloutState,
  observation: Observation,
  event: HeldEvent,
  lowered: HeldEvent | null,
): HeldEvent {
  const out = outWords(state, observation);
  const also = lowered?.why ?? (out === null ? null : `somebody took ${out}`);
  return also === null ? event : { ...event, why: `${event.why}. Besides, ${also}` };
}

/** A person's hold that nobody has answered; null: there is none. */
function heldBefore({ held }: RolloutState): { readonly why: string; readonly by: string } | null {
  if (held === null || held.by !== 'drover') return held && { why: held.why, by: held.by };
  return held.before ?? null;
}

function beforeWords(before: ReturnType<typeof heldBefore>): string {
  return before === null ? '' : `; held before by ${before.by}: ${before.why}`;
}

export function withBefore(state: RolloutState, event: HeldEvent): HeldEvent {
  const before = heldBefore(state);
  if (before === null) return event;
  return { ...event, why: event.why + beforeWords(before), before };
}

/** All but those that put a server aside, which stay so. */
function handsThatStand({ byHand }: RolloutState, backend: string): string[] {
  const set = Object.entries(byHand[backend] ?? {}).filter(([, { aside }]) => !aside);
  return set.map(([name, hand]) => handWords(name, hand));
}
