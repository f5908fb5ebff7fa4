import { type CrashPoint, crashPoints } from './calls.ts';
import { crashKey, type StateLabel, stateLabels } from './coverage.ts';
import { worldsByPair } from './pairs.ts';
import type { Random } from './random.ts';

/** The table of `pairs.ts` was counted over so many worlds. */
export const worldsCounted = 5000;
/** Deaths that each pair is to get in so many worlds, if enough of them come through it. */
const deathsWanted = 150;
/** Part of the worlds in which controllers die at all: those with faults, and among them those with this one. */
const deadlyPart = 0.875 * 0.8;
/** What follows after a pair, however rare it is, is come to as well: who dies before a marker is written never writes it. */
const chanceMax = 0.5;

/**
 * Every state times every point, each with the chance that a world plans a death there. What few worlds come through is planned
 * in most, what none came through when the table was counted too: should a change of the engine bring it about, somebody dies.
 */
const chances: readonly (readonly [key: string, chance: number])[] = (['not started', ...stateLabels] as const).flatMap(
  (label) => crashPoints.map((point) => [crashKey(label, point), chanceOf(crashKey(label, point))] as const),
);

function chanceOf(key: string): number {
  return Math.min(chanceMax, deathsWanted / (deadlyPart * (worldsByPair[key] ?? 0)));
}

/** Above this chance a pair is so rare that nobody waits for a second time. */
const rareFrom = 0.2;

/** A controller dies when controllers come through the pair for the `visit`-th time, counted over all of them from 1. */
export type Death = { readonly pair: string; readonly visit: number };

/** The deaths that a world has in store at chosen pairs, so that rare ones come about. */
export function drawDeaths(random: Random): Death[] {
  return chances.flatMap(([pair, chance]) => {
    if (!random.chance(chance)) return [];
    let visit = 1;
    while (chance < rareFrom && random.chance(0.5)) visit++;
    return [{ pair, visit }];
  });
}

/** The deaths of a world: those in store, and others at any time. */
export class Crashes {
  /** Points that are left until a death that was announced; null: none is. */
  #left: number | null = null;
  /** By pair: how often it was come through, and at which times somebody dies there. */
  readonly #planned = new Map<string, { visits: number; readonly deadly: Set<number> }>();
  readonly #random: Random;

  constructor(random: Random, deaths: readonly Death[]) {
    this.#random = random;
    for (const { pair, visit } of deaths) {
      const planned = this.#planned.get(pair) ?? { visits: 0, deadly: new Set() };
      planned.deadly.add(visit);
      this.#planned.set(pair, planned);
    }
  }

  /** A controller dies a few points from here. */
  doom(): void {
    this.#left = this.#random.integer(0, 12);
  }

  strikes(label: StateLabel, point: CrashPoint): boolean {
    const planned = this.#planned.size === 0 ? undefined : this.#planned.get(crashKey(label, point));
    const isDue = planned?.deadly.has(++planned.visits) === true;
    if (this.#left === null || this.#left-- > 0) return isDue;
    this.#left = null;
    return true;
  }

  stop(): void {
    this.#left = null;
    this.#planned.clear();
  }
}
