import {
  type BackendReading,
  type BackendTraits,
  type ServerCounters,
  type ServerReading,
  zeroCounters,
} from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';

/** A balancer with nothing that a rollout would suffer from. */
export const fineTraits: BackendTraits = {
  mode: known('http'),
  algorithm: known('roundrobin'),
  stickiness: known(null),
  retryOn: known([]),
  abortOnClose: known(false),
  redispatch: known(false),
  bypasses: known([]),
  attemptMsMax: known(30_000),
  readOnly: known(null),
};

const untold = unknown('not told');

/** One that says nothing of itself. */
export const untoldTraits: BackendTraits = {
  mode: untold,
  algorithm: untold,
  stickiness: untold,
  retryOn: untold,
  abortOnClose: untold,
  redispatch: untold,
  bypasses: untold,
  attemptMsMax: untold,
  readOnly: untold,
};

/** What a test is about stands in the test; the rest is fine. */
export function madeReading(
  servers: readonly ServerReading[],
  { process = 'one', traits = {} as Partial<BackendTraits> } = {},
): BackendReading {
  return { process, servers, traits: { ...fineTraits, ...traits } };
}

type Made = Partial<Omit<ServerReading, 'name' | 'counters'>> & { readonly counters?: Partial<ServerCounters> };

/** Up and ready, with the weight that is configured; counters that are not named are zero. */
export function madeServer(name: string, { weight = 100, counters, ...made }: Made = {}): ServerReading {
  return {
    name,
    address: null,
    weight,
    configuredWeight: weight,
    admin: 'ready',
    configuredAdmin: known('ready'),
    health: 'up',
    features: [],
    ...made,
    counters: { ...zeroCounters, ...counters },
  };
}
