import {
  asServersSay,
  attempts,
  type Equation,
  equal,
  type Fault,
  failures,
  goesOn,
  type Outcome,
  takenBack,
} from '../fault.ts';
import type { Scene } from '../scene.ts';
import { answers, answersOnce, readsFirst, streams } from '../servers.ts';
import type { Leaving } from '../users.ts';

const leaving = 40;
const before = 40;

/** Users who do not wait: nothing that a server did wrong. */
export const userFaults: readonly Fault[] = (['close', 'reset'] as const).flatMap((by) => [
  ...whileAnswered(by),
  ...whileUploading(by),
]);

function whileAnswered(by: Leaving['by']): Fault[] {
  return [
    {
      name: `users who leave before the answer, by ${by}`,
      sees: 'no failure: nobody is there',
      counts: 'nothing: the server answers all the same',
      ...goesOn,
      rollout: null,
      play: (scene) => leaveBeforeTheAnswer(scene, by, async () => undefined),
      holds: (outcome) => [...nobodyFailed(outcome), equal('failures = 0', failures(outcome), 0)],
    },
    {
      name: `users who leave before the answer, by ${by}, under option abortonclose`,
      sees: 'no failure: nobody is there',
      counts: 'the requests that were left: `check` warns of the option, and the objective is not judged by them',
      ...goesOn,
      rollout: null,
      // In 2.6 it does nothing where it stands in the backend alone.
      setting: { defaults: ['option abortonclose'] },
      play: (scene) => leaveBeforeTheAnswer(scene, by, () => scene.until(() => scene.open() === 0, 'HAProxy gives up')),
      holds: (outcome) => [...nobodyFailed(outcome), ...asManyAsLeft(outcome)],
    },
    {
      name: `users who leave in the answer, by ${by}`,
      sees: 'no failure: nobody is there',
      counts: 'nothing',
      ...goesOn,
      rollout: null,
      async play(scene) {
        await scene.users.ask(before);
        both(scene, streams(10, 'whole'));
        await leave(scene, 'in the answer', by);
      },
      holds: (outcome) => [...nobodyFailed(outcome), equal('failures = 0', failures(outcome), 0)],
    },
  ];
}

function whileUploading(by: Leaving['by']): Fault[] {
  return [
    {
      name: `users who leave in their upload, by ${by}`,
      sees: 'no failure: nobody is there',
      counts: 'the uploads that were left: no counter tells them from requests that a server left unanswered',
      decides: 'way back by the objective, where more are left than users accept failures',
      entries: takenBack.entries,
      rollout: null,
      async play(scene) {
        await scene.users.ask(before);
        both(scene, readsFirst);
        await leave(scene, 'in the upload', by);
        await scene.untilBack();
      },
      holds: (outcome) => [...nobodyFailed(outcome), ...asManyAsLeft(outcome)],
    },
    {
      name: `users who leave in their upload, by ${by}, under option http-buffer-request`,
      sees: 'no failure: nobody is there',
      counts: 'nothing: what is left before a buffer is full reaches no server',
      ...goesOn,
      rollout: null,
      setting: { lines: ['option http-buffer-request'] },
      async play(scene) {
        both(scene, readsFirst);
        await scene.users.ask(before);
        const passes = scene.controller.passes();
        await scene.users.leave(leaving, { at: 'in the upload', by }, () => scene.controller.passes() > passes + 2);
        await scene.users.ask(before);
        await scene.passes(2);
      },
      holds: (outcome) => [
        equal('attempts = requests that were not left', attempts(outcome), outcome.users.asked - leaving),
        ...asServersSay(outcome),
        equal('failures = 0', failures(outcome), 0),
      ],
    },
  ];
}

/** `meanwhile`: between their leaving and the answers. */
async function leaveBeforeTheAnswer(scene: Scene, by: Leaving['by'], meanwhile: () => Promise<void>): Promise<void> {
  await scene.users.ask(before);
  const { promise, resolve } = Promise.withResolvers<void>();
  both(scene, answersOnce(promise));
  await leave(scene, 'before the answer', by);
  await scene.passes(2);
  await meanwhile();
  resolve();
  both(scene, answers);
  await scene.users.ask(before);
}

function both(scene: Scene, manner: Parameters<Scene['does']>[1]): void {
  scene.does('origin', manner);
  scene.does('destination', manner);
}

function leave(scene: Scene, at: Leaving['at'], by: Leaving['by']): Promise<void> {
  const taken = () => scene.books('origin').taken + scene.books('destination').taken;
  const first = taken();
  return scene.users.leave(leaving, { at, by }, () => taken() - first === leaving);
}

function nobodyFailed(outcome: Outcome): Equation[] {
  const { users } = outcome;
  return [
    equal('attempts = requests', attempts(outcome), users.asked),
    equal('failed requests = 0', users.failed, 0),
    equal('users who left = all that were to', users.left, leaving),
  ];
}

/** On both sides alike, so that the comparison of the sides is not misled. */
function asManyAsLeft(outcome: Outcome): Equation[] {
  const { origin, destination } = outcome.counted;
  return [
    equal('failures = users who left', failures(outcome), outcome.users.left),
    equal('failures at the origin = at the destination', origin.failures, destination.failures),
  ];
}
