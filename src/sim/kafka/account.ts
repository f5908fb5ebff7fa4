import { clock } from '../account.ts';
import type { Mutation } from './mutation.ts';
import type { KafkaOutcome } from './outcome.ts';
import type { Narrowing } from './scenario.ts';

/** What happened in a world, its last `lines`, and the command that shows it again. */
export function accountOfCopy(
  outcome: KafkaOutcome,
  lines: number,
  { without = [], healAtMs, mutation = null }: Narrowing & { readonly mutation?: Mutation | null } = {},
): string {
  const { scenario, violation, happenings, ends } = outcome;
  const { source, target, isFollowed } = scenario;
  const options = [
    ...(mutation === null ? [] : [` --mutation "${mutation.name}"`]),
    ...(without.length === 0 ? [] : [` --without ${without.join(',')}`]),
    ...(healAtMs === undefined ? [] : [` --heal-at ${healAtMs}`]),
  ];
  return [
    violation === null
      ? `seed ${scenario.seed}: ${outcome.records} records on the target after ${clock(outcome.simulatedMs)}, ${outcome.movers} movers`
      : `seed ${scenario.seed} breaks "${violation.check}" at ${clock(violation.atMs)}: ${violation.text}`,
    `  world: ${source.partitions.length} partitions, ${source.nodeIds.length} → ${target.nodeIds.length} brokers, ${isFollowed ? 'followed' : 'up to the end at the start'}, faults: ${Object.keys(scenario.faults).join(', ') || 'none'}`,
    ...happenings.slice(-lines).map(({ atMs, text }) => `  ${clock(atMs)}  ${text}`),
    ...ends.map((end) => `  partition ${end}`),
    `  again: npm run sim -- --kafka --seed ${scenario.seed}${options.join('')} --verbose`,
  ].join('\n');
}
