import type { Effect } from '../core/rollout/decision.ts';
import type { Outcomes } from './perform.ts';

/** What the world refuses at the moment: by what it concerns (a backend's id, or the side of a group), the last error. */
export type Troubles = Readonly<Record<string, string>>;

/**
 * The troubles after a pass. `pending` is everything that is still to be done: what is not in it has been read back as
 * wanted, so that whatever was said about it is over. What was not tried this time stays as it was.
 */
export function troublesAfter(before: Troubles, pending: readonly Effect[], outcomes: Outcomes): Troubles {
  const after: Record<string, string> = {};
  for (const key of pending.flatMap(concernsOf)) {
    const failure = key in outcomes ? outcomes[key] : before[key];
    if (failure != null) after[key] = failure;
  }
  return after;
}

/** One sentence each, the same as long as the trouble is. */
export function troubleLines(troubles: Troubles): string[] {
  return Object.entries(troubles).map(([key, why]) =>
    key === 'origin' || key === 'destination'
      ? `the size of the ${key} cannot be set: ${why}`
      : `${key} does not take what is written: ${why}`,
  );
}

function concernsOf(effect: Effect): string[] {
  switch (effect.kind) {
    case 'traffic':
      return [effect.backend];
    case 'resize':
      return [effect.side];
    case 'drill':
      return effect.servers.map(({ backend }) => backend);
    default:
      return unreachable(effect);
  }
}

function unreachable(effect: never): never {
  throw new Error(`no concern of ${JSON.stringify(effect)}`);
}
