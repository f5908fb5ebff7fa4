import type { GroupStatus, RolloutStatus } from '../core/rollout/status.ts';
import { percentage, rate, whole } from './figures.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';

/** A rollout's status for people: groups, shares, failure rates, evidence against its thresholds, what it waits for. */
export function statusLines(status: RolloutStatus, paint: Paint, nowMs: number): string[] {
  const { rollBack, promote, dispersion } = status.verdict;
  const lines = [
    `${paint.bold(status.operation)}  ${stageLine(status, nowMs)}`,
    ...table(
      [
        ['', 'environment', 'able', 'requests/s', 'failed'].map((cell) => paint.dim(cell)),
        groupRow('origin', status.origin),
        groupRow('destination', status.destination),
      ],
      'llrrr',
    ).map((line) => `  ${line}`),
    `  share      ${bar(status.observedShare, paint)} observed ${shareOf(status.observedShare)}, requested ${shareOf(status.requestedShare, 'by capacity')}`,
    `  roll back  ${gauge(rollBack.logEvidence, rollBack.threshold, paint.red)} ${evidence(rollBack)}`,
    `  promote    ${gauge(promote.logEvidence, promote.threshold, paint.green)} ${evidence(promote)}`,
    paint.dim(`  dispersion ${dispersion.known ? dispersion.value.toFixed(2) : `unknown (${dispersion.why})`}`),
  ];
  if (status.held !== null) lines.push(paint.yellow(`  held by ${status.held.by}: ${status.held.why}`));
  for (const blocker of status.blockers) if (status.held === null) lines.push(paint.yellow(`  waits: ${blocker}`));
  for (const line of status.back?.standing ?? []) lines.push(paint.yellow(`  still standing: ${line}`));
  return lines;
}

function stageLine(status: RolloutStatus, nowMs: number): string {
  if (status.bakeMs === null) return status.stageName;
  const leftMs = status.bakeMs - (nowMs - status.stageSinceMs);
  return leftMs > 0 ? `${status.stageName}, bakes for ${Math.ceil(leftMs / 1000)} s more` : status.stageName;
}

function groupRow(name: string, group: GroupStatus): string[] {
  const able = group.able === null ? 'unknown' : String(group.able);
  return [
    name,
    group.environment,
    group.need === null ? able : `${able} (needs ${group.need})`,
    group.rps === null ? 'unknown' : whole(group.rps),
    rate(group.failures, group.attempts),
  ];
}

const barWidth = 24;

function bar(share: number | null, paint: Paint): string {
  const filled = Math.round((share ?? 0) * barWidth);
  return `${paint.cyan('█'.repeat(filled))}${paint.dim('░'.repeat(barWidth - filled))}`;
}

function gauge(value: number, threshold: number, colour: (text: string) => string): string {
  const filled = Math.max(0, Math.min(barWidth, Math.round((value / threshold) * barWidth)));
  return `${colour('█'.repeat(filled))}${'░'.repeat(barWidth - filled)}`;
}

function evidence(of: { readonly logEvidence: number; readonly threshold: number; readonly by: string }): string {
  return `evidence ${of.logEvidence.toFixed(1)} of ${of.threshold.toFixed(1)} (${of.by})`;
}

function shareOf(share: number | null, otherwise = 'unknown'): string {
  return share === null ? otherwise : percentage(share);
}
