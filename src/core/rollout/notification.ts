import type { Entry } from '../journal/entry.ts';
import type { Evidence } from '../judge/judge.ts';
import type { BackCause, Builds, RolloutEvent } from './events.ts';
import type { RolloutPlan } from './plan.ts';

/** What the outside is told of one entry: plain JSON, the body of a webhook (docs/reference/notifications.md). null: not applicable. */
export type Notification = {
  readonly version: 1;
  readonly event: NotifiedEvent['kind'];
  readonly atMs: number;
  /** Who acted: the operating-system user, or `drover`. */
  readonly actor: string;
  readonly operation: string;
  readonly service: string;
  readonly owner: string;
  readonly from: string;
  readonly to: string;
  /** As they are after the event. */
  readonly builds: Builds;
  /** The judged step that was entered or promoted, 1..`steps`; `steps` + 1 is the whole share. */
  readonly step: number | null;
  readonly steps: number;
  /** Share of the destination that was observed, 0..1. */
  readonly share: number | null;
  readonly cause: BackCause | null;
  /** What the judge went by, for a promotion and for a way back. */
  readonly evidence: Evidence | null;
  /** One sentence. */
  readonly text: string;
  /** The entry itself. Kept elsewhere, its hash shows a journal that was cut or rewritten. */
  readonly head: { readonly seq: number; readonly hash: string };
};

type NotifiedEvent = Extract<
  RolloutEvent,
  {
    readonly kind:
      | 'started'
      | 'drill-measured'
      | 'stage-entered'
      | 'promoted'
      | 'builds-changed'
      | 'held'
      | 'resumed'
      | 'back-performed'
      | 'rolled-back'
      | 'completed'
      | 'retired';
  }
>;

/** null: nobody outside needs to know. A step is told once, when its share is there and evidence counts. */
export function notificationOf(
  entry: Entry,
  { plan, builds, text }: { readonly plan: RolloutPlan; readonly builds: Builds; readonly text: string },
): Notification | null {
  const event = entry.body as RolloutEvent;
  const details = detailsOf(event);
  if (details === null) return null;
  return {
    version: 1,
    event: details.event,
    atMs: entry.atMs,
    actor: entry.actor,
    operation: entry.operation,
    service: plan.service,
    owner: plan.owner,
    from: plan.origin.environment,
    to: plan.destination.environment,
    builds: event.kind === 'builds-changed' ? event.builds : builds,
    step: details.step ?? null,
    steps: plan.steps.length,
    share: details.share ?? null,
    cause: details.cause ?? null,
    evidence: details.evidence ?? null,
    text,
    head: { seq: entry.seq, hash: entry.hash },
  };
}

type Details = { readonly event: NotifiedEvent['kind'] } & Partial<
  Pick<Notification, 'step' | 'share' | 'cause' | 'evidence'>
>;

function detailsOf(event: RolloutEvent): Details | null {
  switch (event.kind) {
    case 'stage-entered':
      return event.stage.kind === 'judging' ? { event: event.kind, step: event.stage.step } : null;
    case 'promoted':
      return { event: event.kind, step: event.step, share: event.share, evidence: event.verdict.promote };
    case 'back-performed':
      return { event: event.kind, cause: event.cause, evidence: event.verdict?.rollBack ?? null };
    case 'completed':
      return { event: event.kind, share: event.share };
    case 'started':
    case 'drill-measured':
    case 'builds-changed':
    case 'held':
    case 'resumed':
    case 'rolled-back':
    case 'retired':
      return { event: event.kind };
    case 'intended':
    case 'confirmed':
    case 'balancer-restarted':
    case 'servers-came':
    case 'drill-woken':
    case 'set-by-hand':
    case 'checkpoint':
    case 'drained':
      return null;
    default:
      return unreachable(event);
  }
}

function unreachable(event: never): never {
  throw new Error(`nobody knows whether to tell of ${JSON.stringify(event)}`);
}
