import { setTimeout as sleep } from 'node:timers/promises';
import {
  allAnswered,
  asServersSay,
  asUsersSay,
  atDestinationOnly,
  equal,
  type Fault,
  failures,
  goesOn,
  saw,
  takenBack,
} from '../fault.ts';
import { answers, closesWithoutAnswer, fails, streams, streamsUntil } from '../servers.ts';

const streamCount = 24;

/** Answers that take long, and requests that do not wait for the one before. */
export const streamFaults: readonly Fault[] = [
  {
    name: 'long streams',
    sees: 'nothing',
    counts: 'nothing, neither while they run nor when they end',
    ...goesOn,
    rollout: null,
    async play(scene) {
      scene.does('origin', streams(20, 'whole'));
      scene.does('destination', streams(20, 'whole'));
      const running = scene.users.askAtOnce(streamCount);
      await scene.passes(5);
      scene.note('failures counted while they ran', failures({ counted: scene.controller.counted() }));
      await running;
    },
    holds: (outcome) => [
      allAnswered(outcome),
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      equal('failures = 0', failures(outcome), 0),
      equal('failures counted while they ran = 0', outcome.notes['failures counted while they ran'] ?? -1, 0),
    ],
  },
  {
    name: 'long streams that run when the controller begins',
    sees: 'nothing',
    counts: 'nothing: what ends is not taken for what has begun',
    ...goesOn,
    rollout: null,
    setting: {
      async before(users, does, busy) {
        does('origin', streams(20, 'whole'));
        does('destination', streams(20, 'whole'));
        void users.askAtOnce(streamCount);
        while (busy() < streamCount) await sleep(10);
      },
    },
    async play(scene) {
      scene.does('origin', answers);
      scene.does('destination', answers);
      await scene.users.ask(80);
      await scene.until(() => scene.users.ledger.length === 80 + streamCount, 'the streams end');
    },
    holds: (outcome) => [
      allAnswered(outcome),
      equal('failures = 0', failures(outcome), 0),
      equal('requests = those before the first reading + 80', outcome.users.asked, streamCount + 80),
      equal(
        'attempts = requests after the first reading',
        outcome.counted.origin.attempts + outcome.counted.destination.attempts,
        80,
      ),
    ],
  },
  {
    name: 'failures beside long streams',
    sees: '500',
    counts: 'failed requests, while the streams run: they hide none of those that a counter names',
    ...takenBack,
    rollout: null,
    async play(scene) {
      const { promise, resolve } = Promise.withResolvers<void>();
      scene.does('origin', streamsUntil(promise));
      scene.does('destination', streamsUntil(promise));
      const running = scene.users.askAtOnce(streamCount);
      await scene.until(() => scene.busy() === streamCount, 'the streams run');
      scene.does('origin', answers);
      scene.does('destination', fails);
      await scene.users.askUntil(() => scene.controller.decided.length > 0, 'a decision');
      scene.note('streams that ran when it was decided', scene.busy());
      resolve();
      await running;
      await scene.untilBack();
    },
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
      saw(outcome, '500', 8),
      equal(
        'streams that ran when it was decided = all',
        outcome.notes['streams that ran when it was decided'] ?? 0,
        streamCount,
      ),
    ],
  },
  {
    name: 'long streams that break off at their end',
    sees: '200, broken off',
    counts: 'failed requests, when they end',
    ...takenBack,
    rollout: null,
    async play(scene) {
      scene.does('destination', streams(15, 'broken off'));
      await scene.users.askAtOnce(2 * streamCount);
      scene.does('destination', answers);
      await scene.untilBack();
    },
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome, streamCount),
      equal('users who saw it break off = half of the streams', outcome.users.how['200, broken off'] ?? 0, streamCount),
    ],
  },
  {
    name: 'pipelined requests',
    sees: 'nothing',
    counts: 'nothing',
    ...goesOn,
    rollout: null,
    async play(scene) {
      for (let connection = 0; connection < 8; connection++) await scene.users.pipeline(20);
    },
    holds: (outcome) => [
      allAnswered(outcome),
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      equal('requests = 160', outcome.users.asked, 160),
      equal('failures = 0', failures(outcome), 0),
    ],
  },
  {
    name: 'pipelined requests, closed without an answer',
    sees: 'a connection that ends, and with it the requests behind',
    counts: 'failed requests, without those behind, which reached no server',
    ...takenBack,
    rollout: null,
    async play(scene) {
      await scene.users.ask(40);
      scene.does('destination', closesWithoutAnswer);
      while (scene.controller.decided.at(-1) !== 'rolled-back') await scene.users.pipeline(6);
      await scene.users.pipeline(20);
    },
    holds: (outcome) => {
      const { counted, users } = outcome;
      const unsent = users.asked - counted.origin.attempts - counted.destination.attempts;
      return [
        ...asServersSay(outcome),
        ...atDestinationOnly(outcome),
        equal('failures = failed requests − those that reached no server', failures(outcome), users.failed - unsent),
        saw(outcome, 'no answer', 8),
      ];
    },
  },
];
