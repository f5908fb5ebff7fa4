import type { TopicFound } from '../../core/move/operation/observation.ts';
import type { TopicToMake } from '../../core/move/operation/plan.ts';
import type { SettingChange } from '../../core/move/topic-facts.ts';
import type { MoveTarget, TargetQuestion } from '../../engine/move-ports.ts';
import { PortError } from '../../engine/ports.ts';
import type { Refused } from './admin/answers.ts';
import { KafkaAdmin } from './admin/kafka-admin.ts';
import { poolSettings, type ReaderOptions } from './reader/open-reader.ts';

/** The cluster that is copied to, for the loop of a copy. Every method throws PortError. */
export class CopyTarget implements MoveTarget {
  readonly #admin: KafkaAdmin;

  constructor(options: ReaderOptions) {
    this.#admin = new KafkaAdmin(poolSettings(options, 'drover-copy').settings);
  }

  async read({ topics }: TargetQuestion): Promise<Readonly<Record<string, TopicFound>>> {
    const facts = await this.#admin.topics(topics);
    const found = topics.map((name): [string, TopicFound] => {
      const topic = facts.find((one) => one.name === name);
      if (topic === undefined) return [name, { topicId: null, partitions: 0, settings: null, holdings: null }];
      const { topicId, partitions, settings } = topic;
      if (!settings.known) throw new PortError('refused', `settings of ${name}: ${settings.why}`, { retriable: true });
      return [name, { topicId: topicId ?? name, partitions, settings: settings.value, holdings: null }];
    });
    return Object.fromEntries(found);
  }

  async makeTopic(topic: string, { partitions, replicationFactor, settings }: TopicToMake): Promise<void> {
    const [made] = await this.#admin.makeTopics([{ topic, partitions, replicationFactor, settings }]);
    // What is there already was made by an earlier attempt whose answer was lost.
    if (made?.refused != null && !made.refused.exists) throw refusal(`the topic ${topic} cannot be made`, made.refused);
  }

  async changeSettings(changes: readonly SettingChange[]): Promise<void> {
    for (const { topic, refused } of await this.#admin.changeSettings(changes))
      if (refused !== null) throw refusal(`settings of ${topic} cannot be changed`, refused);
  }

  async deleteTopic(topic: string): Promise<void> {
    throw new PortError('refused', `the topic ${topic} cannot be deleted yet`, { retriable: false });
  }

  async close(): Promise<void> {
    await this.#admin.close();
  }
}

function refusal(what: string, { error, why, retriable }: Refused): PortError {
  return new PortError('refused', `${what} on the target: ${error}: ${why}`, { retriable });
}
