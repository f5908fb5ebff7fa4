import type { MoveRequest } from '../../core/move/operation/observation.ts';
import { hasMoveEnded } from '../../core/move/operation/state.ts';
import type { Random } from '../random.ts';
import type { CopyRun } from './run.ts';
import type { Act } from './scenario.ts';

const minuteMs = 60_000;

/** People who do this and that at random, look after what is held, and lose patience at last. */
export function plantOperators(run: CopyRun, random: Random): void {
  const { happenings, schedule, scenario } = run;
  for (const act of ['hold', 'resume', 'rate', 'abort', 'back'] as const)
    happenings.every(act, (own) => {
      if (run.state === null || hasMoveEnded(run.state)) return false;
      run.ask(requestOf(act, own));
      return true;
    });
  happenings.every('rebuild', (own) => rebuildOne(run, own));
  const regret = random.fork('regret');
  if (scenario.faults.regret !== undefined)
    schedule.after(regret.spread(100, 10_000), () => {
      happenings.count('regret');
      run.ask({ kind: 'back', by: 'kim', reason: 'not this one' });
    });
  happenings.every('stop', () => {
    run.stopOne();
    return true;
  });
  attend(run, random.fork('attentive'));
  schedule.at(scenario.healAtMs + scenario.patienceMs, () => giveUp(run));
}

function requestOf(act: Exclude<Act, 'stop' | 'regret' | 'rebuild'>, random: Random): MoveRequest {
  switch (act) {
    case 'hold':
      return { kind: 'hold', by: 'kim', why: random.pick(['lunch', 'users complain']) };
    case 'resume':
      return { kind: 'resume', by: 'kim', reason: null };
    case 'rate':
      return { kind: 'rate', by: 'kim', rate: random.pick([null, 1000, 5000]) };
    case 'abort':
    case 'back':
      return { kind: act, by: 'kim', reason: 'not today' };
    default:
      return act satisfies never;
  }
}

/** As the verb does it: what holds anything of others, or is read by somebody, is refused at once. */
function rebuildOne(run: CopyRun, random: Random): boolean {
  const { state, target } = run;
  if (state === null || hasMoveEnded(state)) return false;
  const { name } = random.pick(state.plan.topics);
  const topic = target.topics.get(name);
  if (topic === undefined || topic.id !== state.targetIds[name] || topic.groups.size > 0) return false;
  if (topic.partitions.some(({ foreignAtMs }) => foreignAtMs !== null)) return false;
  const ends = topic.partitions.map(({ end }, partition) => ({ partition, logEnd: end }));
  const asked = { topic: name, topicId: topic.id, replicationFactor: 3, ends };
  run.ask({ kind: 'rebuild', by: 'kim', reason: null, ...asked });
  return true;
}

/** Somebody looks at what is held. */
function attend(run: CopyRun, random: Random): void {
  run.schedule.after(random.spread(10_000, 4 * minuteMs), () => {
    if (run.isOver) return;
    if (run.state !== null && run.state.held !== null) run.ask({ kind: 'resume', by: 'kim', reason: null });
    attend(run, random);
  });
}

/** What is followed, and what has stopped, does not end by itself. */
function giveUp(run: CopyRun): void {
  if (run.isOver || run.state === null || hasMoveEnded(run.state)) return;
  run.checks.looking(run.state);
  run.ask({ kind: run.scenario.isRemovedAfterwards ? 'back' : 'abort', by: 'kim', reason: 'enough' });
  run.schedule.after(minuteMs, () => giveUp(run));
}
