import { dispersionOf } from '../judge/dispersion.ts';
import type { Traffic } from '../judge/forecast.ts';
import type { Rules } from '../judge/judge.ts';
import { known, type Reading, unknown } from './reading.ts';
import { type Figures, figuresOf, type Groups, groupOf, type Tally } from './tally.ts';

/** What the judge would have to see with, if a rollout of this backend ran now. */
export type Outlook = {
  readonly traffic: Traffic;
  /** Whether the share is assumed, because there is no destination with traffic yet. */
  readonly assumedShare: boolean;
  /** Where it is not known, `rules` has the one that a policy assumes. */
  readonly dispersion: Reading<number>;
  readonly rules: Rules;
};

const assumedShare = 0.1;
/** Fewer failures say little about the rate now; the counters since the start then say more. */
const failuresMin = 20;

/** Unknown without traffic, without a failure to compare with, and where responses are not counted. */
export function outlookOf(tally: Tally, groups: Groups | null, rules: Rules): Reading<Outlook> {
  const { mode } = tally.reading.traits;
  if (mode.known && mode.value === 'tcp')
    return unknown('in TCP mode responses are not counted, so failures cannot be seen');
  const origin = figuresOf(tally, (server) => groupOf(groups, server) === 'origin');
  const destination = figuresOf(tally, (server) => groupOf(groups, server) === 'destination');
  if (origin.recent === null || destination.recent === null) return unknown('it takes a second reading');
  const attempts = origin.recent.attempts + destination.recent.attempts;
  if (attempts === 0) return unknown('there is no traffic');
  const baseline = baselineOf(origin);
  if (baseline === null) return unknown('nothing has failed yet, so there is nothing to compare with');
  const share = destination.recent.attempts / attempts;
  const isAssumed = share <= 0 || share >= 1;
  const dispersion = dispersionOf(tally.dispersion);
  return known({
    traffic: { rps: (attempts * 1000) / origin.recent.ms, share: isAssumed ? assumedShare : share, baseline },
    assumedShare: isAssumed,
    dispersion,
    rules: dispersion.known ? { ...rules, dispersion: dispersion.value } : rules,
  });
}

/** null: no attempt of the origin has failed. */
function baselineOf({ observed, sinceStart }: Figures): number | null {
  const counts = observed.failures >= failuresMin || sinceStart.failures === 0 ? observed : sinceStart;
  if (counts.failures === 0 || counts.attempts === 0) return null;
  return Math.min(1, counts.failures / counts.attempts);
}
