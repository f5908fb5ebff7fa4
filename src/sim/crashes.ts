import type { CrashPoint } from './calls.ts';
import { crashKey, type StateLabel, stateLabels } from './coverage.ts';
import type { Random } from './random.ts';

/** Points that every pass of a controller comes through, whatever the state. */
const everywhere: readonly CrashPoint[] = [
  'sleep',
  'lease.acquire',
  'backend.read',
  'group.read',
  'marker.read',
  'journal.append/before',
  'journal.append/after',
];
const weights: readonly CrashPoint[] = ['backend.setWeights/before', 'backend.setWeights/after'];
const states: readonly CrashPoint[] = ['backend.setStates/before', 'backend.setStates/after'];
const resize: readonly CrashPoint[] = ['group.resize/before', 'group.resize/after'];
const samples: readonly CrashPoint[] = ['samples.put/before', 'samples.put/after'];
/** Behind an operation's end: right after its last entry, and at the anchor of that. */
const append: readonly CrashPoint[] = ['journal.append/before', 'journal.append/after'];
const marker: readonly CrashPoint[] = ['marker.write/before', 'marker.write/after'];

/**
 * What else is under way when the journal says this. A way back is performed before it is journalled, so its first writes
 * belong to the state that it ends, which mostly is `judging`.
 *
 * The list of pairs is made by this rule: what every pass comes through (`everywhere`), and what that stage's own effects and
 * entries come through (here). Pairs that need a second fault at the same moment are left out: the samples of a checkpoint in a
 * stage that mostly is over before one is due, weights that somebody undid on the way back, a pass after the end. Runs come
 * across some of them, and nothing counts on it.
 */
const peculiar: Readonly<Record<(typeof stateLabels)[number], readonly CrashPoint[]>> = {
  preparing: resize,
  'drill-shifting': weights,
  'drill-back': [...states, 'backend.attempts'],
  'drill-restoring': [...weights, ...states],
  growing: [...resize, ...samples],
  shifting: weights,
  judging: [...weights, ...states, ...samples, ...marker],
  finishing: resize,
  held: [...resize, ...samples],
  cutting: [...weights, ...states],
  restoring: [...states, ...resize],
  'rolled-back': append,
  completed: append,
};

/** What takes two things at once, or is over in a moment: planned in most worlds that can have it. */
const rarest: readonly string[] = [...pairsOf('held', resize), ...pairsOf('drill-shifting', weights)];

/** What comes to pass in few worlds, mostly after another fault, is planned more often and never missed. */
const rare: readonly string[] = [
  ...rarest,
  ...pairsOf('preparing', resize),
  ...pairsOf('drill-back', [...states, ...everywhere]),
  ...pairsOf('drill-restoring', [...weights, ...states]),
  ...pairsOf('growing', [...resize, ...samples]),
  ...pairsOf('held', samples),
  ...pairsOf('judging', [...weights, ...states, ...marker]),
  ...pairsOf('finishing', [...resize, ...everywhere]),
  ...pairsOf('cutting', [...weights, ...states, ...everywhere]),
  ...pairsOf('restoring', [...states, ...resize, ...everywhere]),
  ...pairsOf('rolled-back', append),
  ...pairsOf('completed', append),
];

function pairsOf(label: (typeof stateLabels)[number], points: readonly CrashPoint[]): string[] {
  return points.map((point) => crashKey(label, point));
}

/** Every pair of a state and a point at which a controller can die in it. */
export function crashPairs(): string[] {
  return stateLabels.flatMap((label) => {
    const ended = label === 'rolled-back' || label === 'completed';
    return [...(ended ? [] : everywhere), ...peculiar[label]].map((point) => crashKey(label, point));
  });
}

const urn = [
  ...crashPairs(),
  ...Array.from({ length: 6 }, () => rare).flat(),
  ...Array.from({ length: 12 }, () => rarest).flat(),
];

/** Deaths that a world has in store: some at chosen pairs, so that rare ones come about, the others at any time. */
export class Crashes {
  /** Points that are left until a death that was announced; null: none is. */
  #left: number | null = null;
  readonly #planned: Set<string>;
  readonly #random: Random;

  constructor(random: Random, planned: number) {
    this.#random = random;
    this.#planned = new Set(Array.from({ length: planned }, () => random.pick(urn)));
  }

  /** A controller dies a few points from here. */
  doom(): void {
    this.#left = this.#random.integer(0, 12);
  }

  strikes(label: StateLabel, point: CrashPoint): boolean {
    if (this.#left !== null && this.#left-- === 0) {
      this.#left = null;
      return true;
    }
    if (this.#planned.size === 0) return false;
    const key = crashKey(label, point);
    return this.#planned.has(key) && (rare.includes(key) || this.#random.chance(0.4)) && this.#planned.delete(key);
  }

  stop(): void {
    this.#left = null;
    this.#planned.clear();
  }
}
