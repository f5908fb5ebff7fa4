import type { RolloutPlan } from '../../src/core/rollout/plan.ts';

/** From a group that others run to another one. What a test is about stands in the test. */
export const madePlan: RolloutPlan = {
  service: 'query',
  owner: 'search',
  origin: { environment: 'classic', size: null, capacityRps: null },
  destination: { environment: 'vpc', size: null, capacityRps: null },
  backends: [{ id: 'edge', origin: 'old-*', destination: 'new-*' }],
  steps: [{ kind: 'weight', share: 0.5, instances: null, bakeMs: 300_000 }],
  objective: 0.01,
  policy: {
    judge: { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 3 },
    reserve: 0.2,
    settleMsMax: 60_000,
    capacityMsMax: 600_000,
    drainMsMax: 60_000,
    drill: { requests: 20, ms: 60_000, boundMs: 1000 },
    attemptMsMax: 30_000,
    finalBakeMs: 300_000,
  },
};
