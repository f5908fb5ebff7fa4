import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import { fleetOperation } from '../core/journal/fleet.ts';
import type { BackCause } from '../core/rollout/events.ts';
import { hasEnded, type RolloutState } from '../core/rollout/state.ts';
import { type RolloutStatus, stageWords } from '../core/rollout/status.ts';
import { rolledBackWords } from './back/outcome.ts';
import { commandAt } from './command-at.ts';
import type { Context, Journal } from './context.ts';
import type { ControllerAnswer } from './controller/messages.ts';
import { controllerOrSilence, isSilence, type Silence, silenceWords } from './controller/silence.ts';
import { type PastRollout, rolloutsOf } from './journal/history.ts';
import { journalOption, lookIntoJournal } from './journal/open.ts';
import { journalPath } from './journal/path.ts';
import { isTold, sentenceOf } from './journal/sentences.ts';
import { configOption } from './load-config.ts';
import { type Look, lookAt, notLooked } from './status/look.ts';
import { statusLines } from './status/view.ts';
import { pipedStatus } from './status/watch-lines.ts';
import { untilInterrupted } from './terminal/interruption.ts';
import { liveBlock } from './terminal/live.ts';
import { paintFor } from './terminal/paint.ts';
import { columnsOf, wrapTo } from './terminal/text.ts';
import { usableConfig } from './usable-config.ts';

type Options = { readonly config?: string; readonly journal?: string; readonly json?: true };

/** `drover status` and `drover watch`: whether a controller is alive, and where the rollouts stand. */
export function addStatus(program: Command, context: Context): void {
  program
    .command('status')
    .description('whether a controller is alive, and where each rollout stands')
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'as JSON (docs/reference/status.md)')
    .addHelpText(
      'after',
      '\nExit status: 0, or 1 when the journal cannot be read or the controller does not answer.\n\nExamples:\n  drover status\n  drover status --json | jq .rollouts\n',
    )
    .action((options: Options) => status(context, options));
  program
    .command('watch')
    .description(
      'the running rollout, live: groups, shares, evidence; when piped, a dated line at each change and every 10 s',
    )
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one JSON object per second (docs/reference/status.md)')
    .addHelpText(
      'after',
      '\nEnds with the rollout.\nExit status: 0.\n\nExamples:\n  drover watch\n  drover watch --json | jq .observedShare\n',
    )
    .action((options: Options) => watch(context, options));
}

async function status(context: Context, options: Options): Promise<void> {
  const config = await usableConfig(context, options);
  const { journal, stateDirectory } = await lookIntoJournal(context, options);
  try {
    const found = await controllerOrSilence(context, join(stateDirectory, 'control.sock'), journal);
    const silence = isSilence(found) ? found : null;
    const answer = isSilence(found) ? null : found;
    if (silence !== null) context.setExitCode(1);
    const past = await rolloutsOf(context.world, journal, null);
    const seen = await Promise.all(past.map((one) => rowOf(context, config, stateDirectory, past, one, answer)));
    const commit = seen.flatMap(({ look }) => look.commit);
    if (options.json) {
      const rollouts = seen.map(({ row }) => row);
      context.stdout.write(
        `${JSON.stringify({ controller: answer, silence, rollouts, configurationToCommit: commit })}\n`,
      );
      return;
    }
    const paint = paintFor(context);
    const columns = columnsOf(context);
    const command = commandAt(options);
    const isEmpty = journal === null && found === null;
    const first = isEmpty
      ? 'Nothing was started here yet.'
      : silence !== null
        ? silenceLine(silence, context.clock.now(), command)
        : controllerLine(answer, seen, context.clock.now(), command);
    const lines = wrapTo(first, columns);
    for (const { row, look, after, isLast } of seen) {
      // The one that runs has a block of its own.
      if (row.operation === answer?.status?.operation) continue;
      const held = row.held === null ? '' : paint.yellow(`, held: ${row.held.why}`);
      lines.push(`${paint.bold(row.operation)}  ${after ?? row.words}${held}`);
      if (after !== null && isLast)
        lines.push(...wrapTo(onwardsAfterBack(row, command), columns - 4).map((line) => `    ${line}`));
      for (const text of lookTexts(row, look, command))
        lines.push(...wrapTo(text, columns - 4).map((line) => paint.yellow(`    ${line}`)));
    }
    if (answer !== null && answer.trouble !== null)
      lines.push(paint.red(`nothing can be written to the journal: ${answer.trouble}`));
    if (answer?.status) lines.push('', ...statusLines(answer.status, paint, context.clock.now(), columns));
    if (commit.length > 0)
      lines.push(
        '',
        'Commit to the balancer’s configuration (a reload brings the old weights back):',
        ...commit.map((line) => `  ${line}`),
      );
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await journal?.close();
  }
}

type Row = {
  readonly operation: string;
  readonly stage: string;
  readonly words: string;
  readonly held: RolloutState['held'];
  readonly lastEntryAtMs: number;
  readonly ended: boolean;
  /** Why and when it was rolled back; null: it was not. */
  readonly rolledBack: { readonly cause: BackCause; readonly performedAtMs: number; readonly atMs: number } | null;
  readonly taken: string | null;
  readonly astray: readonly string[];
};
type Seen = {
  readonly row: Row;
  readonly look: Look;
  readonly isBack: boolean;
  /** It is the last one of its service: what is told to do next is about it. */
  readonly isLast: boolean;
  /** When, why and by whom it was rolled back; null: it was not. */
  readonly after: string | null;
  /** The configuration has no such service any more, so that no controller goes on with it. */
  readonly isGone: boolean;
};

/** One rollout by the journal and, where it is the last one of its service and no controller runs it, by the world too. */
async function rowOf(
  context: Context,
  config: Config | null,
  stateDirectory: string,
  past: readonly PastRollout[],
  { state, entries }: PastRollout,
  answer: ControllerAnswer | null,
): Promise<Seen> {
  const isLast = past.findLast((one) => one.state.plan.service === state.plan.service)?.state === state;
  const isLooked = isLast && state.operation !== answer?.operation;
  const look = isLooked ? await lookAt(context, config, stateDirectory, state) : notLooked;
  const row = {
    operation: state.operation,
    stage: state.stage.kind,
    words: stageWords(state, state.stage),
    held: state.held,
    lastEntryAtMs: entries.at(-1)?.atMs ?? state.startedAtMs,
    ended: hasEnded(state),
    rolledBack: rolledBackOf(state),
    taken: look.taken,
    astray: look.lines,
  };
  const isGone = config !== null && config.services[state.plan.service] === undefined;
  return { row, look, isBack: state.back !== null, isLast, after: rolledBackWords(state), isGone };
}

function rolledBackOf({ stage, stageSinceMs, back }: RolloutState): Row['rolledBack'] {
  if (stage.kind !== 'rolled-back' || back === null) return null;
  return { cause: back.cause, performedAtMs: back.performedAtMs, atMs: stageSinceMs };
}

function onwardsAfterBack({ operation, rolledBack }: Row, command: (verb: string) => string): string {
  // As `apply` has it: who only asked blames no build.
  const isBlamed = rolledBack?.cause.kind === 'judge' || rolledBack?.cause.kind === 'tripwire';
  const again = isBlamed ? 'begins anew: with another build, or with --reason for the same one' : 'begins anew';
  return `\`${command('report')} ${operation}\` tells what was seen, \`${command('plan')}\` ${again}.`;
}

function lookTexts(
  { operation, ended }: Row,
  { taken, isCut, lines }: Look,
  command: (verb: string) => string,
): string[] {
  if (taken === null) return [...lines];
  const resume = `; \`${command('resume')} ${operation} --reason TEXT\` removes the marker and goes forward again`;
  const onwards = ended ? '' : isCut ? '; this rollout does not go forward again' : resume;
  return [
    `The traffic was taken back, and the journal does not know it: ${taken}.`,
    `\`${command('back')} ${operation}\` puts everything as it was found and journals it${onwards}.`,
    ...lines,
  ];
}

async function watch(context: Context, options: Options): Promise<void> {
  await usableConfig(context, options);
  const place = journalPath(context, options);
  const journal = await context.world.openJournal(place, { readOnly: true });
  const controlSocket = join(dirname(place), 'control.sock');
  const interruption = untilInterrupted();
  const paint = paintFor(context);
  const block = liveBlock(context.stdout, context.clock);
  const seen = new Map<string, number>();
  for (const { operation, seq } of await journal.heads()) seen.set(operation, seq);
  let status: RolloutStatus | null = null;
  const piped = context.stdout.terminal === null ? pipedStatus() : () => [];
  const isLeft = () => interruption.signal.aborted || context.stdout.gone === true;
  try {
    for (let isSilent = false; ; ) {
      const answer = await controllerOrSilence(context, controlSocket, journal);
      if (isSilence(answer)) {
        const line = silenceLine(answer, context.clock.now(), commandAt(options));
        if (!isSilent && options.json) context.stderr.write(`drover: ${line}\n`);
        else if (!isSilent) block.note(line);
        isSilent = true;
        if (isLeft()) break;
        continue;
      }
      isSilent = false;
      const isOver = answer === null || isLeft();
      if (!options.json) for (const line of await newLines(journal, seen, status?.steps ?? null)) block.note(line);
      if (isOver) break;
      status = answer?.status ?? status;
      if (status !== null && options.json) context.stdout.write(`${JSON.stringify(status)}\n`);
      else if (status !== null) {
        block.show(statusLines(status, paint, context.clock.now(), columnsOf(context)));
        for (const line of piped(status, context.clock.now())) block.note(line);
      }
      await context.clock.sleep(1000, interruption.signal);
    }
    if (isLeft()) return;
    const words = status === null ? 'no controller is running' : 'the controller has ended';
    block.show([]);
    if (options.json) context.stderr.write(`drover: ${words}\n`);
    else block.note(words);
  } finally {
    block.close();
    interruption.release();
    await journal.close();
  }
}

async function newLines(journal: Journal, seen: Map<string, number>, steps: number | null): Promise<string[]> {
  const lines: string[] = [];
  for (const { operation, seq } of await journal.heads()) {
    const before = seen.get(operation) ?? 0;
    if (seq === before) continue;
    for (const entry of await journal.read(operation, before)) {
      if (operation !== fleetOperation && isTold(entry.body))
        lines.push(`${operation}  ${sentenceOf(entry.body, steps)}`);
    }
    seen.set(operation, seq);
  }
  return lines;
}

function silenceLine(silence: Silence, nowMs: number, command: (verb: string) => string): string {
  const { what, remedy } = silenceWords(silence, nowMs, command);
  return `${what}: ${remedy}.`;
}

function controllerLine(
  answer: ControllerAnswer | null,
  seen: readonly Seen[],
  nowMs: number,
  command: (verb: string) => string,
): string {
  if (answer !== null)
    return `A controller is alive (pid ${answer.pid}): ${answer.operation ?? 'between two rollouts'}`;
  const open = seen.filter(({ row }) => !row.ended);
  if (open.length === 0) return 'No controller is running, and nothing is unfinished.';
  const last = Math.max(...open.map(({ row }) => row.lastEntryAtMs));
  const back = `\`${command('back')}\``;
  const verb = open.some(({ row }) => row.held !== null) ? 'resume' : 'apply';
  const isBack = open.some((one) => one.isBack || one.row.taken !== null);
  const isGone = open.some((one) => one.isGone);
  const onwards = isBack
    ? `${back} goes on with the way back`
    : `${isGone ? '' : `\`${command(verb)}\` goes on, `}${back} takes the traffic back`;
  return `NO CONTROLLER IS ALIVE; the last entry is ${Math.round((nowMs - last) / 1000)} s old. Nothing proceeds: ${onwards}.`;
}
