import type { Reading } from '../observed/reading.ts';
import { brokerNameOf, isSameValue, modernSettings, translated, widerBound } from './setting-names.ts';
import type { HeldPartition, NewTopic, SettingChange, Settings, TargetTopic, TopicFacts } from './topic-facts.ts';

/** What has to be done with one topic of the target before a byte is copied into it. */
export type TopicPlan = {
  readonly topic: string;
  /** Sentences for a person: what is not carried over, and why. */
  readonly notes: readonly string[];
} & (
  | ({ readonly kind: 'make' } & Omit<NewTopic, 'topic'>)
  | { readonly kind: 'fits' }
  | { readonly kind: 'differs'; readonly differences: readonly Difference[] }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] }
);

export type Difference = {
  /** `partitions`, `replication.factor`, or the name of a setting, as the newest Kafka has it. */
  readonly what: string;
  readonly source: string;
  readonly target: string;
  readonly remedy:
    | { readonly kind: 'set'; readonly changes: readonly Omit<SettingChange, 'topic'>[] }
    | { readonly kind: 'make-partitions'; readonly partitions: number }
    | { readonly kind: 'none'; readonly why: string };
};

export type Refusal =
  | { readonly kind: 'internal' }
  | { readonly kind: 'unknown'; readonly what: string; readonly why: string }
  /** It holds records and no ledger of ours is about it. */
  | { readonly kind: 'holds-data'; readonly partitions: readonly HeldPartition[] }
  | { readonly kind: 'fewer-partitions'; readonly source: number; readonly target: number }
  | { readonly kind: 'old-format'; readonly version: string }
  /** Asked before anything is changed, the target would not do it. */
  | { readonly kind: 'refused-by-target'; readonly error: string; readonly why: string };

export type TopicsToPlan = {
  readonly source: readonly TopicFacts[];
  /** Those of the same names. */
  readonly target: readonly TargetTopic[];
  /** What a topic would have there that is made without settings. */
  readonly targetDefaults: Reading<Settings>;
  /** Null: as the source's. */
  readonly replicationFactor: number | null;
};

/** One plan for each topic of the source, in their order. */
export function planTopics(topics: TopicsToPlan): TopicPlan[] {
  return topics.source.map((source) => {
    const target = topics.target.find(({ name }) => name === source.name);
    const refusals = refusalsOf(source, target);
    if (refusals.length > 0) return { kind: 'refused', topic: source.name, notes: [], refusals };
    return target === undefined ? planNew(source, topics) : planExisting(source, target, topics);
  });
}

/** The settings that the topic has on the target once the plan is carried out; `now`: those that it has or would have. */
export function settingsOncePlanned(plan: TopicPlan, now: Settings): Settings {
  const set: Record<string, string> = {};
  if (plan.kind === 'make') Object.assign(set, plan.settings);
  for (const { key, value } of changesOf(plan)) if (value !== null) set[key] = value;
  const own = Object.entries(set).map(([key, value]) => [key, { value, level: 'topic' as const }] as const);
  return { ...now, ...Object.fromEntries(own) };
}

/** What a plan changes in the settings of a topic that is there. */
export function changesOf(plan: TopicPlan): SettingChange[] {
  if (plan.kind !== 'differs') return [];
  const { topic } = plan;
  return plan.differences.flatMap(({ remedy }) =>
    remedy.kind === 'set' ? remedy.changes.map((change) => ({ topic, ...change })) : [],
  );
}

function refusalsOf(source: TopicFacts, target: TargetTopic | undefined): Refusal[] {
  if (source.name.startsWith('__')) return [{ kind: 'internal' }];
  const refusals: Refusal[] = [];
  if (!source.settings.known)
    refusals.push({ kind: 'unknown', what: 'settings of the source', why: source.settings.why });
  if (target === undefined) return refusals;
  const { settings, held, isOurs, partitions } = target;
  if (!settings.known) return [...refusals, { kind: 'unknown', what: 'settings of the target', why: settings.why }];
  const format = settings.value['message.format.version']?.value;
  if (typeof format === 'string' && isBeforeV2(format)) refusals.push({ kind: 'old-format', version: format });
  if (isOurs) return refusals;
  if (!held.known) refusals.push({ kind: 'unknown', what: 'whether the target holds records', why: held.why });
  else if (held.value.length > 0) refusals.push({ kind: 'holds-data', partitions: held.value });
  if (partitions < source.partitions)
    refusals.push({ kind: 'fewer-partitions', source: source.partitions, target: partitions });
  return refusals;
}

/** Versions are told as `0.10.2` or `2.8-IV1`. */
function isBeforeV2(version: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.-]/).map(Number);
  return major === 0 && minor < 11;
}

function planNew(source: TopicFacts, { targetDefaults, replicationFactor }: TopicsToPlan): TopicPlan {
  const topic = source.name;
  if (!targetDefaults.known) {
    const unknown = { kind: 'unknown', what: 'settings of new topics of the target', why: targetDefaults.why } as const;
    return { kind: 'refused', topic, notes: [], refusals: [unknown] };
  }
  const factor = replicationFactor ?? source.replicationFactor;
  const { differences, notes } = compareSettings(source, targetDefaults.value, factor, 'all of its own');
  const changes = differences.flatMap(({ remedy }) => (remedy.kind === 'set' ? remedy.changes : []));
  const settings = Object.fromEntries(changes.flatMap(({ key, value }) => (value === null ? [] : [[key, value]])));
  return { kind: 'make', topic, partitions: source.partitions, replicationFactor: factor, settings, notes };
}

function planExisting(source: TopicFacts, target: TargetTopic, { replicationFactor }: TopicsToPlan): TopicPlan {
  const topic = source.name;
  const known = target.settings.known ? target.settings.value : {};
  const compared = compareSettings(source, known, target.replicationFactor, 'what differs');
  const wanted = replicationFactor ?? source.replicationFactor;
  const differences = [
    ...partitionDifference(source.partitions, target.partitions),
    ...factorDifference(wanted, target.replicationFactor),
    ...compared.differences,
  ];
  const { notes } = compared;
  return differences.length === 0 ? { kind: 'fits', topic, notes } : { kind: 'differs', topic, notes, differences };
}

function partitionDifference(source: number, target: number): Difference[] {
  if (source === target) return [];
  const why = 'partitions cannot be taken away: producers that come later will place keys elsewhere than on the source';
  const remedy =
    target < source ? ({ kind: 'make-partitions', partitions: source } as const) : ({ kind: 'none', why } as const);
  return [{ what: 'partitions', source: `${source}`, target: `${target}`, remedy }];
}

function factorDifference(wanted: number, target: number): Difference[] {
  if (wanted === target) return [];
  const why = 'the topic is there already; kafka-reassign-partitions changes it';
  return [{ what: 'replication.factor', source: `${wanted}`, target: `${target}`, remedy: { kind: 'none', why } }];
}

type Compared = { readonly differences: readonly Difference[]; readonly notes: readonly string[] };

/** `all of its own`: what the source's topic has at its own level is set even where the target's default is the same today. */
function compareSettings(
  { settings }: TopicFacts,
  target: Settings,
  replicationFactor: number,
  wanted: 'all of its own' | 'what differs',
): Compared {
  const theirs = modernSettings(target);
  const source = settings.known ? modernSettings(settings.value) : {};
  const differences: Difference[] = [];
  const notes = settings.known ? tieringNotes(settings.value) : [];
  for (const [what, { value, level }] of Object.entries(source).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (value === null) continue;
    const there = theirs[what];
    if (there === undefined) {
      if (level === 'topic') notes.push(`${what} (${value}) is not copied: the target does not know it`);
      continue;
    }
    const at = translated(what, target);
    if (at.kind === 'unknown') continue;
    const key = at.kind === 'renamed' ? at.name : what;
    const fitting = at.kind === 'renamed' ? widerBound(source) : fittingValue(what, value, replicationFactor);
    const isOwn = wanted === 'all of its own' && level === 'topic';
    if (isSameValue(what, fitting, there.value) && !isOwn) continue;
    if (fitting !== value) notes.push(`${what} is to be ${fitting}, not ${value}: ${whyOther(what, key)}`);
    differences.push({
      what,
      source: value,
      target: there.value ?? 'none',
      remedy: { kind: 'set', changes: [{ key, value: fitting }] },
    });
    if (there.level === 'broker') notes.push(`${what} of the target comes from its brokers' ${brokerNameOf(what)}`);
  }
  return { differences, notes };
}

/** More replicas than there are could never be in sync. */
function fittingValue(what: string, value: string, replicationFactor: number): string {
  return what === 'min.insync.replicas' ? `${Math.min(Number(value), replicationFactor)}` : value;
}

function whyOther(what: string, key: string): string {
  return what === key
    ? 'there are no more replicas'
    : `the target has only ${key}, which bounds both directions, and records of the source may not be refused`;
}

function tieringNotes(settings: Settings): string[] {
  return settings['remote.storage.enable']?.value === 'true'
    ? ['it is tiered on the source: all of it is read through the brokers, and tiering is not set on the target']
    : [];
}
