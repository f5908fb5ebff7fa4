import type { JudgeState, Verdict } from '../judge/judge.ts';
import type { AdminState } from '../observed/backend.ts';
import type { GroupSize } from '../observed/group.ts';
import type { Tally } from './load.ts';
import type { RolloutPlan } from './plan.ts';
import type { Blamed, TakenBack } from './taken-back.ts';

/** Version of the decision rules, written into every entry. A change of a rule raises it (and is told in docs/internals/rollout.md). */
export const rolloutRules = 7;

/** Everything that a rollout's chain can say. State is a fold over these (`state.ts`). */
export type RolloutEvent =
  | Started
  | Intended
  /** A balancer process was read back with weights and states as intended by entry `intent`. */
  | { readonly kind: 'confirmed'; readonly backend: string; readonly process: string; readonly intent: number }
  | { readonly kind: 'balancer-restarted'; readonly backend: string; readonly process: string }
  /** Server lines of either group that were not there before: part of it from here on, as if they had been found at the start. */
  | {
      readonly kind: 'servers-came';
      readonly backend: string;
      readonly servers: Readonly<Record<string, ServerFound>>;
    }
  /** All weights at a backend that somebody has set and that stand; none: what had been set stands no more. */
  | { readonly kind: 'set-by-hand'; readonly backend: string; readonly servers: Readonly<Record<string, HandSet>> }
  | { readonly kind: 'stage-entered'; readonly stage: ForwardStage; readonly attempt: number }
  /** Where the rest of the backend is not as intended: the server that the drill had put into maint was read ready again. */
  | { readonly kind: 'drill-woken'; readonly backend: string }
  | { readonly kind: 'drill-measured'; readonly measure: DrillMeasure; readonly passed: boolean; readonly note: string }
  | { readonly kind: 'promoted'; readonly step: number; readonly verdict: Verdict; readonly share: number | null }
  | { readonly kind: 'builds-changed'; readonly builds: Builds; readonly pair: number }
  | Held
  | Resumed
  | {
      readonly kind: 'checkpoint';
      readonly judge: JudgeState;
      readonly samples: SampleBlock | null;
      readonly seen: Seen;
    }
  | BackPerformed
  /** No destination attempt was seen for a while and nothing is in flight (or the drain limit passed: `inFlight` > 0). */
  | { readonly kind: 'drained'; readonly inFlight: number; readonly afterMs: number; readonly counted: Counted }
  | { readonly kind: 'rolled-back'; readonly tookMs: number }
  | { readonly kind: 'completed'; readonly share: number | null; readonly counted: Counted }
  | { readonly kind: 'retired'; readonly by: string; readonly reason: string | null };

export type Held = {
  readonly kind: 'held';
  readonly why: string;
  readonly by: string;
  /** It is held because these builds need a reason; empty: those that did are gone. Left out where it is held for anything else. */
  readonly blamed?: readonly Blamed[];
  /** A person's hold that this one has taken the place of, and that nobody has answered. Left out where there was none. */
  readonly before?: { readonly why: string; readonly by: string };
};

export type Resumed = {
  readonly kind: 'resumed';
  readonly by: string;
  readonly reason: string | null;
  /** What the back marker said that was removed for it; no entry tells of that way back. Left out where there was none. */
  readonly marked?: string;
};

export type Started = {
  readonly kind: 'started';
  readonly plan: RolloutPlan;
  readonly planHash: string;
  readonly asFound: AsFound;
  readonly builds: Builds;
  /** Attempts at each step for each pair of builds made by earlier operations, by `attemptKey`. */
  readonly earlierAttempts: Readonly<Record<string, number>>;
  /** Builds that need a reason to come in now, by the rollout that took them back. Left out by older entries, and where there are none. */
  readonly takenBack?: TakenBack;
  /** Why rules were overridden; null: none was. */
  readonly reason: string | null;
};

/** The complete target from here on; it replaces the one before. Effects follow from it and from nothing else. */
export type Intended = {
  readonly kind: 'intended';
  readonly target: Target;
  readonly why: string;
};

export type Target = {
  /** The share that the weights are to make; null where it follows from capacity. Never evidence. */
  readonly requestedShare: number | null;
  /** Of a way back in parts: the share that it leaves, beside the origin's servers that carried then. Left out elsewhere. */
  readonly leftShare?: number;
  /** By backend id, by server. A server that is not named is not touched. */
  readonly traffic: Readonly<Record<string, Readonly<Record<string, ServerTarget>>>>;
  readonly origin: SizeTarget | null;
  readonly destination: SizeTarget | null;
};
/** `admin` null: left alone. An origin server's state is never Drover's to write. */
export type ServerTarget = { readonly weight: number; readonly admin: AdminState | null };
/**
 * A group's size. Going forward it is a floor (`exact: false`): a larger minimum that somebody else set is left alone, and
 * the provider raises its own wish to the minimum. `exact` gives a group back as it was found; `desired` null leaves the
 * wish to the group's own scaling.
 */
export type SizeTarget = { readonly min: number; readonly desired: number | null; readonly exact: boolean };

/** Performed before it is journalled: every step's intent authorises its way back in advance. */
export type BackPerformed = {
  readonly kind: 'back-performed';
  readonly cause: BackCause;
  /** true: the whole destination at once, whatever the origin can carry. */
  readonly all: boolean;
  readonly target: Target;
  readonly verdict: Verdict | null;
  readonly performedAtMs: number;
  /** The destination's part of the attempts as last seen then; null: nobody knows it. Left out by older entries. */
  readonly shareBefore?: number | null;
  /** The destination's build as it was seen then; null: nobody saw it. Left out by older entries. */
  readonly ran?: string | null;
  readonly counted: Counted;
};

/** `found`: somebody else (an offline `back`, a predecessor) performed it; this entry catches up. */
export type BackCause =
  | { readonly kind: 'asked'; readonly by: string; readonly reason: string | null }
  | { readonly kind: 'judge'; readonly by: string }
  | { readonly kind: 'tripwire'; readonly wire: string; readonly detail: string }
  | { readonly kind: 'drill'; readonly detail: string }
  | { readonly kind: 'capacity'; readonly detail: string }
  | { readonly kind: 'found'; readonly detail: string };

export type AsFound = {
  readonly backends: Readonly<Record<string, Readonly<Record<string, ServerFound>>>>;
  readonly origin: GroupSize | null;
  readonly destination: GroupSize | null;
};
export type ServerFound = {
  readonly side: 'origin' | 'destination';
  readonly weight: number;
  readonly admin: AdminState;
  /** The weight that the balancer's configuration gave it. Left out where that is the same, and by older entries. */
  readonly configured?: number;
};

/** The weight that Drover had written or wants, and the one that somebody gave it instead. */
export type HandSet = {
  readonly was: number;
  readonly is: number;
  /** An origin server that was given 0 while others carry: out of the rollout, as if it were drained, until it has a weight again. */
  readonly aside: boolean;
};

export type Builds = { readonly origin: string; readonly destination: string };

/** `step` 1..n are the judged steps; n + 1 is the whole share. */
export type ForwardStage =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'drill-shifting' }
  | { readonly kind: 'drill-back' }
  | { readonly kind: 'drill-restoring' }
  | { readonly kind: 'growing'; readonly step: number }
  | { readonly kind: 'shifting'; readonly step: number }
  | { readonly kind: 'judging'; readonly step: number }
  /** The whole share is taken and watched; the sizes are given back. */
  | { readonly kind: 'finishing' };

/** Command → acknowledged → last new attempt, by polls `spacingMs` apart while `rps` attempts per second were dispatched. */
export type DrillMeasure = {
  readonly attempts: number;
  readonly acknowledgedMs: number;
  readonly lastAttemptMs: number;
  readonly spacingMs: number;
  readonly rps: number;
};

/** The block of samples that a checkpoint rests on: a name in the side table, and the hash of its content. */
export type SampleBlock = { readonly block: string; readonly hash: string };

/**
 * Attempts and failures of both groups since the operation began, as its controllers saw them: what users felt, for reports.
 * Never evidence. The two that are left out by older entries tell what is missing.
 */
export type Counted = {
  readonly origin: Tally;
  readonly destination: Tally;
  /** By backend: the reading up to which it was counted. */
  readonly untilMs?: Readonly<Record<string, number>>;
  /** When a backend was not counted after the rollout had begun to move; in order, apart from each other. */
  readonly gaps?: readonly Gap[];
  /** When a backend was seen to have nobody who carries its traffic, after the rollout had begun to move. Left out where there is none. */
  readonly unserved?: readonly (Gap & { readonly backend: string })[];
};
export type Gap = { readonly fromMs: number; readonly toMs: number };

/** Facts worth keeping over a crash that are not evidence. */
export type Seen = {
  /** Highest load per healthy origin instance, requests per second; null: nothing seen yet. */
  readonly originRpsPerInstanceMax: number | null;
  readonly share: number | null;
  readonly loadRps: number | null;
  /** As of when. Left out where it is not known, and by older entries: then as of theirs. */
  readonly loadAtMs?: number;
  /** Restarts of destination instances counted so far, with this pair of builds. */
  readonly restarts: number;
  readonly counted: Counted;
};

/** Key of `earlierAttempts`: the same step for the same pair of builds. */
export function attemptKey(step: number, builds: Builds): string {
  return `${step} ${builds.origin} ${builds.destination}`;
}
