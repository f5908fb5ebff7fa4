import type { Notification } from '../../src/core/rollout/notification.ts';

export function notification(given: Partial<Notification> = {}): Notification {
  return {
    version: 1,
    event: 'promoted',
    atMs: Date.UTC(2026, 0, 1),
    actor: 'drover',
    operation: 'rollout-query-1',
    service: 'query',
    owner: 'team-query',
    from: 'classic',
    to: 'vpc',
    builds: { origin: 'v41', destination: 'v42' },
    step: 1,
    steps: 3,
    share: 0.05,
    cause: null,
    evidence: { logEvidence: 5.4, threshold: 5.3, by: 'comparison' },
    text: 'promoted step 1',
    head: { seq: 17, hash: '3f9a'.repeat(16) },
    ...given,
  };
}
