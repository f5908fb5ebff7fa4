import type { ClusterFacts } from '../../../core/move/cluster-facts.ts';
import { rightWords } from '../../../core/move/rights.ts';
import type { TopicLever } from '../../../core/move/topic-levers.ts';
import type { Difference, TopicPlan } from '../../../core/move/topics.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import { whole } from '../../terminal/figures.ts';
import { harmless } from '../../terminal/text.ts';
import type { SideName } from '../side.ts';
import { amount } from '../verify/progress.ts';
import { leftAclLines, madeAclLines } from './acl-words.ts';
import { some } from './obstacles.ts';
import type { Access, CopyPreview, TopicPreview } from './preview.ts';
import { durationWords, timeLines } from './time-words.ts';

/** What a person reads before saying yes; nothing in it has happened. */
export function previewText(preview: CopyPreview): string {
  const parts: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['Before it can begin', preview.obstacles.map((obstacle) => `- ${obstacle}`)],
    ['Topics', preview.topics.flatMap(topicLines)],
    ['While copying, on the target; restored when it has caught up, and on abort', leverLines(preview.topics)],
    ['Time', timeLines(preview)],
    ['Disks of the target', preview.disks.map(diskWords)],
    ['Brokers', sideNames.flatMap((side) => brokerLines(side, preview.clusters[side]))],
    ['Rights', sideNames.flatMap((side) => accessLines(side, preview.access[side]))],
    ['ACLs', [...madeAclLines(preview.acls), ...leftAclLines(preview.acls)]],
    ['Not copied', leftBehindLines(preview)],
  ];
  const head = headLine(preview);
  const told = parts.flatMap(([title, lines]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)],
  );
  return [head, ...told].map((line) => `${harmless(line)}\n`).join('');
}

const sideNames: readonly SideName[] = ['source', 'target'];

function headLine({ topics, partitions, bytes, clusters, obstacles }: CopyPreview): string {
  const unknown = partitions.filter((partition) => !partition.bytes.known).length;
  const more = unknown === 0 ? '' : ` and ${unknown} partitions of unknown size`;
  const what = `${count(topics.length, 'topic')}, ${count(partitions.length, 'partition')}, ${amount(bytes)}${more}`;
  const where = `from cluster ${clusters.source.clusterId ?? '?'} to ${clusters.target.clusterId ?? '?'}`;
  const verdict = obstacles.length === 0 ? 'It can begin' : 'It cannot begin yet';
  return `${what} ${where}. ${verdict}; nothing has been changed.`;
}

function count(number: number, noun: string): string {
  return `${whole(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function topicLines({ plan, batches, costs }: TopicPreview): string[] {
  const sizes =
    batches === null
      ? []
      : [
          `batches: ${amount(batches.medianBytes)}, largest ${amount(batches.largestBytes)}, ${batches.codecs.join(', ')} (${batches.sampled} sampled)`,
        ];
  const details = [...planDetails(plan), ...plan.notes, ...costs, ...sizes];
  return [`${plan.topic}: ${planWords(plan)}`, ...details.map((line) => `  ${line}`)];
}

function planWords(plan: TopicPlan): string {
  switch (plan.kind) {
    case 'make':
      return `is made, ${count(plan.partitions, 'partition')}, ${count(plan.replicationFactor, 'replica')} each`;
    case 'fits':
      return 'is there, and fits';
    case 'differs':
      return 'is there, and differs';
    case 'refused':
      return 'not copied, see above';
  }
}

function planDetails(plan: TopicPlan): string[] {
  if (plan.kind === 'differs') return plan.differences.map(differenceWords);
  if (plan.kind !== 'make') return [];
  const settings = Object.entries(plan.settings);
  return settings.length === 0 ? [] : [`with ${settings.map(([name, value]) => `${name}=${value}`).join(', ')}`];
}

function differenceWords({ what, source, target, remedy }: Difference): string {
  const values = `${what}: ${source} on the source, ${target} on the target`;
  switch (remedy.kind) {
    case 'set':
      return `${values}: will be set${remedy.changes.some(({ key }) => key !== what) ? ` as ${remedy.changes.map(({ key, value }) => `${key}=${value}`).join(', ')}` : ''}`;
    case 'make-partitions':
      return `${values}: will be made`;
    case 'none':
      return `${values}: stays: ${remedy.why}`;
  }
}

/** One line for each value of a setting, with all topics that get it. */
function leverLines(topics: readonly TopicPreview[]): string[] {
  const levers = topics.flatMap((topic) => topic.levers);
  const alike = Map.groupBy(levers, ({ key, before, whileCopying }) => JSON.stringify([key, before, whileCopying]));
  return [...alike.values()].map((group) => `${leverWords(group[0])}: ${some(group.map(({ topic }) => topic))}`);
}

function leverWords(lever: TopicLever | undefined): string {
  if (lever === undefined) return '';
  const { key, before, whileCopying } = lever;
  return `${key}=${whileCopying} (${before === null ? 'not set on the topic' : `${before} on the topic`})`;
}

function diskWords({
  broker,
  neededBytes,
  usableBytes,
  totalBytes,
  verdict,
  why,
}: CopyPreview['disks'][number]): string {
  const needs = `broker ${broker}: about ${amount(neededBytes)} come`;
  const free = usableBytes === null ? '' : `, ${amount(usableBytes)} of ${amount(totalBytes ?? 0)} are free`;
  return `${needs}${free}: ${verdict === 'unknown' ? 'whether it fits is not known' : verdict}${why === null ? '' : `: ${why}`}`;
}

function brokerLines(side: SideName, { brokers }: ClusterFacts): string[] {
  return brokers.map(({ id, host, port, roundTripMs }) => {
    const reached = roundTripMs.known ? `answers in ${roundTripMs.value.toFixed(1)} ms` : roundTripMs.why;
    return `${side} ${id} at ${host}:${port}: ${reached}`;
  });
}

function accessLines(side: SideName, { authorizer, principal, rights, commands }: Access): string[] {
  if (authorizer === 'none') return [`${side}: no authorizer, so everybody may do everything. With one:`, ...commands];
  const lacking = rights.filter(({ allowed }) => allowed.known && !allowed.value);
  const unknown = rights.filter(({ allowed }) => !allowed.known);
  const lines = [
    ...lacking.map(
      (right) => `  lacking: ${rightWords(right)}${right.without === null ? '' : `; without it ${right.without}`}`,
    ),
    ...(unknown.length === 0 ? [] : [`  not known: ${some(unknown.map(rightWords))}`]),
  ];
  const state = lacking.length + unknown.length === 0 ? 'has all of them' : 'needs';
  return [`${side}: ${principal ?? 'the user of the certificate'} ${state}`, ...lines, ...commands];
}

function leftBehindLines({ notCopied, transactions, atMs }: CopyPreview): string[] {
  const counted = (reading: Reading<number>, nouns: string) =>
    reading.known ? `${whole(reading.value)} ${nouns}` : `${nouns}: how many is not known: ${reading.why}`;
  const open = transactions.known
    ? transactions.value.map(
        ({ topic, partition, startOffset, producerId, lastWriteMs, details }) =>
          `${topic}-${partition} from offset ${startOffset}: a transaction of producer ${producerId} is open${details.known ? `, ${details.value.transactionalId}${details.value.startedMs === null ? '' : `, begun ${durationWords(atMs - details.value.startedMs)} ago`}` : ` (${details.why})`}${lastWriteMs === null ? '' : `, last write ${new Date(lastWriteMs).toISOString()}`}: the copy waits there`,
      )
    : [`whether transactions are open is not known: ${transactions.why}`];
  return [
    counted(notCopied.groups, 'groups and what they have committed'),
    counted(notCopied.quotas, 'quotas'),
    counted(notCopied.scramUsers, 'users with SCRAM passwords'),
    notCopied.schemaTopics.known && notCopied.schemaTopics.value === 0
      ? 'schemas: there is no topic _schemas'
      : counted(notCopied.schemaTopics, 'topics of a schema registry (_schemas), unless it is among these topics'),
    'ACLs about anything but topics: groups, transactional ids, the cluster',
    ...open,
  ];
}
