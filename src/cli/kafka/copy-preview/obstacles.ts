import { rightWords } from '../../../core/move/rights.ts';
import type { HeldPartition } from '../../../core/move/topic-facts.ts';
import type { Refusal } from '../../../core/move/topics.ts';
import type { SideName } from '../side.ts';
import { amount } from '../verify/progress.ts';
import type { CopyPreview } from './preview.ts';

/** What has to be otherwise before it can begin: each a sentence that says what to do. */
export function obstaclesOf(preview: Omit<CopyPreview, 'obstacles'>, topics: readonly string[]): string[] {
  return [
    ...topics
      .filter((name) => !preview.topics.some(({ plan }) => plan.topic === name))
      .map((name) => `${name}: the source has no such topic, or the user may not see it`),
    ...sideNames.flatMap((side) => unreached(side, preview)),
    ...preview.topics.flatMap(({ plan }) =>
      plan.kind === 'refused' ? plan.refusals.map((refusal) => `${plan.topic}: ${refusalWords(refusal)}`) : [],
    ),
    ...preview.partitions.flatMap(({ topic, partition, bounds }) =>
      bounds.known ? [] : [`${topic}-${partition} of the source cannot be read: ${bounds.why}`],
    ),
    ...preview.disks
      .filter(({ verdict }) => verdict === 'does not fit')
      .map(
        ({ broker, neededBytes, usableBytes, why }) =>
          `broker ${broker} of the target needs ${amount(neededBytes)} and has ${amount(usableBytes ?? 0)} free: ${why}`,
      ),
    ...sideNames.flatMap((side) => lacking(side, preview)),
  ];
}

const sideNames: readonly SideName[] = ['source', 'target'];

function unreached(side: SideName, { clusters }: Pick<CopyPreview, 'clusters'>): string[] {
  return clusters[side].brokers.flatMap(({ roundTripMs }) => (roundTripMs.known ? [] : [roundTripMs.why]));
}

function lacking(side: SideName, { access }: Pick<CopyPreview, 'access'>): string[] {
  const lacks = access[side].rights.filter(
    ({ allowed, without }) => without === null && allowed.known && !allowed.value,
  );
  if (lacks.length === 0) return [];
  const who = access[side].principal ?? 'the user';
  return [`${who} lacks on the ${side}: ${some(lacks.map(rightWords))}; the commands below allow it`];
}

/** The first few, and how many more there are. */
export function some(words: readonly string[], most = 5): string {
  const more = words.length - most;
  return more <= 0 ? words.join(', ') : `${words.slice(0, most).join(', ')} and ${more} more`;
}

export function refusalWords(refusal: Refusal): string {
  switch (refusal.kind) {
    case 'internal':
      return 'topics whose names begin with __ are the cluster’s own, and are never copied';
    case 'unknown':
      return `${refusal.what}: not known: ${refusal.why}`;
    case 'holds-data':
      return `the target holds records of it that no copy of ours has written: ${some(refusal.partitions.map(heldWords), 3)}. Where a copy of ours has written them and its state is lost, --adopt proves that and goes on; else take another target topic, or delete that one`;
    case 'fewer-partitions':
      return `the target has ${refusal.target} partitions, the source ${refusal.source}: kafka-topics --alter --partitions ${refusal.source} on the target, or delete that topic`;
    case 'old-format':
      return `the target keeps its records in the format of ${refusal.version}, which cannot hold what is copied: set message.format.version to 0.11.0 or newer there`;
    case 'refused-by-target':
      return `the target refuses it: ${refusal.error}: ${refusal.why}`;
  }
}

function heldWords({ partition, logStart, end, first, last }: HeldPartition): string {
  const batch = (one: HeldPartition['first']) =>
    one === null
      ? 'a batch that cannot be read'
      : `offsets ${one.baseOffset} to ${one.lastOffset} of ${timeWords(one.newestMs)}${one.producerId === null ? '' : `, producer ${one.producerId}`}`;
  return `partition ${partition} has ${logStart} to ${end - 1}, the first batch ${batch(first)}, the last ${batch(last)}`;
}

export function timeWords(ms: number): string {
  return ms < 0 ? 'no time' : new Date(ms).toISOString();
}
