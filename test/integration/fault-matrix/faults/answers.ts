import {
  allAnswered,
  asServersSay,
  asUsersSay,
  asUsersSayAndRetries,
  atDestinationOnly,
  atLeast,
  equal,
  type Fault,
  failures,
  goesOn,
  saw,
  takenBack,
} from '../fault.ts';
import { answers, answersAfter, closesWithoutAnswer, everyNth, fails, hangs, hintsAndThen } from '../servers.ts';

/** Servers that can be reached, and answer badly, late or not at all. */
export const answerFaults: readonly Fault[] = [
  {
    name: 'HTTP 500, faster than any good answer',
    sees: '500',
    counts: 'failed requests',
    ...takenBack,
    rollout: 'rollout/judged.ts',
    async play(scene) {
      scene.does('origin', answersAfter(30));
      scene.does('destination', answersAfter(30));
      await scene.users.ask(40);
      scene.does('destination', fails);
      await scene.untilBack();
    },
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
      saw(outcome, '500', 8),
    ],
  },
  {
    name: 'HTTP 500, hidden by retry-on',
    sees: 'nothing',
    counts: 'retries',
    ...takenBack,
    rollout: null,
    setting: { lines: ['retries 10', 'option redispatch 1', 'retry-on 500'] },
    async play(scene) {
      await scene.users.ask(40);
      scene.does('destination', fails);
      await scene.untilBack();
    },
    holds: (outcome) => [
      allAnswered(outcome),
      ...asUsersSayAndRetries(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
    ],
  },
  {
    name: 'hung until the time-out',
    sees: '504, when the time-out is over',
    counts: 'nothing until then; failed requests after it',
    decides: 'way back, by the tripwire for hung requests, before the first of them is counted',
    entries: ['back: hung requests', 'drained', 'intended', 'rolled-back'],
    rollout: null,
    setting: { lines: ['timeout server 18s'] },
    async play(scene) {
      scene.does('destination', hangs);
      const { ended } = await scene.users.askSteadily(20, () => scene.controller.decided.length > 0, 'a decision');
      scene.note('failures counted when it was decided', failures({ counted: scene.controller.counted() }));
      scene.note('requests that hung', scene.books('destination').taken);
      scene.does('destination', answers);
      await ended;
      await scene.untilBack();
    },
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome, 10),
      equal(
        'users who saw "504" = those that hung',
        outcome.users.how['504'] ?? 0,
        outcome.notes['requests that hung'] ?? -1,
      ),
      equal('failures counted when it was decided = 0', outcome.notes['failures counted when it was decided'] ?? -1, 0),
    ],
  },
  {
    name: 'slow, within the time-out',
    sees: 'late answers',
    counts: 'nothing',
    ...goesOn,
    rollout: null,
    async play(scene) {
      await scene.users.ask(40);
      scene.does('destination', answersAfter(1500));
      await scene.users.askAtOnce(60);
      scene.note('passes', scene.controller.passes());
    },
    holds: (outcome) => [
      allAnswered(outcome),
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      equal('failures = 0', failures(outcome), 0),
      atLeast('passes that looked on ≥ 5', outcome.notes['passes'] ?? 0, 5),
    ],
  },
  {
    name: '103 Early Hints before good answers',
    sees: 'nothing',
    counts: 'nothing: a hint is no end of a request',
    ...goesOn,
    rollout: null,
    async play(scene) {
      scene.does('origin', hintsAndThen(answers));
      scene.does('destination', hintsAndThen(answers));
      await scene.users.ask(160);
      scene.noteCounter('hints', 'rsp1xx');
    },
    holds: (outcome) => [
      allAnswered(outcome),
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      equal('failures = 0', failures(outcome), 0),
      equal('hints that the balancer passed on = requests', outcome.notes['hints'] ?? 0, outcome.users.asked),
    ],
  },
  {
    name: '103 Early Hints before answers that fail, or none',
    sees: '500, 502, or a connection that ends',
    counts: 'failed requests: no hint makes up for one',
    ...takenBack,
    rollout: null,
    async play(scene) {
      scene.does('origin', hintsAndThen(answers));
      scene.does('destination', hintsAndThen(answers));
      await scene.users.ask(40);
      scene.does('destination', hintsAndThen(everyNth(2, fails, closesWithoutAnswer)));
      await scene.untilBack();
    },
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
      saw(outcome, '500', 1),
      saw(outcome, 'no answer', 1),
    ],
  },
];
