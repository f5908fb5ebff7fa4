import { type GroupCounts, requestsToPromote } from '../../core/judge/forecast.ts';
import { type Evidence, type JudgeState, type Verdict, verdict } from '../../core/judge/judge.ts';
import { whole } from '../terminal/figures.ts';

/** What there is to say at the end. `seconds`: the end of the last window; null: there was none. */
export type Ending = { readonly state: JudgeState; readonly seconds: number | null; readonly seen: GroupCounts };

export function changeLine(seconds: number, { verdict, rollBack, promote }: Verdict): string {
  const evidence = verdict === 'promote' ? promote : rollBack;
  return `${seconds} s: ${verdict} (evidence ${against(evidence)}, by ${evidence.by})\n`;
}

export function lastLine({ state, seconds, seen }: Ending): string {
  if (seconds === null) return 'not enough evidence: there are no windows\n';
  const { verdict: word, rollBack, promote } = verdict(state);
  const groups = `origin ${failed(seen.origin)}, destination ${failed(seen.destination)}`;
  if (word !== 'not enough evidence') return `${word} after ${seconds} s: ${groups}\n`;
  const evidence = `roll back ${against(rollBack)}, promote ${against(promote)}`;
  return `${word} after ${seconds} s: ${groups}; ${evidence}; ${outlook(state, seen)}\n`;
}

function against({ logEvidence, threshold }: Evidence): string {
  // What rounds to zero is zero, without a sign.
  const rounded = Number(logEvidence.toFixed(2)) || 0;
  return `${rounded.toFixed(2)} of ${threshold.toFixed(2)}`;
}

function failed({ attempts, failures }: GroupCounts['origin']): string {
  return `${failures} of ${attempts} failed${attempts === 0 ? '' : ` (${percent(failures / attempts)})`}`;
}

/** Three digits: what was counted, and not what it means. */
export function percent(fraction: number): string {
  return `${Number((100 * fraction).toPrecision(3))} %`;
}

export function outlook(state: JudgeState, seen: GroupCounts): string {
  const forecast = requestsToPromote(state, seen);
  if (forecast.kind !== 'requests') return forecast.why;
  if (forecast.requests > 1e15) return 'promotion would take more requests than there will ever be';
  // Two digits: a forecast is not a measurement.
  const about = whole(Number(forecast.requests.toPrecision(2)));
  return `about ${about} more requests to promote, if both groups fail alike (by ${forecast.by})`;
}
