import { expect, test } from 'vitest';
import type { Target } from '../../src/core/rollout/events.ts';
import { trafficCut } from '../../src/core/rollout/targets.ts';
import { foldedOnto, halfTarget, madeObservation, stateAt } from '../made/rollout.ts';

/** The whole share: the origin has no weight anywhere. */
const whole: Target = {
  ...halfTarget,
  requestedShare: 1,
  traffic: {
    edge: {
      'old-1': { weight: 0, admin: null },
      'old-2': { weight: 0, admin: null },
      'new-1': { weight: 100, admin: 'ready' },
      'new-2': { weight: 100, admin: 'ready' },
    },
  },
};
const state = foldedOnto(stateAt({ kind: 'finishing' }), [{ kind: 'intended', target: whole, why: 'the whole share' }]);

test('a backend that loses the last of the destination has the weights of the origin in the same target', () => {
  const cut = trafficCut(state, madeObservation({}), { edge: ['new-1', 'new-2'] })['edge'];
  expect(cut).toMatchObject({
    'old-1': { weight: 100 },
    'old-2': { weight: 100 },
    'new-1': { weight: 0, admin: 'maint' },
    'new-2': { weight: 0, admin: 'maint' },
  });
});

test('one that keeps some of it leaves the origin as it is', () => {
  const cut = trafficCut(state, madeObservation({}), { edge: ['new-1'] })['edge'];
  expect(cut).toMatchObject({ 'old-1': { weight: 0 }, 'new-1': { admin: 'maint' }, 'new-2': { admin: 'ready' } });
});
