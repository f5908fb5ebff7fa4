import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import { fleetOperation } from '../core/journal/fleet.ts';
import { configurationToCommit } from '../core/rollout/decide-finished.ts';
import { hasEnded, type RolloutState } from '../core/rollout/state.ts';
import { type RolloutStatus, stageWords } from '../core/rollout/status.ts';
import type { Context, Journal } from './context.ts';
import { type ControllerAnswer, controllerAt } from './controller.ts';
import { rolloutsOf } from './history.ts';
import { untilInterrupted } from './interruption.ts';
import { isTold, sentenceOf } from './journal-sentences.ts';
import { linesToWrite } from './lines-to-commit.ts';
import { liveBlock } from './live.ts';
import { configOption, loadConfig } from './load-config.ts';
import { journalOption } from './open-journal.ts';
import { openService } from './open-service.ts';
import { paintFor } from './paint.ts';
import { statusLines } from './status-view.ts';
import { columnsOf, wrapTo } from './terminal-text.ts';
import { pipedStatus } from './watch-lines.ts';

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
      '\nExit status: 0, or 1 when the journal cannot be read.\n\nExamples:\n  drover status\n  drover status --json | jq .rollouts\n',
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
  const { config, journal, stateDirectory, controlSocket } = await openReadOnly(context, options);
  try {
    const answer = await controllerAt(context, controlSocket);
    const past = await rolloutsOf(journal, null);
    const rollouts = past.map(({ state, entries }) => ({
      operation: state.operation,
      stage: state.stage.kind,
      words: stageWords(state, state.stage),
      held: state.held,
      lastEntryAtMs: entries.at(-1)?.atMs ?? state.startedAtMs,
      ended: hasEnded(state),
    }));
    const commit = await linesToCommit(
      context,
      config,
      journal,
      stateDirectory,
      past.map(({ state }) => state),
    );
    if (options.json) {
      context.stdout.write(`${JSON.stringify({ controller: answer, rollouts, configurationToCommit: commit })}\n`);
      return;
    }
    const paint = paintFor(context);
    const open = rollouts.filter((rollout) => !rollout.ended);
    const lines = wrapTo(controllerLine(answer, open, context.clock.now()), columnsOf(context));
    for (const rollout of rollouts) {
      // The one that runs has a block of its own.
      if (rollout.operation === answer?.status?.operation) continue;
      lines.push(
        `${paint.bold(rollout.operation)}  ${rollout.words}${rollout.held === null ? '' : paint.yellow(`, held: ${rollout.held.why}`)}`,
      );
    }
    if (answer !== null && answer.trouble !== null)
      lines.push(paint.red(`nothing can be written to the journal: ${answer.trouble}`));
    if (answer?.status) lines.push('', ...statusLines(answer.status, paint, context.clock.now(), columnsOf(context)));
    if (commit.length > 0)
      lines.push(
        '',
        'Commit to the balancer’s configuration (a reload brings the old weights back):',
        ...commit.map((line) => `  ${line}`),
      );
    context.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await journal.close();
  }
}

async function watch(context: Context, options: Options): Promise<void> {
  const { journal, controlSocket } = await openReadOnly(context, options);
  const interruption = untilInterrupted();
  const paint = paintFor(context);
  const block = liveBlock(context.stdout, context.clock);
  const seen = new Map<string, number>();
  for (const { operation, seq } of await journal.heads()) seen.set(operation, seq);
  let status: RolloutStatus | null = null;
  const piped = context.stdout.terminal === null ? pipedStatus() : () => [];
  try {
    for (
      let answer = await controllerAt(context, controlSocket);
      ;
      answer = await controllerAt(context, controlSocket)
    ) {
      const isOver = answer === null || interruption.signal.aborted;
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
    if (interruption.signal.aborted) return;
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

/** The server lines that a completed rollout still needs in the balancer's configuration. */
async function linesToCommit(
  context: Context,
  config: Config,
  journal: Journal,
  stateDirectory: string,
  states: readonly RolloutState[],
): Promise<string[]> {
  const lines: string[] = [];
  for (const state of states) {
    const isLast = states.findLast((one) => one.plan.service === state.plan.service) === state;
    if (!isLast || state.stage.kind !== 'completed' || config.services[state.plan.service] === undefined) continue;
    const service = openService(context, config, state.plan.service, journal, stateDirectory, 'watch');
    lines.push(...linesToWrite(config, configurationToCommit(state, await service.observe())));
    await service.close();
  }
  return lines;
}

function controllerLine(
  answer: ControllerAnswer | null,
  open: readonly { readonly lastEntryAtMs: number; readonly held: unknown }[],
  nowMs: number,
): string {
  if (answer !== null)
    return `A controller is alive (pid ${answer.pid}): ${answer.operation ?? 'between two rollouts'}`;
  const last = Math.max(0, ...open.map((one) => one.lastEntryAtMs));
  if (last === 0) return 'No controller is running, and nothing is unfinished.';
  const verb = open.some(({ held }) => held !== null) ? 'resume' : 'apply';
  return `NO CONTROLLER IS ALIVE; the last entry is ${Math.round((nowMs - last) / 1000)} s old. Nothing proceeds: \`drover ${verb}\` goes on, \`drover back\` takes the traffic back.`;
}

async function openReadOnly(context: Context, options: Options) {
  const { config } = await loadConfig(context, options.config);
  const place =
    options.journal === undefined
      ? join(config.directory, '.drover', 'journal.db')
      : resolve(context.directory, options.journal);
  const journal = await context.world.openJournal(place, { readOnly: true });
  const stateDirectory = dirname(place);
  return { config, journal, stateDirectory, controlSocket: join(stateDirectory, 'control.sock') };
}
