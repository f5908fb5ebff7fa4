import type { Holdings, TopicFound } from '../../core/move/operation/observation.ts';
import type { SettingChange, Settings } from '../../core/move/topic-facts.ts';
import { PortError } from '../../engine/ports.ts';
import { SimAcls } from './acls.ts';

/** A topic of the target, as long as it lives and after. */
export class SimTopic {
  readonly id: string;
  readonly name: string;
  readonly madeBy: 'copy' | 'others';
  readonly madeAtMs: number;
  deletedAtMs: number | null = null;
  /** What is set at it. */
  readonly own: Map<string, string>;
  /** What would be set at it, had nothing been set aside: as whoever changed it last wanted it. */
  readonly rightful: Map<string, string | null>;
  /** Of settings: when somebody else changed it last. */
  readonly changedAtMs = new Map<string, number>();
  readonly partitions: SimLog[];
  /** Groups that have committed, and since when. */
  readonly groups = new Map<string, number>();

  constructor(id: string, name: string, madeBy: SimTopic['madeBy'], madeAtMs: number, made: Made) {
    [this.id, this.name, this.madeBy, this.madeAtMs] = [id, name, madeBy, madeAtMs];
    this.own = new Map(Object.entries(made.own));
    this.rightful = new Map(this.own);
    this.partitions = Array.from({ length: made.partitions }, newLog);
  }
}

export type Made = { readonly partitions: number; readonly own: Readonly<Record<string, string>> };

export type SimLog = {
  end: number;
  /** When somebody else wrote to it first; null: nobody did. */
  foreignAtMs: number | null;
};

function newLog(): SimLog {
  return { end: 0, foreignAtMs: null };
}

/** What a broker has for a topic that says nothing itself. */
export const brokerDefaults: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'max.compaction.lag.ms': '9223372036854775807',
  'max.message.bytes': '1048588',
  'message.timestamp.after.max.ms': '3600000',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.type': 'CreateTime',
  'min.compaction.lag.ms': '0',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
  'segment.bytes': '1073741824',
};

/** The cluster that is copied to, and nothing of Drover. Brokers tell what was so a moment ago. */
export class SimTarget {
  readonly #now: () => number;
  readonly acls: SimAcls;
  readonly topics = new Map<string, SimTopic>();
  /** All that ever were, by id. */
  readonly byId = new Map<string, SimTopic>();
  readonly #views: { readonly atMs: number; readonly view: ReadonlyMap<string, View> }[] = [];
  isRefusing = false;
  isAway = false;
  #ids = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.acls = new SimAcls(now);
    this.#remember();
  }

  make(name: string, madeBy: SimTopic['madeBy'], made: Made): SimTopic {
    const topic = new SimTopic(`id-${++this.#ids}`, name, madeBy, this.#now(), made);
    this.topics.set(name, topic);
    this.byId.set(topic.id, topic);
    this.#remember();
    return topic;
  }

  /** By id. */
  delete(topic: SimTopic): void {
    if (this.topics.get(topic.name) === topic) this.topics.delete(topic.name);
    topic.deletedAtMs ??= this.#now();
    this.#remember();
  }

  grow(topic: SimTopic, partitions: number): void {
    while (topic.partitions.length < partitions) topic.partitions.push(newLog());
    this.#remember();
  }

  /** All changes of one topic together or not at all. */
  change(changes: readonly SettingChange[]): void {
    for (const { topic: name, key, value } of changes) {
      const topic = this.topics.get(name);
      if (topic === undefined) throw new PortError('refused', `${name}: no such topic`, { retriable: true });
      if (value === null) topic.own.delete(key);
      else topic.own.set(key, value);
    }
    this.#remember();
  }

  changeByHand(topic: SimTopic, key: string, value: string | null): void {
    // What is so already is no change that anybody could see.
    if ((topic.own.get(key) ?? null) === value) return;
    if (value === null) topic.own.delete(key);
    else topic.own.set(key, value);
    topic.rightful.set(key, value);
    topic.changedAtMs.set(key, this.#now());
    this.#remember();
  }

  /** As a broker tells it that is so far behind; `holdings`: of topics of which it has to be known what is in them. */
  found(names: readonly string[], behindMs: number, holdings: (topic: SimTopic) => Holdings | null) {
    const atMs = this.#now() - behindMs;
    const { view } = this.#views.findLast((one) => one.atMs <= atMs) ?? { view: new Map<string, View>() };
    return Object.fromEntries(names.map((name) => [name, foundAs(view.get(name), holdings)]));
  }

  /** Nobody is so far behind. */
  #remember(): void {
    const view = new Map([...this.topics].map(([name, topic]) => [name, viewOf(topic)]));
    this.#views.push({ atMs: this.#now(), view });
    if (this.#views.length > 2000) this.#views.splice(0, 1000);
  }
}

type View = { readonly topic: SimTopic; readonly partitions: number; readonly settings: Settings };

function viewOf(topic: SimTopic): View {
  return { topic, partitions: topic.partitions.length, settings: settingsOf(topic.own) };
}

export function settingsOf(own: ReadonlyMap<string, string>): Settings {
  const defaults = Object.entries(brokerDefaults).map(([key, value]) => [key, { value, level: 'default' }] as const);
  const set = [...own].map(([key, value]) => [key, { value, level: 'topic' }] as const);
  return Object.fromEntries([...defaults, ...set]);
}

function foundAs(view: View | undefined, holdings: (topic: SimTopic) => Holdings | null): TopicFound {
  if (view === undefined) return { topicId: null, partitions: 0, settings: null, holdings: null };
  const { topic, partitions, settings } = view;
  return { topicId: topic.id, partitions, settings, holdings: holdings(topic) };
}
