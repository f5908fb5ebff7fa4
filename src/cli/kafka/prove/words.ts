import { type Left, leftReasons } from '../../../core/move/ledger-lines.ts';
import type { Finding, FindingKind, OffsetRange, Verdict } from '../../../core/move/proof/finding.ts';
import type { LeverState, ParityDifference } from '../../../core/move/proof/parity.ts';
import { whole } from '../../terminal/figures.ts';
import { amount } from '../verify/progress.ts';
import type { Proof, ProofPartition, ProofTopic } from './result.ts';

/** What a person reads in the end. */
export function proofLines(proof: Proof): string[] {
  const { operation, source, target, topics, bytes, elapsedMs, chain } = proof;
  const troubles = [source, target].flatMap(({ trouble }, index) =>
    trouble === null ? [] : [`the ${index === 0 ? 'source' : 'target'} cannot be asked: ${trouble}`],
  );
  return [
    `${operation}: ${source.bootstrap} → ${target.bootstrap}, ${proof.stage}`,
    ...troubles,
    ...topics.flatMap(topicLines),
    ...journalLines(proof),
    `${verdictWords(proof)} (${amount(bytes)} read in ${(elapsedMs / 1000).toFixed(1)} s)`,
    `head of the chain: entry ${chain.seq}, ${chain.hash}`,
  ];
}

export function verdictWords({
  verdict,
  data,
  configuration,
}: Pick<Proof, 'verdict' | 'data' | 'configuration'>): string {
  if (verdict === 'proven') return 'proven: all of it stands on the target as the ledger has it';
  const of = [data === verdict ? 'records' : '', configuration === verdict ? 'settings' : ''].filter(
    (one) => one !== '',
  );
  const words = {
    wrong: 'WRONG',
    unprovable: 'nothing is known to be wrong, and not all of it can be proven any more',
  } as const;
  return `${words[verdict]} (${of.join(' and ')})`;
}

const verdictShort: Readonly<Record<Verdict, string>> = {
  proven: 'proven',
  wrong: 'WRONG',
  unprovable: 'not provable',
};

function topicLines({ topic, verdict, partitions, configuration }: ProofTopic): string[] {
  const records = partitions.reduce((sum, one) => sum + one.records, 0);
  const many = `${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'}`;
  return [
    `${topic}: ${verdictShort[verdict]}, ${many}, ${whole(records)} records`,
    ...partitions.flatMap((partition) => partitionLines(topic, partition)),
    ...configuration.differences.map((one) => `  ${differenceWords(one)}`),
    ...configuration.levers.filter(({ state }) => state !== 'restored').map((one) => `  ${leverWords(one)}`),
    ...configuration.notes.map((note) => `  note: ${note}`),
  ];
}

function partitionLines(topic: string, partition: ProofPartition): string[] {
  const { verdict, batches, findings } = partition;
  const anew =
    batches.madeAnew === 0 ? '' : `, ${whole(batches.compared)} of ${whole(batches.madeAnew)} made anew compared`;
  const more = findings.length - findingsMax;
  return [
    `  ${topic}-${partition.partition}: ${verdictShort[verdict]}: ${accountWords(partition)}; ${whole(batches.proven)} of ${whole(batches.lines)} batches read back${anew}`,
    ...findings.slice(0, findingsMax).map((finding) => `    ${findingWords(finding)}`),
    ...(more > 0 ? [`    and ${more} more: --json has up to 1000 of them`] : []),
  ];
}

const findingsMax = 20;

/** `offsets 0 to 99: 90 copied, 10 aborted`. */
export function accountWords({ account, before }: Pick<ProofPartition, 'account' | 'before'>): string {
  const { from, to, copied } = account;
  const left = leftReasons.filter((why) => account[why] > 0).map((why) => `${whole(account[why])} ${leftWords[why]}`);
  const earlier = [
    ...(before.gone > 0 ? [`${whole(before.gone)} gone before it began`] : []),
    ...(before.skipped > 0 ? [`${whole(before.skipped)} skipped by --from`] : []),
  ];
  const range = to > from ? `offsets ${from} to ${to - 1}: ` : `from offset ${from}: `;
  return `${range}${[`${whole(copied)} copied`, ...left, ...earlier].join(', ')}`;
}

export const leftWords: Readonly<Record<Left, string>> = {
  control: 'markers',
  aborted: 'aborted',
  hole: 'holes',
  'below-log-start': 'deleted before they were read',
  'not-asked': 'not asked for',
};

export function findingWords({ kind, source, target, count, detail }: Finding): string {
  const many = count > 1 ? ` (${whole(count)} of them)` : '';
  const places = [placeWords('target', target), placeWords('source', source)].filter((one) => one !== '').join(', ');
  return [`${kindWords[kind]}${many}`, places, detail ?? ''].filter((one) => one !== '').join(': ');
}

function placeWords(side: string, range: OffsetRange | null): string {
  if (range === null) return '';
  const { from, to } = range;
  if (to <= from) return `${side} offset ${from}`;
  return to - from === 1 ? `${side} offset ${from}` : `${side} offsets ${from} to ${to - 1}`;
}

const kindWords: Readonly<Record<FindingKind, string>> = {
  missing: 'MISSING on the target',
  truncated: 'CUT OFF on the target',
  doubled: 'DOUBLED on the target',
  changed: 'CHANGED on the target',
  corrupt: 'CORRUPT on the target',
  retimed: 'OTHER TIMES on the target',
  foreign: 'OF SOMEBODY ELSE on the target',
  stray: 'of ours, and NO LINE of the ledger speaks of it',
  misplaced: 'at ANOTHER OFFSET than it was sent to',
  'other-records': 'OTHER RECORDS than the source has',
  'ledger-gap': 'LINES ARE MISSING in the ledger',
  'ledger-changed': 'the ledger is NOT WHAT WAS WRITTEN',
  'ledger-short': 'the ledger ENDS TOO EARLY',
  account: 'the account DOES NOT ADD UP',
  'other-topic': 'ANOTHER TOPIC',
  stopped: 'stopped, by the journal',
  deleted: 'deleted on the target since',
  compacted: 'compacted on the target since',
  unproven: 'never compared with the source, which had deleted it',
  'source-gone': 'made anew, and the source has its records no more',
  unread: 'not read',
  before: 'stood there before',
  behind: 'of somebody else, behind the copy',
  later: 'not settled yet',
  unsettled: 'not settled, and not there',
};

export function differenceWords({ what, source, target, why }: ParityDifference): string {
  const words = {
    'set aside': 'set aside while it is copied',
    accepted: 'cannot be otherwise, and was agreed to',
    changed: 'somebody has changed it since',
    differs: 'DIFFERS',
  } as const;
  return `${what}: ${source} on the source, ${target} on the target: ${words[why]}`;
}

export function leverWords({ key, before, now, state }: LeverState): string {
  const words = {
    'set aside': `is set aside, and will be ${before ?? 'not set'} again`,
    restored: 'is restored',
    left: `is LEFT as it was while copying, and was ${before ?? 'not set'} before`,
    changed: `was ${before ?? 'not set'} before, and somebody has changed it`,
  } as const;
  return `${key} ${words[state]} (now ${now ?? 'not set'})`;
}

function journalLines({ journal }: Proof): string[] {
  const { controllers, moverFailures, holds, lost, unproven, stopped, leversLeft } = journal;
  const many = (count: number, noun: string) => `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
  const parts = [
    ...(controllers > 1 ? [`begun again ${many(controllers - 1, 'time')}`] : []),
    ...(moverFailures > 0 ? [`${many(moverFailures, 'end')} of the mover by itself`] : []),
    ...(holds.length > 0 ? [many(holds.length, 'hold')] : []),
    ...(lost.length > 0 ? [`${many(lost.length, 'loss')} of the target, copied once more`] : []),
    ...(unproven.length > 0 ? [`${many(unproven.length, 'range')} unproven`] : []),
    ...(stopped.length > 0 ? [`${many(stopped.length, 'partition')} stopped`] : []),
    ...(leversLeft.length > 0 ? [`${many(leversLeft.length, 'setting')} left as somebody has changed them`] : []),
  ];
  return parts.length === 0 ? [] : [`journalled: ${parts.join(', ')}`];
}
