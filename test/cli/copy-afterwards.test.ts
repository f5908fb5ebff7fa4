import { expect, test } from 'vitest';
import { afterwardsOf } from '../../src/cli/kafka/copy/reporter.ts';
import type { MoveEvent } from '../../src/core/move/operation/events.ts';
import { foldMove, type MoveState } from '../../src/core/move/operation/state.ts';
import { madeCopyPlan } from '../made/copy.ts';

test('who ends with a damaged partition is told, once for each topic, how it is made anew', () => {
  const stopped = { kind: 'partition-stopped', topic: 'orders', why: 'a batch that stands twice' } as const;
  const lines = afterwards([
    { ...stopped, partition: 0, isDamage: true },
    { ...stopped, partition: 1, isDamage: true },
    { ...stopped, topic: 'clicks', partition: 0, isDamage: false },
  ]);
  expect(lines.filter((line) => line.includes('--rebuild'))).toEqual([
    'orders is damaged: the same command with `--rebuild orders` deletes it on the target and makes it anew, if all of it is ours',
  ]);
});

function afterwards(events: readonly MoveEvent[]): string[] {
  const all: readonly MoveEvent[] = [
    { kind: 'copy-started', plan: madeCopyPlan(), rate: null },
    { kind: 'copying' },
    ...events,
  ];
  let state: MoveState | null = null;
  for (const [index, body] of all.entries())
    state = foldMove(state, {
      ...{ operation: 'copy-1', seq: index + 1, previous: '', hash: '', body, actor: 'kim', atMs: 0, rules: 1 },
    });
  if (state === null) throw new Error('no events');
  return afterwardsOf({ kind: 'ended', state, isHeldBack: false }, (verb) => `drover ${verb}`);
}
