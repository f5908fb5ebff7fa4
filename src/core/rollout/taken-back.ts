import type { Reading } from '../observed/reading.ts';
import type { BackPerformed, Builds, RolloutEvent } from './events.ts';
import type { RolloutState } from './state.ts';

/** Builds of the destination that were taken back, each with the last rollout that did: ROLLOUT.md §4 asks for a reason to try one again. */
export type TakenBack = Readonly<Record<string, string>>;
export type Blamed = { readonly build: string; readonly operation: string };

/** Every one of them that was taken back, whatever runs beside it. */
export function blamedIn(takenBack: TakenBack, build: string): readonly Blamed[] {
  return partsOf(build).flatMap((one) => {
    const operation = Object.hasOwn(takenBack, one) ? takenBack[one] : undefined;
    return operation === undefined ? [] : [{ build: one, operation }];
  });
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

/** The builds at the destination that nobody may go on with before a reason is given. `now`: as they are now. */
export function unexplained(
  { takenBack, builds }: RolloutState,
  now: Reading<Builds> | null = null,
): readonly Blamed[] {
  return blamedIn(takenBack, now?.known ? now.value.destination : builds.destination);
}

/**
 * It came in by a deployment: where it is stays as it is, and the judge watches it. It is named also where something else holds already:
 * a reason that is given for that would excuse it. When it has gone again somebody says so: its instances may only be unwell for a
 * moment, and whoever lowered something meanwhile knows why. null: there is nothing new to say.
 */
export function triedAgain(state: RolloutState): Extract<RolloutEvent, { readonly kind: 'held' }> | null {
  const blamed = unexplained(state);
  const named = state.held?.blamed ?? [];
  if (sameBlamed(named, blamed)) return null;
  if (blamed.length > 0) return heldFor(blamed);
  const why = `${takenBackWords(named)}, and no such build runs at the destination any more: \`drover resume\` goes on with what does`;
  return { kind: 'held', why, by: 'drover', blamed: [] };
}

export function heldFor(blamed: readonly Blamed[]): Extract<RolloutEvent, { readonly kind: 'held' }> {
  return {
    kind: 'held',
    why: `${blamedWords(blamed)}: deploy another one, or say why it is tried again with \`drover resume --reason\``,
    by: 'drover',
    blamed,
  };
}

/** `build 9 was taken back in rollout-web-2 and build 10 in rollout-web-3, and …`: all of them, for a reason excuses all of them. */
export function blamedWords(blamed: readonly Blamed[]): string {
  const whys = [...new Set(blamed.map(({ operation }) => `\`drover why ${operation}\``))];
  const [runs, tell] = [blamed.length === 1 ? 'runs' : 'run', whys.length === 1 ? 'tells' : 'tell'];
  return `${takenBackWords(blamed)}, and ${runs} at the destination (${whys.join(' and ')} ${tell} why)`;
}

export function takenBackWords(blamed: readonly Blamed[]): string {
  return blamed
    .map(({ build, operation }, index) =>
      index === 0 ? `build ${build} was taken back in ${operation}` : `build ${build} in ${operation}`,
    )
    .join(' and ');
}

function sameBlamed(before: readonly Blamed[], now: readonly Blamed[]): boolean {
  return before.length === now.length && before.every(({ build }, index) => now[index]?.build === build);
}

/**
 * The builds that a way back takes: those that it was last journalled to run, and what was seen to run. After a completion nobody
 * follows what is deployed, so what was seen then is all of it.
 */
export function buildsTakenBack(state: RolloutState, { ran, cause }: BackPerformed): readonly string[] {
  const seen = ran ?? 'unknown';
  const isSeenOnly = state.stage.kind === 'completed' && cause.kind !== 'found' && seen !== 'unknown';
  const told = [
    ...(state.back?.builds ?? []),
    ...(isSeenOnly ? [] : partsOf(state.builds.destination)),
    ...partsOf(seen),
  ];
  // Where nothing had come up nobody knows which build was to run.
  return [...new Set(told)].filter((build) => build !== 'unknown');
}
