import type { TopicAcl } from '../../core/move/acl-facts.ts';
import { type CopyOutcome, simulateOperation } from './run.ts';
import { type CopyScenario, type DrawnTopic, drawScenario } from './scenario.ts';

/** Copies without a fault: each is killed right before and right after each of its appends, in a run of its own. */
export function killedScenarios(): { readonly name: string; readonly scenario: CopyScenario }[] {
  const drawn = drawScenario(1);
  const calm: CopyScenario = {
    ...drawn,
    faults: {},
    deaths: [],
    healAtMs: 1,
    timing: { pollMs: 1000, callMs: 10_000, leaseMs: 15_000 },
    ...{ isFollowed: false, batchMs: 100, batchOffsetsMax: 20, lagMsMax: 0, isRemovedAfterwards: false },
    topics: [absent, there],
    acls: { source: [reader, { ...reader, permission: 'deny' }, wide], target: [wide], meanwhile: [] },
  };
  return [
    { name: 'copied', scenario: calm },
    { name: 'copied, then removed', scenario: { ...calm, isRemovedAfterwards: true } },
    { name: 'followed, then aborted', scenario: { ...calm, isFollowed: true, patienceMs: 45_000 } },
    {
      name: 'followed, then taken back',
      scenario: { ...calm, isFollowed: true, isRemovedAfterwards: true, patienceMs: 45_000 },
    },
  ];
}

const reader: TopicAcl = {
  ...{ name: 'topic-0', pattern: 'literal', principal: 'User:reader', host: '*', operation: 3, permission: 'allow' },
};
const wide: TopicAcl = { ...reader, name: 'topic-', pattern: 'prefixed' };
const absent: DrawnTopic = {
  name: 'topic-0',
  source: { 'retention.ms': '60000', 'cleanup.policy': 'compact' },
  ends: [300, 0],
  there: null,
};
const there: DrawnTopic = {
  name: 'topic-1',
  source: { 'compression.type': 'zstd' },
  ends: [40, 60, 80],
  there: { partitions: 2, own: { 'retention.bytes': '1000000' } },
};

export type Killed = {
  readonly append: number;
  readonly when: 'before' | 'after';
  /** What is otherwise than in the run that nobody killed; null: nothing. */
  readonly wrong: string | null;
};

/** Every point once. */
export async function killAtEveryAppend(scenario: CopyScenario): Promise<readonly Killed[]> {
  const reference = await simulateOperation(scenario);
  if (reference.violation !== null) throw new Error(`nobody was killed, and: ${reference.violation.text}`);
  const killed: Killed[] = [];
  for (let append = 1; append <= reference.appends; append += 1)
    for (const when of ['before', 'after'] as const) {
      const outcome = await simulateOperation({ ...scenario, killed: { append, when } });
      killed.push({ append, when, wrong: differenceOf(reference, outcome) });
    }
  return killed;
}

function differenceOf(
  reference: CopyOutcome,
  { violation, deaths, state, target, acls, scenario }: CopyOutcome,
): string | null {
  if (violation !== null) return `"${violation.check}": ${violation.text}`;
  if (deaths.length !== 1) return `it died ${deaths.length} times`;
  if (state?.stage.kind !== reference.state?.stage.kind) return `it is ${state?.stage.kind}`;
  // How far a followed one gets is a matter of time.
  const shown = (of: CopyOutcome['target']) =>
    JSON.stringify(of, (key, value: unknown) => (key === 'ends' && scenario.isFollowed ? null : value));
  const [now, then] = [shown(target), shown(reference.target)];
  if (now !== then) return `the target has ${now} in place of ${then}`;
  const rights = JSON.stringify(acls);
  return rights === JSON.stringify(reference.acls) ? null : `the target has the ACLs ${rights}`;
}
