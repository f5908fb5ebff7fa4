import type { NewTopic, Settings, TopicFacts } from '../../../core/move/topic-facts.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { createPartitions } from '../messages/create-partitions.ts';
import { createTopics } from '../messages/create-topics.ts';
import { deleteTopics as deleteTopicsApi } from '../messages/delete-topics.ts';
import { codeOf, kafkaError, noError } from '../messages/error-codes.ts';
import type { TopicMetadata } from '../messages/metadata.ts';
import type { BrokerPool } from '../reader/broker-pool.ts';
import { errorOf, isDenied, type Refused, refusedBy } from './answers.ts';
import { readingOf } from './reading-of.ts';
import { settingsOf, topicSettings } from './topic-settings.ts';

/**
 * Those of these names that are there, with their settings; null: all that may be seen and are not Kafka's own. One that may not be
 * seen, so that nobody knows whether it is there, has no partitions and unknown settings.
 */
export async function describeTopics(pool: BrokerPool, names: readonly string[] | null): Promise<TopicFacts[]> {
  if (names?.length === 0) return [];
  const { topics } = await pool.describe(names);
  const there = topics.filter(({ errorCode, isInternal }) => errorCode !== absent && (names !== null || !isInternal));
  const settings = await topicSettings(
    pool,
    there.filter(({ errorCode }) => !isDenied(errorCode)).map(({ name }) => name),
  );
  return there.map((topic) => {
    const { name, errorCode } = topic;
    const error = errorOf(`${name} of the ${pool.settings.side}`, errorCode);
    if (isDenied(errorCode)) return factsOf(topic, unknown(error.message));
    if (errorCode !== noError && kafkaError(errorCode).remedy !== 'metadata') throw error;
    return factsOf(topic, settings.get(name) ?? unknown('the broker did not answer'));
  });
}

export type TopicMade = {
  readonly topic: string;
  /** Null: it was not made, or the cluster has no ids. */
  readonly topicId: string | null;
  readonly refused: (Refused & { readonly exists: boolean }) | null;
};

/** `only-check`: nothing is made, and it is told what would be refused. */
export async function makeTopics(
  pool: BrokerPool,
  topics: readonly NewTopic[],
  mode: 'make' | 'only-check',
): Promise<TopicMade[]> {
  if (topics.length === 0) return [];
  const answered = await create(pool, topics, mode === 'only-check');
  return answered.map(({ name, topicId, errorCode, errorMessage }) => {
    const refused = refusedBy(errorCode, errorMessage);
    const exists = errorCode === codeOf('TOPIC_ALREADY_EXISTS');
    return { topic: name, topicId, refused: refused === null ? null : { ...refused, exists } };
  });
}

/** What a topic of this name would have there that is made without settings; nothing is made. */
export async function settingsOfNewTopic(pool: BrokerPool, topic: string): Promise<Reading<Settings>> {
  const asked = { topic, partitions: 1, replicationFactor: -1, settings: {} };
  const answered = await readingOf(() => create(pool, [asked], true));
  if (!answered.known) return answered;
  const [answer] = answered.value;
  const refused = answer === undefined ? null : refusedBy(answer.errorCode, answer.errorMessage);
  if (refused !== null) return unknown(`${refused.error}: ${refused.why}`);
  if (answer === undefined || answer.configs === null) {
    const why = answer === undefined ? null : refusedBy(answer.configErrorCode, null);
    return unknown(why === null ? 'the broker did not tell' : `${why.error}: ${why.why}`);
  }
  return known(settingsOf(answer.configs));
}

export type TopicChanged = { readonly topic: string; readonly refused: Refused | null };

/** `partitions`: how many it is to have. */
export async function makePartitions(
  pool: BrokerPool,
  wanted: readonly { readonly topic: string; readonly partitions: number }[],
): Promise<TopicChanged[]> {
  if (wanted.length === 0) return [];
  const broker = await pool.controller();
  const topics = wanted.map(({ topic, partitions }) => ({ name: topic, count: partitions }));
  const response = await broker.call(createPartitions, { topics, timeoutMs, validateOnly: false });
  return response.topics.map(({ name, errorCode, errorMessage }) => ({
    topic: name,
    refused: refusedBy(errorCode, errorMessage),
  }));
}

/**
 * By id, so that a topic that was made anew under the same name meanwhile stays; by name only where a cluster has no ids. One that
 * is gone already counts as deleted. Its files go later.
 */
export async function deleteTopics(
  pool: BrokerPool,
  topics: readonly { readonly topic: string; readonly topicId: string | null }[],
): Promise<TopicChanged[]> {
  if (topics.length === 0) return [];
  const broker = await pool.controller();
  const asked = topics.map(({ topic, topicId }) => ({ name: topicId === null ? topic : null, topicId }));
  const response = await broker.call(deleteTopicsApi, { topics: asked, timeoutMs });
  return topics.map(({ topic, topicId }) => {
    const answer = response.topics.find((one) => (topicId === null ? one.name === topic : one.topicId === topicId));
    const code = answer?.errorCode ?? codeOf('UNKNOWN_SERVER_ERROR');
    const isGone = code === absent || code === codeOf('UNKNOWN_TOPIC_ID');
    return { topic, refused: isGone ? null : refusedBy(code, answer?.errorMessage ?? null) };
  });
}

async function create(pool: BrokerPool, topics: readonly NewTopic[], validateOnly: boolean) {
  const broker = await pool.controller();
  const asked = topics.map(({ topic, partitions, replicationFactor, settings }) => ({
    name: topic,
    partitions,
    replicationFactor,
    configs: Object.entries(settings).map(([name, value]) => ({ name, value })),
  }));
  const response = await broker.call(createTopics, { topics: asked, timeoutMs, validateOnly });
  return response.topics;
}

function factsOf({ name, topicId, partitions }: TopicMetadata, settings: Reading<Settings>): TopicFacts {
  const [first] = partitions;
  return {
    name,
    topicId,
    partitions: partitions.length,
    replicationFactor: first?.replicas.length ?? 0,
    settings,
  };
}

const absent = codeOf('UNKNOWN_TOPIC_OR_PARTITION');
const timeoutMs = 20_000;
