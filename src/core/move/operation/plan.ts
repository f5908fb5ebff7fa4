import type { TopicAcl } from '../acl-facts.ts';
import type { SettingChange } from '../topic-facts.ts';
import type { TopicLever } from '../topic-levers.ts';

/** What one copy is to do, as it was agreed on before it began. JSON values only: it is the first entry of the copy's chain. */
export type CopyPlan = {
  readonly source: ClusterReference;
  readonly target: ClusterReference;
  readonly asked: CopyAsked;
  readonly topics: readonly PlannedTopic[];
  /** How it goes about it; missing in plans of before there was a choice: all at once. */
  readonly pace?: CopyPace;
  /** Settings of the target that stand in the way of a copy, and are changed while it lasts. */
  readonly levers: readonly TopicLever[];
  /** Entries of the source's ACLs that the target does not have and gets, denials first; missing in plans of before they were copied. */
  readonly acls?: readonly TopicAcl[];
};

export type CopyPace = {
  /** Of each broker of the target at a time; null: all. */
  readonly partitionsPerBroker: number | null;
  readonly order: CopyOrder;
  /** Partitions by name, in their turn; those that are not named come behind them. */
  readonly first: readonly string[];
};

/** Which partitions come first: those whose oldest records the source deletes soonest, those with the newest records, or by name. */
export type CopyOrder = 'retention' | 'newest' | 'name';

/** Without secrets: those are in the file that is named. */
export type ClusterReference = {
  readonly clusterId: string;
  /** As it was typed. */
  readonly bootstrap: string;
  readonly configFile: string | null;
};

/** What tells one command from another: the same one goes on with what it has begun. */
export type CopyAsked = {
  readonly topics: string;
  readonly exclude: string | null;
  readonly from: string;
  readonly follow: boolean;
};

export type PlannedTopic = {
  readonly name: string;
  /** A broker that tells no ids has topics that cannot be told from others of their name: then it is the name. */
  readonly sourceId: string;
  /** Null: it is made by this operation. */
  readonly targetId: string | null;
  /** Null: it is there. */
  readonly make: TopicToMake | null;
  /** So many partitions it is to have, being there with fewer; null: it has enough. */
  readonly grow: number | null;
  /** To what is set at a topic that is there, and stays. */
  readonly changes: readonly SettingChange[];
  readonly partitions: readonly PlannedPartition[];
};

export type TopicToMake = {
  readonly partitions: number;
  readonly replicationFactor: number;
  /** What is set at the topic itself. */
  readonly settings: Readonly<Record<string, string>>;
};

export type PlannedPartition = {
  readonly partition: number;
  /** Where the copy of this partition began, now or at an earlier time, on both sides. */
  readonly begin: { readonly source: number; readonly target: number };
  /** Of the source, when this operation began: what lies before `begin` is not copied. */
  readonly logStart: number;
  /** Nothing at or behind it is copied; null: it is followed. */
  readonly end: number | null;
  /** Its ledger was made of what stood on both sides, up to there; missing: it was not. */
  readonly adopted?: AdoptedPart;
};

export type AdoptedPart = {
  readonly end: { readonly source: number; readonly target: number };
  readonly batches: number;
  readonly records: number;
};

/** In the order of these names, and behind them as they are. */
export function inTurn<Place extends { readonly topic: string; readonly partition: number }>(
  places: readonly Place[],
  first: readonly string[],
): Place[] {
  const turns = new Map(first.map((name, turn) => [name, turn]));
  const turnOf = (place: Place) => turns.get(partitionName(place)) ?? first.length;
  return places.toSorted((one, other) => turnOf(one) - turnOf(other));
}

/** `orders-3`, as Kafka's own tools write it. */
export function partitionName({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}-${partition}`;
}

/** With those partitions of a topic that have been added since: they are followed from their beginning. */
export function withPartitions(plan: CopyPlan, topic: string, count: number): CopyPlan {
  const topics = plan.topics.map((one) => {
    if (one.name !== topic) return one;
    const there = new Set(one.partitions.map(({ partition }) => partition));
    const added = [...Array(count).keys()].filter((partition) => !there.has(partition)).map(addedPartition);
    return { ...one, partitions: [...one.partitions, ...added] };
  });
  return { ...plan, topics };
}

function addedPartition(partition: number): PlannedPartition {
  return { partition, begin: { source: 0, target: 0 }, logStart: 0, end: null };
}

/** Whether it is the same command, at whatever rate. */
export function isSameCopy(one: CopyPlan, other: Pick<CopyPlan, 'source' | 'target' | 'asked'>): boolean {
  const [a, b] = [one.asked, other.asked];
  return (
    one.source.clusterId === other.source.clusterId &&
    one.target.clusterId === other.target.clusterId &&
    a.topics === b.topics &&
    a.exclude === b.exclude &&
    a.from === b.from &&
    a.follow === b.follow
  );
}

/** Topics of the target that both would write. */
export function commonTopics(
  one: CopyPlan,
  other: { readonly target: ClusterReference; readonly topics: readonly Pick<PlannedTopic, 'name'>[] },
): string[] {
  if (one.target.clusterId !== other.target.clusterId) return [];
  const names = new Set(other.topics.map(({ name }) => name));
  return one.topics.map(({ name }) => name).filter((name) => names.has(name));
}
