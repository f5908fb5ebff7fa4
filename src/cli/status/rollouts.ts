import type { Config } from '../../core/fleet/config.ts';
import type { BackCause } from '../../core/rollout/events.ts';
import { hasEnded, type RolloutState } from '../../core/rollout/state.ts';
import { stageWords } from '../../core/rollout/status.ts';
import { type Blamed, unexplained } from '../../core/rollout/taken-back.ts';
import { takenByController, takenWords } from '../back/beside.ts';
import { rolledBackWords } from '../back/outcome.ts';
import type { Context, Journal } from '../context.ts';
import type { ControllerAnswer } from '../controller/messages.ts';
import { signOfLife } from '../controller/silence.ts';
import type { PastRollout } from '../journal/history.ts';
import { goneWords } from '../plan/unfinished.ts';
import { type Look, lookAt, notLooked } from './look.ts';

/** A rollout of the journal as `status --json` prints it. */
export type Row = {
  readonly operation: string;
  readonly stage: string;
  readonly words: string;
  readonly held: RolloutState['held'];
  /** The builds for which `resume` needs a reason. */
  readonly blamed: readonly Blamed[];
  readonly lastEntryAtMs: number;
  /** When a controller last showed that it is alive, by its lease or an entry. */
  readonly lastSignAtMs: number;
  readonly ended: boolean;
  /** Why and when it was rolled back; null: it was not. */
  readonly rolledBack: {
    readonly cause: BackCause;
    readonly performedAtMs: number;
    readonly atMs: number;
    readonly builds: readonly string[];
  } | null;
  readonly taken: string | null;
  readonly astray: readonly string[];
};
export type Seen = {
  readonly row: Row;
  readonly look: Look;
  readonly isBack: boolean;
  /** It is the last one of its service: what is told to do next is about it. */
  readonly isLast: boolean;
  /** When, why and by whom it was rolled back; null: it was not. */
  readonly after: string | null;
  /** What keeps a controller from going on with it: its service is gone from the configuration, or that cannot be used. */
  readonly obstacle: string | null;
};

/** One rollout by the journal and, where it is the last one of its service and no controller runs it, by the world too. */
export async function rowOf(
  context: Context,
  config: Config | null,
  stateDirectory: string,
  past: readonly PastRollout[],
  { state, entries }: PastRollout,
  answer: ControllerAnswer | null,
  journal: Journal | null,
): Promise<Seen> {
  const lastEntryAtMs = entries.at(-1)?.atMs ?? state.startedAtMs;
  const isLast = past.findLast((one) => one.state.plan.service === state.plan.service)?.state === state;
  const isLooked = isLast && state.operation !== answer?.operation;
  const look = isLooked ? await lookAt(context, config, stateDirectory, state) : notLooked;
  const row = {
    operation: state.operation,
    stage: state.stage.kind,
    words: stageWords(state, state.stage),
    held: state.held,
    blamed: hasEnded(state) ? [] : unexplained(state),
    lastEntryAtMs,
    lastSignAtMs: Math.max(lastEntryAtMs, (await signOfLife(journal, state.operation)) ?? 0),
    ended: hasEnded(state),
    rolledBack: rolledBackOf(state),
    taken: takenByController(answer, state.operation) ?? look.taken,
    astray: look.lines,
  };
  return {
    ...{ row, look, isLast, isBack: state.back !== null, after: rolledBackWords(state) },
    obstacle: obstacleOf(config, state),
  };
}

function obstacleOf(config: Config | null, { operation, plan: { service } }: RolloutState): string | null {
  if (config === null) return 'the configuration cannot be used: put it right';
  return config.services[service] === undefined ? goneWords(operation, service) : null;
}

function rolledBackOf({ stage, stageSinceMs, back }: RolloutState): Row['rolledBack'] {
  if (stage.kind !== 'rolled-back' || back === null) return null;
  return { cause: back.cause, performedAtMs: back.performedAtMs, atMs: stageSinceMs, builds: back.builds };
}

export function onwardsAfterBack({ operation, rolledBack }: Row, command: (verb: string) => string): string {
  return `\`${command('report')} ${operation}\` tells what was seen, \`${command('plan')}\` begins anew${rolledBack === null || rolledBack.builds.length > 0 ? ': with another build, or with --reason for the same one' : ''}.`;
}

export function lookTexts({ row, look, obstacle }: Seen, command: (verb: string) => string): string[] {
  const { taken, isCut, lines, standing } = look;
  if (taken === null) return [...lines];
  const { operation, ended } = row;
  const back = `\`${command('back')} ${operation}\` puts everything as it was found and journals it`;
  const resume = `\`${command('resume')} ${operation} --reason TEXT\` removes the marker and goes forward again`;
  // Only where it was looked: servers that are in maint already stay there.
  const onwards = ended || isCut === null ? '' : isCut ? '; this rollout does not go forward again' : `; ${resume}`;
  return [
    takenWords(taken, standing.length > 0 ? false : isCut || null),
    obstacle === null ? `${back}${onwards}.` : `${capitalised(obstacle)}; then ${back}.`,
    ...lines,
  ];
}

function capitalised(text: string): string {
  return text.startsWith('the ') ? `T${text.slice(1)}` : text;
}

export function controllerLine(
  answer: ControllerAnswer | null,
  seen: readonly Seen[],
  nowMs: number,
  command: (verb: string) => string,
): string {
  if (answer !== null)
    return `A controller is alive (pid ${answer.pid}): ${answer.operation ?? 'between two rollouts'}`;
  const open = seen.filter(({ row }) => !row.ended);
  if (open.length === 0) return 'No controller is running, and nothing is unfinished.';
  const last = Math.max(...open.map(({ row }) => row.lastSignAtMs));
  const back = `\`${command('back')}\``;
  const blamed = open.find(({ row }) => row.blamed.length > 0)?.row ?? null;
  const verb = open.some(({ row }) => row.held !== null) ? 'resume' : 'apply';
  const goesOn = blamed === null ? command(verb) : `${command('resume')} ${blamed.operation} --reason TEXT`;
  const isBack = open.some((one) => one.isBack || one.row.taken !== null);
  const isGone = open.some(({ obstacle }) => obstacle !== null);
  const onwards = isBack
    ? `${back} goes on with the way back${isGone ? ', at the balancers alone' : ''}`
    : `${isGone ? '' : `\`${goesOn}\` goes on, `}${back} takes the traffic back`;
  const ageS = Math.max(0, Math.round((nowMs - last) / 1000));
  return `NO CONTROLLER IS ALIVE; the last sign of life is ${ageS} s old. Nothing proceeds: ${onwards}.`;
}
