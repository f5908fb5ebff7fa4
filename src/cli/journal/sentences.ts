import type { EventBody } from '../../core/journal/entry.ts';
import type { FleetEvent } from '../../core/journal/fleet.ts';
import type { Evidence, Verdict } from '../../core/judge/judge.ts';
import type {
  BackCause,
  DrillMeasure,
  ForwardStage,
  RolloutEvent,
  SizeTarget,
  Target,
} from '../../core/rollout/events.ts';
import { handWords } from '../../core/rollout/hands.ts';
import { copySentences as copy } from './copy-sentences.ts';

/**
 * What an entry says, for people: its kind's own sentence, or else `kind key=value …`. One line, safe to print. `steps`: how many
 * judged steps the plan has, where that is known; the step behind them is the whole share.
 */
export function sentenceOf(body: EventBody, steps: number | null = null): string {
  const event = body as RolloutEvent;
  const isWhole = event.kind === 'stage-entered' && steps !== null && 'step' in event.stage && event.stage.step > steps;
  return inert(isWhole ? `the whole share: ${wholeShareWords(event.stage.kind)}` : sentenceFor(body));
}

function wholeShareWords(kind: ForwardStage['kind']): string {
  return kind === 'judging' ? 'only objective and tripwires watch' : stepWords(kind);
}

/** Text from a journal, which may repeat what others have said: nothing in it may command a terminal or turn its writing round. */
export function inert(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '');
}

function sentenceFor(body: EventBody): string {
  const sentence: ((body: never) => string) | undefined = sentences.get(body.kind);
  if (sentence === undefined) return fieldByField(body);
  try {
    // The kind has chosen the sentence, but a body of other rules than today's may lack what it speaks of.
    return sentence(body as never);
  } catch {
    return fieldByField(body);
  }
}

export type Sentences<Body extends EventBody> = {
  readonly [Kind in Body['kind']]?: (body: Extract<Body, { readonly kind: Kind }>) => string;
};

const fleet: Sentences<FleetEvent> = {
  'operation-started': ({ operation, seq, hash }) => `${operation} started (entry ${seq}, hash ${hash.slice(0, 12)}…)`,
  'operation-ended': ({ operation, seq, hash }) => `${operation} ended (entry ${seq}, hash ${hash.slice(0, 12)}…)`,
};

const rollout: Sentences<RolloutEvent> = {
  started: ({ planHash, builds, reason }) =>
    `started plan ${planHash.slice(0, 12)}…: ${builds.origin} at the origin, ${builds.destination} at the destination${because(reason)}`,
  intended: ({ target, why }) => `${why} → ${targetWords(target)}`,
  confirmed: ({ backend, intent }) => `read back ${backend}: as intended by entry ${intent}`,
  'balancer-restarted': ({ backend, process }) => `${backend} is a new process (${process})`,
  'servers-came': ({ backend, servers }) =>
    `new at ${backend}: ${Object.entries(servers)
      .map(([name, { side, weight }]) => `${name} (${side}, weight ${weight})`)
      .join(', ')}; part of the rollout from here on`,
  'drill-woken': ({ backend }) => `${backend}: the drill’s server is ready again`,
  'set-by-hand': ({ backend, servers }) => {
    const hands = Object.entries(servers).map(([name, set]) => handWords(name, set));
    return hands.length === 0
      ? `${backend}: no weight that somebody had set stands any more`
      : `somebody set ${hands.join(', ')} at ${backend}`;
  },
  'stage-entered': ({ stage, attempt }) => `${stageName(stage)}${attempt > 1 ? `, attempt ${attempt}` : ''}`,
  'drill-measured': ({ measure, passed, note }) =>
    `drill ${passed ? 'passed' : 'FAILED'}: ${drill(measure)}${note === '' ? '' : ` (${note})`}`,
  promoted: ({ step, verdict, share }) =>
    `promoted step ${step}${share === null ? '' : ` at an observed share of ${percent(share)}`}: evidence ` +
    evidence(verdict.promote),
  'builds-changed': ({ builds }) =>
    `a build changed: ${builds.origin} at the origin, ${builds.destination} at the destination; evidence starts afresh`,
  held: ({ why, by }) => `held by ${by}: ${why}`,
  resumed: ({ by, reason, marked }) =>
    `resumed by ${by}${because(reason)}${marked === undefined ? '' : `; the back marker that was removed for it said: ${marked}`}`,
  checkpoint: ({ samples }) => `checkpoint${samples === null ? '' : ` (samples ${samples.block})`}`,
  'back-performed': ({ cause, all, verdict }) =>
    `took the way back${all ? ', all at once' : ''}: ${causeName(cause, verdict)}`,
  drained: ({ inFlight, afterMs }) =>
    `seen drained ${seconds(afterMs)} after the way back was taken${inFlight > 0 ? `, ${inFlight} requests still in flight` : ''}`,
  'rolled-back': ({ tookMs }) => `rolled back, as was seen ${seconds(tookMs)} after the way back was taken`,
  completed: ({ share }) => `completed${share === null ? '' : ` at an observed share of ${percent(share)}`}`,
  retired: ({ by, reason }) => `the reserve was given up by ${by}${because(reason)}`,
};

/** A new kind of operation adds its table here. A kind without a sentence is shown field by field. */
const sentences: ReadonlyMap<string, (body: never) => string> = new Map(
  [fleet, rollout, copy].flatMap((table): [string, (body: never) => string][] => Object.entries(table)),
);

/**
 * Whether people are told of an entry while a rollout runs. What was read back and what is only kept are the journal's own, and
 * most stages begin with an intent that says more.
 */
export function isTold(body: EventBody): boolean {
  if (body.kind === 'confirmed' || body.kind === 'checkpoint' || body.kind === 'copy-checkpoint') return false;
  return (
    body.kind !== 'stage-entered' ||
    (body as Extract<RolloutEvent, { kind: 'stage-entered' }>).stage?.kind === 'judging'
  );
}

function targetWords(target: Target): string {
  const { requestedShare, origin, destination } = target;
  const size = (name: string, of: SizeTarget | null) =>
    of === null ? [] : [`${name} ${of.exact ? '' : '≥ '}${of.exact ? (of.desired ?? `${of.min} or more`) : of.min}`];
  return [shareWords(target, requestedShare), ...size('origin', origin), ...size('destination', destination)].join(
    ', ',
  );
}

function shareWords(target: Target, requestedShare: number | null): string {
  if (requestedShare === null) {
    const drilled = drilledIn(target);
    return drilled === null ? 'share by capacity' : `lowest weight on ${drilled}`;
  }
  // A way back asks for nothing, and gets there in parts where the origin cannot carry everything.
  const left = requestedShare === 0 ? carryingIn(target) : [];
  if (left.length === 0) return `share ${percent(requestedShare)}`;
  const names = [...new Set(left.map(({ name }) => name))];
  const backends = Object.keys(target.traffic);
  const isEverywhere = left.length === names.length * backends.length;
  const where = (one: string) => left.filter(({ name }) => name === one).map(({ backend }) => backend);
  const words = names.map((name) => (isEverywhere ? name : `${name} at ${where(name).join(' and ')}`));
  return `${words.join(', ')} still ${names.length === 1 ? 'carries' : 'carry'} ${percent(leftShareOf(target))}`;
}

/** To whole percents: people are not told twice of what differs by a weight. */
function leftShareOf(target: Target): number {
  return Number((target.leftShare ?? shareOfAllWeights(target)).toFixed(2));
}

/** For entries of versions that did not write down what is left: at the backend where it is the largest. */
function shareOfAllWeights({ traffic }: Target): number {
  const shares = Object.values(traffic).map((servers) => {
    const rows = Object.values(servers);
    const sum = (of: typeof rows) => of.reduce((total, { weight }) => total + weight, 0);
    const both = sum(rows.filter(({ admin }) => admin !== 'maint'));
    return both === 0 ? 0 : sum(rows.filter(({ admin }) => admin === 'ready')) / both;
  });
  return Math.max(0, ...shares);
}

/** Servers of the destination that the target gives traffic: it leaves the states of the origin's servers alone. */
function carryingIn({
  traffic,
}: Target): { readonly name: string; readonly backend: string; readonly weight: number }[] {
  return Object.entries(traffic).flatMap(([backend, servers]) =>
    Object.entries(servers)
      .filter(([, { admin, weight }]) => admin === 'ready' && weight > 0)
      .map(([name, { weight }]) => ({ name, backend, weight })),
  );
}

/** The one server of the destination that gets the lowest weight there is, in the drill; null: another target. */
function drilledIn(target: Target): string | null {
  const carrying = carryingIn(target);
  const names = new Set(carrying.map(({ name }) => name));
  const [name] = names;
  return names.size === 1 && carrying.every(({ weight }) => weight === 1) ? (name ?? null) : null;
}

function because(reason: string | null): string {
  return reason === null ? '' : `, reason: ${reason}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function seconds(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function stageName(stage: ForwardStage): string {
  return 'step' in stage ? `step ${stage.step}: ${stepWords(stage.kind)}` : stepWords(stage.kind);
}

function stepWords(kind: ForwardStage['kind']): string {
  switch (kind) {
    case 'preparing':
      return 'preparing: capacity before traffic';
    case 'drill-shifting':
      return 'the drill: one server gets a little traffic';
    case 'drill-back':
      return 'the drill: it is taken back, and timed';
    case 'drill-restoring':
      return 'the drill: things are put back';
    case 'growing':
      return 'waiting for capacity';
    case 'shifting':
      return 'waiting for the observed share';
    case 'judging':
      return 'judging';
    case 'finishing':
      return 'finishing: giving sizes back';
    default:
      return unreadable(kind);
  }
}

/** Caught where a sentence is looked for: a stage of other rules is told field by field. */
function unreadable(kind: never): never {
  throw new Error(`no words for the stage ${String(kind)}`);
}

function drill({ attempts, acknowledgedMs, lastAttemptMs }: DrillMeasure): string {
  return `acknowledged after ${seconds(acknowledgedMs)}, last attempt ${seconds(lastAttemptMs)} later, ${attempts} attempts`;
}

function evidence({ logEvidence, threshold, by }: Evidence): string {
  return `${logEvidence.toFixed(2)} of ${threshold.toFixed(2)} by the ${by === 'absolute' ? 'objective' : by}`;
}

/** Why the way back was taken. */
export function causeName(cause: BackCause, verdict: Verdict | null): string {
  switch (cause.kind) {
    case 'asked':
      return `${cause.by} asked for it${because(cause.reason)}`;
    case 'judge':
      return `the judge's verdict${verdict === null ? '' : `, evidence ${evidence(verdict.rollBack)}`}`;
    case 'tripwire':
      return `tripwire ${cause.wire}: ${cause.detail}`;
    case 'drill':
    case 'capacity':
    case 'found':
      return `${cause.kind}: ${cause.detail}`;
  }
}

const valueLengthMax = 80;

function fieldByField({ kind, ...fields }: EventBody): string {
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${textOf(value)}`);
  return [kind, ...shown].join(' ');
}

/** Bare where that cannot be misread, else JSON; long values are cut, `--json` has them whole. */
function textOf(value: unknown): string {
  const text = typeof value === 'string' && /^[^\s"'{}[\]=]+$/.test(value) ? value : jsonOf(value);
  return text.length <= valueLengthMax ? text : `${text.slice(0, valueLengthMax - 1)}…`;
}

/** A damaged journal may hold what is nested deeper than anything that was ever written. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch (error) {
    if (error instanceof RangeError) return '(nested too deeply)';
    throw error;
  }
}
