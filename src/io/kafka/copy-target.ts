import type { TopicAcl } from '../../core/move/acl-facts.ts';
import type { Holdings, TopicFound } from '../../core/move/operation/observation.ts';
import type { TopicToMake } from '../../core/move/operation/plan.ts';
import { aclWords } from '../../core/move/rights.ts';
import type { SettingChange, TopicFacts } from '../../core/move/topic-facts.ts';
import type { MoveTarget, TargetAcls, TargetQuestion } from '../../engine/move-ports.ts';
import { PortError } from '../../engine/ports.ts';
import type { Refused } from './admin/answers.ts';
import { CopySide } from './copy-side.ts';
import type { ReaderOptions } from './reader/open-reader.ts';

/** Up to which offset of the target the ledger of this partition knows what stands there; null: there is none. */
export type LedgerEnd = (topic: string, partition: number, topicId: string) => number | null;

/** The cluster that is copied to, for the loop of a copy. Every method throws PortError. */
export class CopyTarget implements MoveTarget, TargetAcls {
  readonly #side: CopySide;
  readonly #ledgerEnd: LedgerEnd;

  constructor(options: ReaderOptions, ledgerEnd: LedgerEnd) {
    this.#side = new CopySide(options);
    this.#ledgerEnd = ledgerEnd;
  }

  async read({ topics, holdingsOf }: TargetQuestion): Promise<Readonly<Record<string, TopicFound>>> {
    const facts = await this.#side.topics(topics);
    const found: [string, TopicFound][] = [];
    for (const name of topics) {
      const topic = facts.find((one) => one.name === name);
      const holdings = topic !== undefined && holdingsOf.includes(name) ? await this.#holdings(topic) : null;
      found.push([name, foundAs(name, topic, holdings)]);
    }
    return Object.fromEntries(found);
  }

  async makeTopic(topic: string, { partitions, replicationFactor, settings }: TopicToMake): Promise<string | null> {
    const [made] = await this.#side.makeTopics([{ topic, partitions, replicationFactor, settings }]);
    // What is there already was made by an earlier attempt whose answer was lost.
    if (made?.refused != null && !made.refused.exists) throw refusal(`the topic ${topic} cannot be made`, made.refused);
    return made === undefined || made.refused !== null ? null : (made.topicId ?? topic);
  }

  async makePartitions(topic: string, partitions: number): Promise<void> {
    const [made] = await this.#side.makePartitions([{ topic, partitions }]);
    if (made?.refused != null) throw refusal(`partitions of ${topic} cannot be made`, made.refused);
  }

  async changeSettings(changes: readonly SettingChange[]): Promise<void> {
    for (const { topic, refused } of await this.#side.changeSettings(changes))
      if (refused !== null) throw refusal(`settings of ${topic} cannot be changed`, refused);
  }

  async deleteTopic(topic: string, topicId: string): Promise<void> {
    // A broker that has no ids tells the name in its place.
    const [deleted] = await this.#side.deleteTopics([{ topic, topicId: topicId === topic ? null : topicId }]);
    if (deleted?.refused != null) throw refusal(`the topic ${topic} cannot be deleted`, deleted.refused);
  }

  async readAcls(): Promise<readonly TopicAcl[]> {
    const found = await this.#side.topicAcls();
    if (!found.known) throw new PortError('refused', found.why, { retriable: true });
    return found.value === 'none' ? [] : found.value;
  }

  async makeAcls(acls: readonly TopicAcl[]): Promise<void> {
    for (const { acl, refused } of await this.#side.makeAcls(acls))
      if (refused !== null) throw refusal(`the ACL "${aclWords(acl)}" cannot be made`, refused);
  }

  async deleteAcls(acls: readonly TopicAcl[]): Promise<void> {
    for (const { acl, refused } of await this.#side.deleteAcls(acls))
      if (refused !== null) throw refusal(`the ACL "${aclWords(acl)}" cannot be taken away`, refused);
  }

  async close(): Promise<void> {
    await this.#side.close();
  }

  async #holdings(topic: TopicFacts): Promise<Holdings> {
    const { name, topicId } = topic;
    const bounds = await this.#side.bounds([topic]);
    const commits = await this.#side.groupsCommittedOn([name]);
    return {
      partitions: bounds.map(({ partition, highWatermark }) => {
        const ledgerEnd = this.#ledgerEnd(name, partition, topicId ?? name);
        return { partition, logEnd: highWatermark, ledgerEnd };
      }),
      groups: [...new Set(commits.map(({ group }) => group))],
    };
  }
}

function foundAs(name: string, topic: TopicFacts | undefined, holdings: Holdings | null): TopicFound {
  if (topic === undefined) return { topicId: null, partitions: 0, settings: null, holdings: null };
  const { topicId, partitions, settings } = topic;
  if (!settings.known) throw new PortError('refused', `settings of ${name}: ${settings.why}`, { retriable: true });
  return { topicId: topicId ?? name, partitions, settings: settings.value, holdings };
}

function refusal(what: string, { error, why, retriable }: Refused): PortError {
  return new PortError('refused', `${what} on the target: ${error}: ${why}`, { retriable });
}
