import { clock } from '../account.ts';
import type { Mutation } from './mutation.ts';
import type { CopyOutcome } from './run.ts';
import type { Narrowing } from './scenario.ts';

/** What happened in a world, its last `lines`, and the command that shows it again. */
export function accountOfOperation(
  outcome: CopyOutcome,
  lines: number,
  { without = [], healAtMs, mutation = null }: Narrowing & { readonly mutation?: Mutation | null } = {},
): string {
  const { scenario, violation, happenings, state, simulatedMs, entries, controllers } = outcome;
  const { topics, timing, isFollowed, faults } = scenario;
  const options = [
    ...(mutation === null ? [] : [` --mutation "${mutation.name}"`]),
    ...(without.length === 0 ? [] : [` --without ${without.join(',')}`]),
    ...(healAtMs === undefined ? [] : [` --heal-at ${healAtMs}`]),
  ];
  const { pollMs, callMs, leaseMs } = timing;
  return [
    violation === null
      ? `seed ${scenario.seed}: ${state?.stage.kind ?? 'not begun'} after ${clock(simulatedMs)}, ${entries} entries of ${controllers} controllers`
      : `seed ${scenario.seed} breaks "${violation.check}" at ${clock(violation.atMs)}: ${violation.text}`,
    `  world: ${topics.length} topics, ${isFollowed ? 'followed' : 'up to the end at the start'}, poll ${pollMs} ms, call ${callMs} ms, lease ${leaseMs} ms, faults: ${Object.keys(faults).join(', ') || 'none'}`,
    ...happenings.slice(-lines).map(({ atMs, text }) => `  ${clock(atMs)}  ${text}`),
    `  again: npm run sim -- --copies --seed ${scenario.seed}${options.join('')} --verbose`,
  ].join('\n');
}
