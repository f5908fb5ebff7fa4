import type { Config } from '../../core/fleet/config.ts';
import type { Entry } from '../../core/journal/entry.ts';
import { configurationAsFound } from '../../core/rollout/configured.ts';
import { configurationAfter } from '../../core/rollout/decide-finished.ts';
import type { BackPerformed, DrillMeasure, RolloutEvent } from '../../core/rollout/events.ts';
import { stageWords } from '../../core/rollout/status.ts';
import { takenWords } from '../back/beside.ts';
import type { PastRollout } from '../journal/history.ts';
import { isTold, sentenceOf } from '../journal/sentences.ts';
import { linesToWrite } from '../status/lines-to-commit.ts';
import { percentage, rate, whole } from '../terminal/figures.ts';

/**
 * A blameless report: what was seen, when, what was done, what the way back took, and the head of its chain to keep elsewhere.
 * `taken`: what says that somebody took a way back that the journal does not know.
 */
export function reportLines({ state, entries }: PastRollout, config: Config | null, taken: string | null): string[] {
  const head = entries.at(-1);
  const byJournal = stageWords(state, state.stage);
  const outcome =
    taken === null ? byJournal : `the way back was taken, which the journal does not know (by it: ${byJournal})`;
  return [
    `# ${state.operation}: ${state.plan.service}, ${state.plan.origin.environment} → ${state.plan.destination.environment}`,
    '',
    `Outcome: **${outcome}**. Owner: ${state.plan.owner}. Builds: ${state.builds.origin} → ${state.builds.destination}.`,
    ...(state.reason === null ? [] : ['', `Rules were overridden; the reason given: ${state.reason}`]),
    '',
    ...(taken === null ? [] : [escaped(takenWords(taken, null)), '']),
    ...feltLines(state),
    ...backLines(state, entries),
    ...drillLines(state.drill),
    ...commitLines(state, entries, config),
    '## What happened',
    '',
    '| time (UTC) | entry | |',
    '|---|---|---|',
    ...entries
      .filter((entry) => isTold(entry.body))
      .map(
        (entry) =>
          `| ${new Date(entry.atMs).toISOString()} | ${entry.seq} | ${escaped(sentenceOf(entry.body, state.plan.steps.length))} |`,
      ),
    '',
    `Head of the chain: entry ${head?.seq ?? 0}, \`${head?.hash ?? ''}\`. Kept elsewhere, it shows a journal that was cut or rewritten (\`drover journal verify --head HASH\`).`,
  ];
}

/** Attempts that failed, and how many more those are than the origin's rate explains, as far as that is known. */
function feltLines({ counted, plan, stage, back }: PastRollout['state']): string[] {
  const { origin, destination, untilMs = {}, gaps = [], unserved = [] } = counted;
  const isOver = stage.kind === 'completed' || stage.kind === 'rolled-back';
  if (origin.attempts + destination.attempts + gaps.length + unserved.length === 0)
    return isOver
      ? []
      : [
          '## What users felt',
          '',
          'Nothing of it is in the journal yet: it is written every 30 s, and when it is held or ends.',
          '',
        ];
  const row = (name: string, environment: string, { attempts, failures }: typeof origin) =>
    `| ${name} (${environment}) | ${whole(attempts)} | ${whole(failures)} | ${rate(failures, attempts)} |`;
  const underWay = back?.drained?.inFlight ?? 0;
  const counts = Object.values(untilMs);
  const last = counts.length === 0 ? 'the last checkpoint' : moment(Math.min(...counts));
  const missing = gaps.map(({ fromMs, toMs }) => `between ${moment(fromMs)} and ${moment(toMs)}`);
  return [
    '## What users felt',
    '',
    `Attempts as the balancers counted them since the rollout began${isOver ? '' : `, until ${last}`}, retries included.`,
    ...(missing.length === 0
      ? []
      : [
          `What was counted ${missing.join(', ')} is not known: a balancer's counters began anew, or no controller wrote down what it read.`,
        ]),
    ...unserved.map(
      ({ backend, fromMs, toMs }) =>
        `**Nobody carried the traffic of ${backend} between ${moment(fromMs)} and ${moment(toMs)}** (${((toMs - fromMs) / 1000).toFixed(1)} s): what the balancer answered then is in none of these figures.`,
    ),
    ...(underWay === 0
      ? []
      : [
          `${whole(underWay)} requests were still under way at the destination when it was counted for the last time: what became of them is in none of these figures.`,
        ]),
    '',
    '| group | attempts | failed | |',
    '|---|---|---|---|',
    row('origin', plan.origin.environment, origin),
    row('destination', plan.destination.environment, destination),
    '',
    comparedWords(counted, isOver, gaps.length + unserved.length + underWay === 0),
    '',
  ];
}

/** Only what was counted from the beginning to the end acquits anybody. */
function comparedWords(
  { origin, destination }: PastRollout['state']['counted'],
  isOver: boolean,
  isAllKnown: boolean,
): string {
  if (origin.attempts === 0) return 'The origin had no attempts to compare them with.';
  const more = destination.failures - (destination.attempts * origin.failures) / origin.attempts;
  const known = isAllKnown ? '' : ', without what is not known';
  if (more >= 1) return `That is about ${whole(more)} failures more than the origin's rate explains${known}.`;
  if (!isAllKnown)
    return "Whether the destination failed more often than the origin's rate explains cannot be told: a part of it is not known.";
  return isOver
    ? "The destination did not fail more often than the origin's rate explains."
    : "Until then the destination had not failed more often than the origin's rate explains.";
}

function moment(atMs: number): string {
  return new Date(atMs).toISOString();
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
  // The first: of a way back of which more was taken later.
  const first = entries.find(({ body }) => body.kind === 'back-performed');
  const seen = (first?.body as BackPerformed | undefined)?.shareBefore ?? null;
  if (seen !== null) lines.push('', `Share of the destination before: ${percentage(seen)}.`);
  lines.push('', `Taken at ${new Date(performedAtMs).toISOString()}.`);
  const written = first?.atMs ?? performedAtMs;
  if (written - performedAtMs >= lateMsMin)
    lines.push(
      `It was taken without the journal, which was told at ${new Date(written).toISOString()}: what follows was seen only then.`,
    );
  if (drained !== null)
    lines.push(`No destination attempt and ${drained.inFlight} in flight after ${drained.afterMs} ms.`);
  const ended = entries.find((entry) => entry.body.kind === 'rolled-back');
  if (ended !== undefined) lines.push(`Everything as found after ${ended.atMs - performedAtMs} ms.`);
  return [...lines, ''];
}

/** Later than a pass takes: not even the controller that took it could write it down. */
const lateMsMin = 2000;

function commitLines(state: PastRollout['state'], entries: readonly Entry[], config: Config | null): string[] {
  const isBack = state.back !== null && entries.some(({ body }) => tookAll(body, state.plan.steps.length + 1));
  const lines = isBack
    ? linesToWrite(config, configurationAsFound(state), 'origin')
    : linesToWrite(config, configurationAfter(state));
  if (lines.length === 0) return [];
  return [
    '## To commit',
    '',
    isBack
      ? 'It was taken back after it had had the whole share. Where its lines had been committed by then, a reload undoes the way back: the configuration has to say again what it said before (`drover status` compares it with what is there now):'
      : 'A reload of the balancer brings the configured weights back, so its configuration has to say (`drover status` compares it with what is there now):',
    '',
    ...lines.map((line) => `- \`${line}\``),
    '',
  ];
}

/** From here on its owner may write its weights down. */
function tookAll(body: Entry['body'], whole: number): boolean {
  const { kind, stage } = body as Partial<Extract<RolloutEvent, { readonly kind: 'stage-entered' }>>;
  return (
    kind === 'stage-entered' && (stage?.kind === 'finishing' || (stage?.kind === 'judging' && stage.step === whole))
  );
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

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
