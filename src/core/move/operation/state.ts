import type { Entry } from '../../journal/entry.ts';
import type { TopicAcl } from '../acl-facts.ts';
import type { SetAside, TopicLever } from '../topic-levers.ts';
import type { MoveEvent, PartitionMark, PartitionStopped, Rate, TopicToRebuild } from './events.ts';
import { foldedRebuild } from './fold-rebuild.ts';
import { type CopyPlan, partitionName, type TopicToMake, withPartitions } from './plan.ts';

/** Where a copy stands: the fold of its chain. */
export type MoveState = {
  readonly operation: string;
  readonly plan: CopyPlan;
  readonly startedAtMs: number;
  readonly by: string;
  readonly rate: Rate;
  readonly stage: MoveStage;
  readonly stageSinceMs: number;
  readonly held: { readonly by: string; readonly why: string } | null;
  /** By topic: those that are there. */
  readonly targetIds: Readonly<Record<string, string>>;
  /** Of these topics nobody has said that they were there before this operation. */
  readonly made: readonly string[];
  readonly areSettingsChanged: boolean;
  /** As they were intended last; before that as they were planned, and none is set. */
  readonly levers: readonly TopicLever[];
  readonly areLeversIntended: boolean;
  /** From then on what was there before them is certain. */
  readonly leversSureAtMs: number;
  /** The last entry of the time in which topics were made and changed. */
  readonly preparedAtMs: number;
  /** Entries that this operation has made or may have made; before that was intended as they were planned, and none is. */
  readonly acls: readonly TopicAcl[];
  readonly areAclsIntended: boolean;
  readonly areAclsMade: boolean;
  readonly removed: readonly string[];
  /** Topics that were there before this operation, and were made anew by it. */
  readonly rebuilt: readonly string[];
  /** Ids that topics had which were made anew since: a broker that is behind may still tell of them. */
  readonly cleared: Readonly<Record<string, string>>;
  readonly kept: Readonly<Record<string, string>>;
  /** The last checkpoint, by the partition's name. */
  readonly marks: Readonly<Record<string, PartitionMark>>;
  readonly markedAtMs: number;
  /** Of all controllers together, up to the last checkpoint; and of those before the present one. */
  readonly bytes: number;
  readonly bytesBefore: number;
  readonly stopped: Readonly<Record<string, PartitionStopped>>;
  readonly unproven: readonly Extract<MoveEvent, { kind: 'unproven' }>[];
  readonly lost: readonly Extract<MoveEvent, { kind: 'lost-on-target' }>[];
  /** Topics that were there, and have got the partitions that they lacked. */
  readonly grown: readonly string[];
  /** By topic: so many partitions it is to have on the target, because the source has them by now. */
  readonly growing: Readonly<Record<string, number>>;
  /** Ends of movers by themselves, on end, without a checkpoint in between that had moved. */
  readonly failures: {
    readonly count: number;
    /** Of the present controller's, so many are in the journal. */
    readonly told: number;
    readonly lastAtMs: number;
    readonly lastWords: string;
  };
  /** A controller wrote that it has stopped; null: none did. */
  readonly left: string | null;
  readonly leversLeft: readonly string[];
  /** Once it has ended its topics are removed; null: nobody asked for that. */
  readonly removal: { readonly by: string; readonly reason: string | null } | null;
};

export type MoveStage =
  /** Topics are made, and levers set. */
  | { readonly kind: 'preparing' }
  | { readonly kind: 'copying' }
  /** A topic is deleted, to be made anew; `make` null: whether anybody needs it is not known yet. */
  | ({ readonly kind: 'rebuilding'; readonly make: TopicToMake | null } & TopicToRebuild)
  /** No data moves any more; levers are restored. */
  | { readonly kind: 'restoring'; readonly becoming: 'copied' | 'aborted' }
  | { readonly kind: 'copied' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'removing' }
  | { readonly kind: 'removed' };

export function foldMove(state: MoveState | null, entry: Entry): MoveState {
  const event = entry.body as MoveEvent;
  if (state === null) {
    if (event.kind !== 'copy-started') throw new Error(`${entry.operation} does not begin as a copy does`);
    return begun(entry, event);
  }
  return withEvent(state, event, entry.atMs);
}

export function isMove(first: Entry | undefined): boolean {
  return first?.body.kind === 'copy-started';
}

/** Nothing is left to do for it, unless somebody asks for its removal. */
export function hasMoveEnded({ stage }: MoveState): boolean {
  return stage.kind === 'copied' || stage.kind === 'aborted' || stage.kind === 'removed';
}

/** What this copy may have set, with what stood there then; none before that was in its journal. */
export function leversOf({ areLeversIntended, levers }: MoveState): readonly TopicLever[] {
  return areLeversIntended ? levers : [];
}

/** Entries on the target that this copy may have made; none before that was in its journal. */
export function aclsOf({ areAclsIntended, acls }: MoveState): readonly TopicAcl[] {
  return areAclsIntended ? acls : [];
}

/** What a copy that has not ended may have set aside. */
export function setAsideBy(state: MoveState): SetAside[] {
  if (hasMoveEnded(state)) return [];
  const { operation, targetIds } = state;
  return leversOf(state).flatMap((lever) => {
    const topicId = targetIds[lever.topic];
    return topicId === undefined ? [] : [{ ...lever, operation, topicId }];
  });
}

/** Something is made or moved that can be held. */
export function isUnderWay({ stage }: MoveState): boolean {
  return stage.kind === 'preparing' || stage.kind === 'copying' || stage.kind === 'rebuilding';
}

/** The entry by which a copy has ended; null: it has not. */
export function moveEndedAtSeq(chain: readonly Entry[]): number | null {
  const last = chain.findLast(({ body }) => ending.includes(body.kind) || body.kind === reopening);
  return last === undefined || last.body.kind === reopening ? null : last.seq;
}

const ending: readonly string[] = ['copied', 'copy-aborted', 'copy-removed'] satisfies MoveEvent['kind'][];
const reopening: string = 'removal-asked' satisfies MoveEvent['kind'];

function begun(entry: Entry, { plan, rate }: Extract<MoveEvent, { kind: 'copy-started' }>): MoveState {
  const ids = plan.topics.flatMap(({ name, targetId }) => (targetId === null ? [] : [[name, targetId] as const]));
  return {
    operation: entry.operation,
    plan,
    rate,
    startedAtMs: entry.atMs,
    by: entry.actor,
    stage: { kind: 'preparing' },
    stageSinceMs: entry.atMs,
    held: null,
    targetIds: Object.fromEntries(ids),
    made: [],
    areSettingsChanged: false,
    levers: plan.levers,
    areLeversIntended: false,
    leversSureAtMs: entry.atMs,
    preparedAtMs: entry.atMs,
    acls: plan.acls ?? [],
    areAclsIntended: false,
    areAclsMade: false,
    removed: [],
    rebuilt: [],
    cleared: {},
    kept: {},
    marks: {},
    markedAtMs: entry.atMs,
    bytes: 0,
    bytesBefore: 0,
    stopped: {},
    unproven: [],
    lost: [],
    grown: [],
    growing: {},
    failures: noFailures,
    left: null,
    leversLeft: [],
    removal: null,
  };
}

const noFailures = { count: 0, told: 0, lastAtMs: 0, lastWords: '' };

/**
 * A broker that is asked may be behind what another one has answered by so much: no conclusion is drawn sooner from what does not show
 * that something was done.
 */
export const lagMsMax = 3000;

/** The state once an event is in the chain. */
export function withEvent(state: MoveState, event: MoveEvent, atMs: number): MoveState {
  const next = folded(state, event, atMs);
  const { kind } = state.stage;
  return kind === 'preparing' || kind === 'rebuilding' ? { ...next, preparedAtMs: atMs } : next;
}

function folded(state: MoveState, event: MoveEvent, atMs: number): MoveState {
  const enter = (stage: MoveStage): MoveState => ({ ...state, stage, stageSinceMs: atMs });
  switch (event.kind) {
    case 'copy-started':
      throw new Error(`${state.operation} has begun already`);
    case 'topic-made': {
      const targetIds = { ...state.targetIds, [event.topic]: event.topicId };
      // One that was there before is not taken back with what this operation has made.
      const made = state.rebuilt.includes(event.topic) ? state.made : [...state.made, event.topic];
      return { ...state, targetIds, made };
    }
    case 'settings-changed':
      return { ...state, areSettingsChanged: true };
    case 'topic-found':
      return { ...state, targetIds: { ...state.targetIds, [event.topic]: event.topicId } };
    case 'levers-intended':
      return withLevers(state, event.levers, atMs);
    case 'levers-set':
      return { ...state, areLeversIntended: true };
    case 'acls-intended':
      return { ...state, acls: event.acls, areAclsIntended: true };
    case 'acls-made':
      return { ...state, areAclsMade: true };
    case 'copying':
      // What had stopped is looked at anew: whoever began it again may have put it right.
      return {
        ...enter({ kind: 'copying' }),
        ...{ stopped: {}, left: null, failures: noFailures, bytesBefore: state.bytes },
      };
    case 'copy-checkpoint':
      return { ...withMarks(state, event.partitions, atMs), bytes: state.bytesBefore + event.bytes };
    case 'copy-held':
      return { ...state, held: { by: event.by, why: event.why } };
    case 'copy-resumed':
      return { ...state, held: null };
    case 'rate-changed':
      return { ...state, rate: event.rate };
    case 'mover-failed': {
      const count = state.failures.count + 1;
      return { ...state, failures: { count, told: event.count, lastAtMs: atMs, lastWords: event.lastWords } };
    }
    case 'unproven':
      return { ...state, unproven: [...state.unproven, event] };
    case 'lost-on-target':
      return { ...state, lost: [...state.lost, event] };
    case 'partitions-made':
      return { ...state, grown: [...state.grown, event.topic] };
    case 'partitions-found':
      return { ...state, growing: { ...state.growing, [event.topic]: event.partitions } };
    case 'partitions-added': {
      const { [event.topic]: _, ...growing } = state.growing;
      return { ...state, growing, plan: withPartitions(state.plan, event.topic, event.partitions) };
    }
    case 'partition-stopped':
      return { ...state, stopped: { ...state.stopped, [partitionName(event)]: event } };
    case 'copy-left':
      return { ...state, left: event.why };
    case 'caught-up':
      return { ...withMarks(enter({ kind: 'restoring', becoming: 'copied' }), event.partitions, atMs), held: null };
    case 'abort-asked':
      return { ...enter({ kind: 'restoring', becoming: 'aborted' }), held: null };
    case 'rebuild-asked':
    case 'rebuild-intended':
    case 'rebuild-refused':
    case 'topic-cleared':
      return foldedRebuild(state, event, enter);
    default:
      return foldedEnd(state, event, enter);
  }
}

function withLevers(state: MoveState, levers: MoveState['levers'], atMs: number): MoveState {
  const isAsPlanned = levers.every(({ topic, key, before }) =>
    state.plan.levers.some((one) => one.topic === topic && one.key === key && one.before === before),
  );
  const leversSureAtMs = isAsPlanned ? atMs : atMs + lagMsMax;
  return { ...state, levers, areLeversIntended: true, leversSureAtMs };
}

type Late = Extract<
  MoveEvent,
  {
    kind:
      | 'levers-restored'
      | 'acls-removed'
      | 'copied'
      | 'copy-aborted'
      | 'removal-asked'
      | 'topic-deleted'
      | 'topic-kept'
      | 'copy-removed';
  }
>;

function foldedEnd(state: MoveState, event: Late, enter: (stage: MoveStage) => MoveState): MoveState {
  switch (event.kind) {
    case 'levers-restored':
      return { ...state, leversLeft: event.left };
    case 'acls-removed':
      return { ...state, acls: event.left };
    case 'copied':
      return enter({ kind: 'copied' });
    case 'copy-aborted':
      return enter({ kind: 'aborted' });
    case 'removal-asked':
      // While data moves it waits for the abort that comes with it.
      return hasMoveEnded(state)
        ? { ...enter({ kind: 'removing' }), removal: null }
        : { ...state, removal: { by: event.by, reason: event.reason } };
    case 'topic-deleted':
      return { ...state, removed: [...state.removed, event.topic] };
    case 'topic-kept':
      return { ...state, kept: { ...state.kept, [event.topic]: event.why } };
    case 'copy-removed':
      return enter({ kind: 'removed' });
    default:
      return unreachable(event);
  }
}

function withMarks(state: MoveState, marks: readonly PartitionMark[], atMs: number): MoveState {
  const named = Object.fromEntries(marks.map((mark) => [partitionName(mark), mark]));
  const { told } = state.failures;
  const failures = marks.length > 0 ? { ...noFailures, told } : state.failures;
  return { ...state, marks: { ...state.marks, ...named }, markedAtMs: atMs, failures };
}

function unreachable(event: never): never {
  throw new Error(`no fold for ${JSON.stringify(event)}`);
}
