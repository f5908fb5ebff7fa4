import type { NewTopic, SettingChange, Settings, TopicFacts } from '../../../core/move/topic-facts.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import { BrokerPool, type PoolSettings } from '../reader/broker-pool.ts';
import { changeSettings, type SettingsChanged } from './topic-settings.ts';
import { describeTopics, makeTopics, settingsOfNewTopic, type TopicMade } from './topics.ts';

/**
 * What a copy asks of a cluster about its topics, and what it changes in it. Every method throws PortError, which names the side;
 * what the cluster refuses of one topic among several is a value.
 */
export class KafkaAdmin {
  readonly #pool: BrokerPool;

  constructor(settings: PoolSettings) {
    this.#pool = new BrokerPool(settings);
  }

  /** Those of these names that are there; null: all that may be seen and are not Kafka's own. */
  topics(names: readonly string[] | null): Promise<TopicFacts[]> {
    return describeTopics(this.#pool, names);
  }

  /** What a topic of this name would have that is made without settings. */
  newTopicSettings(topic: string): Promise<Reading<Settings>> {
    return settingsOfNewTopic(this.#pool, topic);
  }

  checkNewTopics(topics: readonly NewTopic[]): Promise<TopicMade[]> {
    return makeTopics(this.#pool, topics, 'only-check');
  }

  makeTopics(topics: readonly NewTopic[]): Promise<TopicMade[]> {
    return makeTopics(this.#pool, topics, 'make');
  }

  checkSettings(changes: readonly SettingChange[]): Promise<SettingsChanged[]> {
    return changeSettings(this.#pool, changes, 'only-check');
  }

  changeSettings(changes: readonly SettingChange[]): Promise<SettingsChanged[]> {
    return changeSettings(this.#pool, changes, 'change');
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
