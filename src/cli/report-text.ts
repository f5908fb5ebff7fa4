import type { Entry } from '../core/journal/entry.ts';
import type { DrillMeasure, RolloutEvent } from '../core/rollout/events.ts';
import { stageWords } from '../core/rollout/status.ts';
import { percentage } from './figures.ts';
import type { PastRollout } from './history.ts';
import { sentenceOf } from './journal-sentences.ts';

/** A blameless report: what was seen, when, what was done, what the way back took, and the head of its chain to keep elsewhere. */
export function reportLines({ state, entries }: PastRollout): string[] {
  const head = entries.at(-1);
  return [
    `# ${state.operation}: ${state.plan.service}, ${state.plan.origin.environment} → ${state.plan.destination.environment}`,
    '',
    `Outcome: **${stageWords(state, state.stage)}**. Owner: ${state.plan.owner}. Builds: ${state.builds.origin} → ${state.builds.destination}.`,
    ...(state.reason === null ? [] : ['', `Rules were overridden; the reason given: ${state.reason}`]),
    '',
    ...backLines(state, entries),
    ...drillLines(state.drill),
    '## What happened',
    '',
    '| time (UTC) | entry | |',
    '|---|---|---|',
    ...entries
      .filter(isTold)
      .map(
        (entry) =>
          `| ${new Date(entry.atMs).toISOString()} | ${entry.seq} | ${escaped(sentenceOf(entry.body, state.plan.steps.length))} |`,
      ),
    '',
    `Head of the chain: entry ${head?.seq ?? 0}, \`${head?.hash ?? ''}\`. Kept elsewhere, it shows a journal that was cut or rewritten (\`drover journal verify --head HASH\`).`,
  ];
}

function backLines(state: PastRollout['state'], entries: readonly Entry[]): string[] {
  if (state.back === null) return [];
  const { cause, verdict, performedAtMs, drained } = state.back;
  const lines = [
    '## The way back',
    '',
    `Cause: ${cause.kind === 'judge' ? `the judge (${cause.by})` : causeText(cause)}.`,
  ];
  if (verdict !== null) {
    const { logEvidence, threshold } = verdict.rollBack;
    lines.push(
      '',
      `Evidence ${logEvidence.toFixed(2)} against a threshold of ${threshold.toFixed(2)} (natural logarithms).`,
    );
  }
  const seen = lastShare(entries, performedAtMs);
  if (seen !== null) lines.push('', `Share of the destination before: ${percentage(seen)}.`);
  lines.push('', `Taken at ${new Date(performedAtMs).toISOString()}.`);
  if (drained !== null)
    lines.push(`No destination attempt and ${drained.inFlight} in flight after ${drained.afterMs} ms.`);
  const ended = entries.find((entry) => entry.body.kind === 'rolled-back');
  if (ended !== undefined) lines.push(`Everything as found after ${ended.atMs - performedAtMs} ms.`);
  return [...lines, ''];
}

function causeText(cause: Exclude<NonNullable<PastRollout['state']['back']>['cause'], { kind: 'judge' }>): string {
  if (cause.kind === 'asked') return `${cause.by} asked for it${cause.reason === null ? '' : ` (${cause.reason})`}`;
  return cause.kind === 'tripwire' ? `tripwire ${cause.wire}: ${cause.detail}` : `${cause.kind}: ${cause.detail}`;
}

function drillLines(
  drill: { readonly measure: DrillMeasure; readonly passed: boolean; readonly note: string } | null,
): string[] {
  if (drill === null) return [];
  const { acknowledgedMs, lastAttemptMs, spacingMs, rps } = drill.measure;
  return [
    '## The drill',
    '',
    `${drill.passed ? 'Passed' : 'Failed'} (${drill.note}): acknowledged after ${acknowledgedMs.toFixed(1)} ms, last attempt ${lastAttemptMs.toFixed(1)} ms later, polled every ${spacingMs.toFixed(1)} ms at ${rps.toFixed(1)} requests/s.`,
    '',
  ];
}

/** The observed share of the last checkpoint before. */
function lastShare(entries: readonly Entry[], beforeMs: number): number | null {
  let share: number | null = null;
  for (const { body, atMs } of entries) {
    const event = body as RolloutEvent;
    if (event.kind === 'checkpoint' && atMs <= beforeMs) share = event.seen.share;
  }
  return share;
}

function isTold(entry: Entry): boolean {
  return entry.body.kind !== 'confirmed' && entry.body.kind !== 'checkpoint';
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
