import type { Reading } from '../observed/reading.ts';
import type { Builds, RolloutEvent } from './events.ts';
import type { RolloutState } from './state.ts';

/** Builds of the destination that were taken back, each with the last rollout that did: ROLLOUT.md §4 asks for a reason to try one again. */
export type TakenBack = Readonly<Record<string, string>>;
export type Blamed = { readonly build: string; readonly operation: string };

/** One that was taken back is enough, whatever runs beside it. */
export function blamedIn(takenBack: TakenBack, build: string): Blamed | null {
  for (const one of partsOf(build)) {
    const operation = Object.hasOwn(takenBack, one) ? takenBack[one] : undefined;
    if (operation !== undefined) return { build: one, operation };
  }
  return null;
}

/** Without what somebody gave a reason for. */
export function withReasonFor(takenBack: TakenBack, build: string): TakenBack {
  const answered = partsOf(build);
  return Object.fromEntries(Object.entries(takenBack).filter(([one]) => !answered.includes(one)));
}

/** Builds that run beside each other are told as one, joined with ` + `. */
export function partsOf(build: string): readonly string[] {
  return build.split(' + ');
}

/** The build at the destination that nobody may go on with before a reason is given; null: there is none. `builds`: as they are now. */
export function unexplained({ takenBack, builds }: RolloutState, now: Reading<Builds> | null = null): Blamed | null {
  return blamedIn(takenBack, now?.known ? now.value.destination : builds.destination);
}

/**
 * It came in by a deployment: where it is stays as it is, and the judge watches it. When it has gone again somebody says so: its
 * instances may only be unwell for a moment, and whoever lowered something meanwhile knows why.
 */
export function triedAgain(state: RolloutState): RolloutEvent[] {
  const { held } = state;
  const blamed = unexplained(state);
  if (held === null) return blamed === null ? [] : [heldFor(blamed)];
  if (held.blamed === undefined || held.blamed.build === blamed?.build) return [];
  if (blamed !== null) return [heldFor(blamed)];
  const { build, operation } = held.blamed;
  const why = `build ${build} was taken back in ${operation}, and does not run at the destination any more: \`drover resume\` goes on with what does`;
  return [{ kind: 'held', why, by: 'drover' }];
}

export function heldFor(blamed: Blamed): Extract<RolloutEvent, { readonly kind: 'held' }> {
  return {
    kind: 'held',
    why: `${blamedWords(blamed)}: deploy another one, or say why it is tried again with \`drover resume --reason\``,
    by: 'drover',
    blamed,
  };
}

export function blamedWords({ build, operation }: Blamed): string {
  return `build ${build}, which runs at the destination, was taken back in ${operation} (\`drover why ${operation}\` tells why)`;
}
