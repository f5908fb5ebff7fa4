import {
  allAnswered,
  asServersSay,
  asUsersSay,
  asUsersSayAndRetries,
  atDestinationOnly,
  equal,
  type Fault,
  saw,
  takenBack,
} from '../fault.ts';
import type { Scene } from '../scene.ts';
import { answersAfter, breaksOff, closesWithoutAnswer } from '../servers.ts';

async function refused(scene: Scene): Promise<void> {
  await scene.users.ask(40);
  await scene.behaves('destination', 'refuse');
  await scene.untilBack();
}

async function closed(scene: Scene): Promise<void> {
  await scene.users.ask(40);
  scene.does('destination', closesWithoutAnswer);
  await scene.untilBack();
}

/** Servers that cannot be reached, or that leave in the middle. */
export const connectionFaults: readonly Fault[] = [
  {
    name: 'refused connections',
    sees: '503',
    counts: 'failed requests',
    ...takenBack,
    rollout: null,
    setting: { lines: ['retries 0'] },
    play: refused,
    holds: (outcome) => [...asUsersSay(outcome), ...atDestinationOnly(outcome), saw(outcome, '503', 8)],
  },
  {
    name: 'refused, tried again at the same server',
    sees: '503',
    counts: 'failed requests + retries',
    ...takenBack,
    rollout: null,
    setting: { lines: ['retries 1', 'timeout connect 200ms'] },
    play: refused,
    holds: (outcome) => [
      ...asUsersSayAndRetries(outcome),
      ...atDestinationOnly(outcome),
      saw(outcome, '503', 4),
      equal(
        'failures = twice the failed requests, each tried twice',
        outcome.counted.destination.failures,
        2 * outcome.users.failed,
      ),
    ],
  },
  {
    name: 'refused, hidden by redispatch',
    sees: 'nothing',
    counts: 'retries: each is a failed attempt, though its user was answered',
    ...takenBack,
    rollout: null,
    setting: { lines: ['retries 10', 'option redispatch 1'] },
    play: refused,
    holds: (outcome) => [allAnswered(outcome), ...asUsersSayAndRetries(outcome), ...atDestinationOnly(outcome)],
  },
  {
    name: 'refused, and the balancer checks its servers',
    sees: '503, until the check takes them out',
    counts: 'failed requests',
    decides: 'way back, by the tripwire for failing checks',
    entries: ['back: health', 'drained', 'intended', 'rolled-back'],
    rollout: null,
    // Where half of all may fail, the check is faster than the judge.
    setting: { lines: ['retries 0'], server: 'check inter 100ms fall 1 rise 1', objective: 0.5 },
    async play(scene) {
      await scene.passes(4);
      await refused(scene);
    },
    holds: (outcome) => [...asUsersSay(outcome), ...atDestinationOnly(outcome, 1), saw(outcome, '503', 1)],
  },
  {
    name: 'closed without an answer',
    sees: '502, or a connection that ends',
    counts: 'failed requests',
    ...takenBack,
    rollout: null,
    play: closed,
    holds: (outcome) => [
      ...asUsersSay(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
      saw(outcome, 'no answer', 1),
    ],
  },
  {
    name: 'closed without an answer, by servers that let requests queue (maxconn)',
    sees: '502, or a connection that ends',
    counts: 'failed requests, also those that HAProxy itself does not count as given to the server',
    ...takenBack,
    rollout: null,
    setting: { server: 'maxconn 1' },
    async play(scene) {
      scene.does('origin', answersAfter(10));
      scene.does('destination', answersAfter(10));
      await scene.users.askAtOnce(40);
      scene.does('destination', closesWithoutAnswer);
      await scene.users.askAtOnce(80);
      await scene.untilBack();
    },
    holds: (outcome) => [...asUsersSay(outcome), ...asServersSay(outcome), ...atDestinationOnly(outcome)],
  },
  {
    name: 'closed without an answer, hidden by retry-on',
    sees: 'nothing',
    counts: 'retries',
    ...takenBack,
    rollout: null,
    setting: { lines: ['retries 10', 'option redispatch 1', 'retry-on empty-response'] },
    play: closed,
    holds: (outcome) => [
      allAnswered(outcome),
      ...asUsersSayAndRetries(outcome),
      ...asServersSay(outcome),
      ...atDestinationOnly(outcome),
    ],
  },
  ...(['announced', 'chunked'] as const).map(
    (length): Fault => ({
      name: `reset in mid-body, ${length === 'announced' ? 'of announced length' : 'in chunks'}`,
      sees: '200, broken off',
      counts: 'failed requests, though each was counted as a 200 before it broke',
      ...takenBack,
      rollout: null,
      async play(scene) {
        await scene.users.ask(40);
        scene.does('destination', breaksOff(length));
        await scene.untilBack();
      },
      holds: (outcome) => [
        ...asUsersSay(outcome),
        ...asServersSay(outcome),
        ...atDestinationOnly(outcome),
        saw(outcome, '200, broken off', 8),
      ],
    }),
  ),
];
