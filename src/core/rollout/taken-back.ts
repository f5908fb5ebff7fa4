import type { RolloutEvent } from './events.ts';
import type { RolloutState } from './state.ts';

/** Builds of the destination that were taken back, each with the last rollout that did: ROLLOUT.md §4 asks for a reason to try one again. */
export type TakenBack = Readonly<Record<string, string>>;
export type Blamed = { readonly build: string; readonly operation: string };

/** Builds that run beside each other are told as one, joined with `+`: one of them that was taken back is enough. */
export function blamedIn(takenBack: TakenBack, build: string): Blamed | null {
  for (const one of partsOf(build)) {
    const operation = takenBack[one];
    if (operation !== undefined) return { build: one, operation };
  }
  return null;
}

/** Without what somebody gave a reason for. A build that nobody knew then may have been any. */
export function withReasonFor(takenBack: TakenBack, build: string): TakenBack {
  if (build === 'unknown') return {};
  const answered = partsOf(build);
  return Object.fromEntries(Object.entries(takenBack).filter(([one]) => !answered.includes(one)));
}

/** The build at the destination that nobody may go on with before a reason is given; null: there is none. */
export function unexplained({ takenBack, builds }: RolloutState): Blamed | null {
  return blamedIn(takenBack, builds.destination);
}

/** It came in by a deployment: where it is stays as it is, and the judge watches it. */
export function triedAgain(state: RolloutState): RolloutEvent[] {
  const blamed = state.held === null ? unexplained(state) : null;
  if (blamed === null) return [];
  const { build, operation } = blamed;
  const why = `build ${build}, which runs at the destination, was taken back in ${operation} (\`drover why ${operation}\` tells why): deploy another one, or say why it is tried again with \`drover resume --reason\``;
  return [{ kind: 'held', why, by: 'drover' }];
}

function partsOf(build: string): string[] {
  return [build, ...build.split('+')];
}
