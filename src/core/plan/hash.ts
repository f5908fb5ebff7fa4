import type { ServiceConfig } from '../fleet/config.ts';
import { canonicalJson } from '../journal/canonical.ts';
import type { Sha256 } from '../journal/entry.ts';
import { rolloutRules } from '../rollout/events.ts';
import type { RolloutPlan } from '../rollout/plan.ts';

/** What is hashed of one service: intent and configuration, not what counts, sizes or clocks show at the moment. */
export type PlannedService = {
  readonly service: ServiceConfig;
  readonly rollout: RolloutPlan;
  readonly builds: { readonly origin: string | null; readonly destination: string | null };
  /** Where its last rollout stands: `none`, `completed`, `rolled-back` or the last step that was promoted. */
  readonly lastStep: string;
};

/** SHA-256 over RFC 8785 canonical JSON; `apply --plan` refuses every other. */
export function planHash(services: readonly PlannedService[], sha256: Sha256): string {
  const content = services.map(({ service, rollout, builds, lastStep }) => ({ service, rollout, builds, lastStep }));
  return sha256(canonicalJson({ rules: rolloutRules, services: content }));
}
