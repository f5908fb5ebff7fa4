import { expect, test } from 'vitest';
import { copyReportLines } from '../../src/cli/kafka/copy/report.ts';
import type { Entry } from '../../src/core/journal/entry.ts';
import { emptyAccount } from '../../src/core/move/account.ts';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import { foldMove, type MoveState } from '../../src/core/move/operation/state.ts';
import { madeAcl } from '../made/acls.ts';
import { madeCopyPlan } from '../made/copy.ts';

const begun: readonly MoveEvent[] = [
  { kind: 'copy-started', plan: madeCopyPlan(), rate: 60_000_000 },
  { kind: 'acls-intended', acls: [madeAcl()] },
  { kind: 'topic-made', topic: 'orders', topicId: 'target-id' },
  { kind: 'levers-set' },
  { kind: 'copying' },
];
const troubled: readonly MoveEvent[] = [
  { kind: 'copy-held', by: 'kim', why: 'the backup | of tonight' },
  { kind: 'copy-resumed', by: 'kim', reason: null },
  { kind: 'mover-failed', count: 1, lastWords: 'killed' },
  { kind: 'copying' },
  { kind: 'lost-on-target', topic: 'orders', partition: 0, from: 10, to: 20 },
  { kind: 'unproven', topic: 'orders', partition: 0, from: 20, to: 30 },
];
const account = { ...emptyAccount(0), to: 100, copied: 80, aborted: 15, control: 5 };
const ended: readonly MoveEvent[] = [
  {
    kind: 'caught-up',
    partitions: [
      {
        ...{ topic: 'orders', partition: 0, account, segment: { ordinal: 1, previous: null } },
        settled: { source: 100, target: 80 },
      },
    ],
  },
  { kind: 'levers-restored', left: ['orders: retention.ms is 7 now'] },
  { kind: 'copied' },
];

test('the report of a copy has its outcome, its account, what was in the way, what was changed, and its head', () => {
  const text = reportOf([...begun, ...troubled, ...ended]);
  expect(text).toContain('# copy-1: old:9092 → new:9092');
  expect(text).toContain('by kim; at most 60.0 MB/s to each broker');
  expect(text).toContain('| orders-0 | 0 to 100 | 80 | 5 | 15 | 0 | 0 | 0 |');
  expect(text).toContain('- It was begun again once.');
  expect(text).toContain('by kim: the backup \\| of tonight');
  expect(text).toContain('the target has lost offsets 10 to 19; they were copied once more');
  expect(text).toContain('offsets 20 to 29 of the target were never compared with the source');
  expect(text).toContain('- orders was made.');
  expect(text).toContain('- ACL: User:alice may Read orders.');
  expect(text).toContain('retention.ms was -1 while it was copied, and 1000 before');
  expect(text).toContain('Not restored, as somebody has changed it meanwhile: orders: retention.ms is 7 now');
  expect(text).toContain('| 5 | data may move from here on |');
  expect(text).toContain('Head of the chain: entry 14, `hash of 14`');
  expect(text).toContain('`drover kafka prove copy-1` reads it back');
});

test('what a setting was before is what stood there when it was set aside, and not when that was planned', () => {
  const levers = [{ topic: 'orders', key: 'retention.ms', before: '777', whileCopying: '-1' }];
  const [started, made, ...rest] = [...begun, ...ended];
  if (started === undefined || made === undefined) throw new Error('a copy begins');
  const text = reportOf([started, made, { kind: 'levers-intended', levers }, ...rest]);
  expect(text).toContain('retention.ms was -1 while it was copied, and 777 before');
  expect(reportOf([started, made])).not.toContain('while it was copied');
});

test('the report of one that has just begun says that the journal has no figures yet', () => {
  const text = reportOf(begun);
  expect(text).toContain('Nothing of it is in the journal yet');
  expect(text).not.toContain('What was in the way');
});

function reportOf(events: readonly MoveEvent[]): string {
  const entries = events.map((body, index): Entry => {
    const seq = index + 1;
    const place = { operation: 'copy-1', seq, previous: '', hash: `hash of ${seq}` };
    return { ...place, rules: 1, atMs: 1_764_150_000_000 + index * 1000, actor: 'kim', body };
  });
  const state = entries.reduce<MoveState | null>(foldMove, null);
  if (state === null) throw new Error('a copy begins with its first entry');
  return copyReportLines({ state, entries }).join('\n');
}
