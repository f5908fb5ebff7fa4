import type { CopyOrder } from '../../../core/move/operation/plan.ts';
import type { Difference } from '../../../core/move/topics.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import { rateWords } from '../../journal/copy-sentences.ts';
import { whole } from '../../terminal/figures.ts';
import { leftAclLines, madeAclLines } from '../copy-preview/acl-words.ts';
import type { AclPreview } from '../copy-preview/acls.ts';
import type { Planned, PlannedView } from './plan-copy.ts';

/** What is changed on the target before anything moves: null where nothing is, so that nobody has to agree. */
export function changesLines({ plan, topics }: Planned, acls: Reading<AclPreview>): string[] | null {
  const shown = topics.filter((view) => view.kind !== 'fits');
  const made = madeAclLines(acls);
  if (shown.length === 0 && plan.levers.length === 0 && made.length === 0) return null;
  const levers = [...Map.groupBy(plan.levers, ({ topic }) => topic)].map(
    ([topic, own]) =>
      `  ${topic}: ${own.map(({ key, before, whileCopying }) => `${key} ${whileCopying} (then ${before ?? 'not set'})`).join(', ')}`,
  );
  return [
    ...shown.flatMap((view) => topicLines(view, plan.topics.find(({ name }) => name === view.topic)?.make ?? null)),
    ...(levers.length === 0 ? [] : ['While they are copied, and restored when that is done:', ...levers]),
    ...made,
    ...leftAclLines(acls),
  ];
}

/** What would be copied. */
export function extentLines({ topics, plan }: Planned, rate: number | null): string[] {
  const offsets = topics.reduce((sum, view) => sum + view.offsets, 0);
  const partitions = topics.reduce((sum, view) => sum + view.partitions, 0);
  const continued = topics.filter((view) => view.isContinued).map(({ topic }) => topic);
  const skipped = plan.topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partition, begin, logStart }) =>
      begin.source > logStart
        ? [`  ${name}-${partition}: offsets ${logStart} to ${begin.source - 1} are not copied`]
        : [],
    ),
  );
  return [
    `${topics.length} ${topics.length === 1 ? 'topic' : 'topics'}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, ${whole(offsets)} offsets to go, ${rateWords(rate)}`,
    ...paceLines(plan),
    ...adoptedLines(plan),
    ...(continued.length === 0 ? [] : [`  going on where an earlier copy has ended: ${continued.join(', ')}`]),
    ...skipped,
  ];
}

function adoptedLines({ topics }: Planned['plan']): string[] {
  const adopted = topics.flatMap(({ name, partitions }) =>
    partitions.flatMap((one) => (one.adopted === undefined ? [] : [`${name}-${one.partition}`])),
  );
  return adopted.length === 0 ? [] : [`  with a ledger made of what stands on both sides: ${adopted.join(', ')}`];
}

const orders: Readonly<Record<CopyOrder, string>> = {
  retention: 'those first whose oldest records are deleted soonest',
  newest: 'those first that have the newest records',
  name: 'by name',
};

function paceLines({ pace }: Planned['plan']): string[] {
  const most = pace?.partitionsPerBroker ?? null;
  if (pace === undefined || most === null) return [];
  const first = pace.first.length > 3 ? `${pace.first.slice(0, 3).join(', ')}, …` : pace.first.join(', ');
  return [`  of each broker ${most} at a time, ${orders[pace.order]}: ${first}`];
}

type Make = {
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: Readonly<Record<string, string>>;
} | null;

function topicLines({ topic, differences, notes }: PlannedView, make: Make): string[] {
  const settings = Object.entries(make?.settings ?? {}).map(([key, value]) => `    ${key}=${value}`);
  const made =
    make === null
      ? [`~ ${topic} differs`]
      : [`+ ${topic} is made: ${make.partitions} partitions, ${make.replicationFactor} replicas`];
  return [...made, ...settings, ...differences.map(differenceWords), ...notes.map((note) => `    note: ${note}`)];
}

function differenceWords({ what, source, target, remedy }: Difference): string {
  const then =
    remedy.kind === 'set'
      ? `set to ${remedy.changes.map(({ key, value }) => `${key}=${value ?? 'none'}`).join(', ')}`
      : '';
  const stays = remedy.kind === 'none' ? `stays: ${remedy.why}` : then;
  return `    ${what}: ${source} on the source, ${target} on the target: ${stays}`;
}
