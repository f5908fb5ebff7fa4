import type { Count } from '../../../src/core/judge/counting.ts';
import type { Scene } from './scene.ts';
import type { Books } from './servers.ts';
import type { Users } from './users.ts';

/** One fault: how it is planted, and what has to be true of users, servers and Drover afterwards. */
export type Fault = {
  readonly name: string;
  /** What users see, in words; `holds` says it in numbers. */
  readonly sees: string;
  /** What Drover counts, as a relation to the users' ledger. */
  readonly counts: string;
  /** What Drover decides. */
  readonly decides: string;
  /** The entries of its journal, in this order; those that begin with one of these words match it. */
  readonly entries: readonly string[];
  /** The test that goes through the same in a whole rollout; null: none does. */
  readonly rollout: string | null;
  readonly setting?: Setting;
  play(scene: Scene): Promise<void>;
  holds(outcome: Outcome): readonly Equation[];
};

export type Setting = {
  /** Lines of the HAProxy backend after `balance roundrobin`. */
  readonly lines?: readonly string[];
  /** More lines of `defaults`. */
  readonly defaults?: readonly string[];
  /** Words of every server's line. */
  readonly server?: string;
  /** How many HAProxies, each with servers of its own. */
  readonly haproxies?: number;
  /** The failed fraction that users accept; without it 1 %. */
  readonly objective?: number;
  /** What is under way when the controller begins. */
  before?(users: Users, does: Scene['does'], busy: Scene['busy']): Promise<void>;
};

export type Outcome = {
  readonly users: {
    readonly asked: number;
    readonly answered: number;
    readonly failed: number;
    readonly left: number;
    /** How many saw what, by the words of the ledger. */
    readonly how: Readonly<Record<string, number>>;
  };
  readonly books: { readonly origin: Books; readonly destination: Books };
  readonly counted: { readonly origin: Count; readonly destination: Count };
  readonly decided: readonly string[];
  /** What this fault measured beside. */
  readonly notes: Readonly<Record<string, number>>;
};

/** Has to be true. `left` and `right` are what was found. */
export type Equation = {
  readonly says: string;
  readonly left: number;
  readonly is: '=' | '≥';
  readonly right: number;
};

export function equal(says: string, left: number, right: number): Equation {
  return { says, left, is: '=', right };
}

export function atLeast(says: string, left: number, right: number): Equation {
  return { says, left, is: '≥', right };
}

export function isTrue({ left, is, right }: Equation): boolean {
  return is === '=' ? left === right : left >= right;
}

export function failures({ counted }: Pick<Outcome, 'counted'>): number {
  return counted.origin.failures + counted.destination.failures;
}

export function attempts({ counted }: Outcome): number {
  return counted.origin.attempts + counted.destination.attempts;
}

/** Failures counted = failed in the ledger, each request one attempt. */
export function asUsersSay(outcome: Outcome): Equation[] {
  return [
    equal('attempts = requests', attempts(outcome), outcome.users.asked),
    equal('failures = failed requests', failures(outcome), outcome.users.failed),
  ];
}

/** Failures counted = failed in the ledger + attempts that were not the last of their request. */
export function asUsersSayAndRetries(outcome: Outcome): Equation[] {
  const retries = attempts(outcome) - outcome.users.asked;
  return [equal('failures = failed requests + retries', failures(outcome), outcome.users.failed + retries)];
}

/** Attempts and failures as the servers wrote them down, on each side. */
export function asServersSay({ counted, books }: Outcome): Equation[] {
  return (['origin', 'destination'] as const).flatMap((side) => [
    equal(`attempts at the ${side} = requests that its servers took`, counted[side].attempts, books[side].taken),
    equal(`failures at the ${side} = requests that its servers failed`, counted[side].failures, books[side].failed),
  ]);
}

/** Something was planted at the destination, and nothing at the origin. */
export function atDestinationOnly({ counted }: Outcome, least = 8): Equation[] {
  return [
    equal('failures at the origin = 0', counted.origin.failures, 0),
    atLeast(`failures at the destination ≥ ${least}`, counted.destination.failures, least),
  ];
}

export function saw(outcome: Outcome, how: string, least: number): Equation {
  return atLeast(`users who saw "${how}" ≥ ${least}`, outcome.users.how[how] ?? 0, least);
}

export function allAnswered({ users }: Outcome): Equation {
  return equal('answered = requests', users.answered, users.asked);
}

/** An entry of the journal begins with what was expected, and none is missing or too many. */
export function isDecided({ decided }: Pick<Outcome, 'decided'>, entries: readonly string[]): boolean {
  return decided.length === entries.length && entries.every((words, at) => decided[at]?.startsWith(words) === true);
}

/** What most faults end in. */
export const takenBack = {
  decides: 'way back, by the judge',
  entries: ['back: judge', 'drained', 'intended', 'rolled-back'],
} as const;

export const goesOn = { decides: 'nothing: it goes on', entries: [] } as const;
