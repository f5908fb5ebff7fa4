import type { MoveEvent, PartitionMark, Rate } from '../../core/move/operation/events.ts';
import { partitionName } from '../../core/move/operation/plan.ts';
import { aclWords } from '../../core/move/rights.ts';
import { amount } from '../kafka/verify/progress.ts';
import { whole } from '../terminal/figures.ts';
import type { Sentences } from './sentences.ts';

/** What the entries of a copy say, for people. */
export const copySentences: Sentences<MoveEvent> = {
  'copy-started': ({ plan, rate }) => {
    const partitions = plan.topics.reduce((sum, topic) => sum + topic.partitions.length, 0);
    const names = plan.topics.map(({ name }) => name).join(', ');
    const places = plan.topics.flatMap(({ name, partitions }) =>
      partitions.flatMap(({ partition, adopted }) => (adopted === undefined ? [] : [`${name}-${partition}`])),
    );
    const adopted = places.length === 0 ? '' : `; proven to be ours, with a ledger made anew: ${places.join(', ')}`;
    return `copy of ${names} (${many(partitions, 'partition')}) from ${plan.source.bootstrap} to ${plan.target.bootstrap}, ${rateWords(rate)}${adopted}`;
  },
  'topic-made': ({ topic, topicId }) => `${topic} was made on the target (id ${topicId})`,
  'topic-found': ({ topic, topicId }) =>
    `${topic} is there on the target (id ${topicId}), and nothing tells that it was made for this copy: it is not removed with it`,
  'settings-changed': () => 'what differed at topics of the target is as it was agreed on',
  'partitions-made': ({ topic }) => `${topic} has as many partitions on the target as on the source`,
  'levers-intended': ({ levers }) =>
    `to be set aside: ${levers.map(({ topic, key, before, whileCopying }) => `${topic}: ${key} ${whileCopying} (then ${before ?? 'not set'})`).join('; ')}`,
  'acls-intended': ({ acls }) =>
    acls.length === 0
      ? 'somebody has made all ACLs meanwhile that were to be made on the target: they are not ours'
      : `ACLs to be made on the target: ${acls.map(aclWords).join('; ')}`,
  'acls-made': () => 'ACLs of these topics are on the target as on the source',
  'acls-removed': ({ left }) =>
    left.length === 0
      ? 'ACLs that this copy had made on the target are gone'
      : `ACLs that this copy had made on the target are gone, but for those of topics that stay: ${left.map(aclWords).join('; ')}`,
  'partitions-found': ({ topic, partitions }) =>
    `${topic} has ${many(partitions, 'partition')} on the source by now: as many are made on the target`,
  'partitions-added': ({ topic, partitions }) =>
    `${topic} has ${many(partitions, 'partition')} on the target, and the new ones are copied from their beginning`,
  'levers-set': () => 'what stands in the way of a copy at topics of the target is set aside until it is done',
  copying: () => 'data may move from here on',
  'copy-checkpoint': ({ bytes, partitions }) =>
    `checkpoint: ${amount(bytes)} by this controller, ${many(partitions.length, 'partition')} moved on`,
  'copy-held': ({ by, why }) => `held by ${by}: ${why}`,
  'copy-resumed': ({ by, reason }) => `resumed by ${by}${reason === null ? '' : `: ${reason}`}`,
  'rate-changed': ({ by, rate }) => `${by} changed the rate: ${rateWords(rate)}`,
  'mover-failed': ({ lastWords }) => `what moves the data has ended: ${lastWords}`,
  unproven: ({ topic, partition, from, to }) =>
    `${partitionName({ topic, partition })}: offsets ${from} to ${to - 1} of the target are ours, and cannot be compared any more: the source has deleted what they were made from`,
  'lost-on-target': ({ topic, partition, from, to }) =>
    `${partitionName({ topic, partition })}: the target has lost offsets ${from} to ${to - 1}; they are copied once more`,
  'partition-stopped': ({ topic, partition, isDamage, why }) =>
    `${partitionName({ topic, partition })} ${isDamage ? 'is DAMAGED' : 'has stopped'}: ${why}`,
  'copy-left': ({ why }) => `nothing moves any more: ${why}`,
  'caught-up': ({ partitions }) =>
    `all of it stands on the target: ${whole(partitions.reduce((sum, { account }) => sum + account.copied, 0))} records${leftOut(partitions)}`,
  'abort-asked': ({ by, reason }) => `${by} asked for an end${reason === null ? '' : `: ${reason}`}`,
  'levers-restored': ({ left }) =>
    left.length === 0
      ? 'settings that were set aside are as they were'
      : `settings that were set aside are as they were, but what somebody has changed meanwhile stays: ${left.join('; ')}`,
  copied: () => 'copied',
  'copy-aborted': () => 'aborted: what was copied stays on the target, and the ledger too',
  'removal-asked': ({ by, reason }) =>
    `${by} asked for what was made to be removed${reason === null ? '' : `: ${reason}`}`,
  'topic-deleted': ({ topic }) => `${topic} was deleted on the target`,
  'topic-kept': ({ topic, why }) => `${topic} stays on the target: ${why}`,
  'rebuild-asked': ({ topic, by, reason }) =>
    `${by} asked for ${topic} to be deleted on the target and made anew${reason === null ? '' : `: ${reason}`}`,
  'rebuild-intended': ({ topic }) =>
    `nobody needs ${topic} as it is on the target: it is deleted, and made anew as it was`,
  'rebuild-refused': ({ topic, why }) => `${topic} stays on the target as it is: ${why}`,
  'topic-cleared': ({ topic }) => `${topic} is gone from the target: it is made anew, and copied from its beginning`,
  'copy-removed': () => 'what this copy had made and nobody else uses is removed',
};

export function rateWords(rate: Rate): string {
  return rate === null ? 'at any rate' : `at most ${amount(rate)}/s to each broker`;
}

/** Offsets that have no record on the target, by reason. */
function leftOut(marks: readonly PartitionMark[]): string {
  const reasons = [
    ['control', 'markers of transactions'],
    ['aborted', 'aborted'],
    ['hole', 'holes'],
    ['below-log-start', 'deleted before they were read'],
    ['not-asked', 'not asked for'],
  ] as const;
  const told = reasons.flatMap(([why, words]) => {
    const count = marks.reduce((sum, { account }) => sum + account[why], 0);
    return count === 0 ? [] : [`${whole(count)} ${words}`];
  });
  return told.length === 0 ? '' : `; offsets without one: ${told.join(', ')}`;
}

function many(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}
