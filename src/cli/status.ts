import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { fleetOperation } from '../core/journal/fleet.ts';
import type { RolloutStatus } from '../core/rollout/status.ts';
import { type Stray, straysOf, strayWords } from './back/beside.ts';
import { commandAt } from './command-at.ts';
import type { Context, Journal } from './context.ts';
import type { ControllerAnswer } from './controller/messages.ts';
import { controllerOrSilence, isSilence, type Silence, silenceWords } from './controller/silence.ts';
import { journalOption, readJournal } from './journal/open.ts';
import { journalPath } from './journal/path.ts';
import { isTold, sentenceOf } from './journal/sentences.ts';
import { copiesOf, openCopies } from './kafka/copy/copies.ts';
import { watchCopy, watchedCopy } from './kafka/copy/watch.ts';
import { configOption } from './load-config.ts';
import { readState } from './status/read-state.ts';
import { controllerLine, lookTexts, onwardsAfterBack, rowOf, type Seen } from './status/rollouts.ts';
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
      '\nExit status: 0, or 1 when the journal cannot be read or is gone, the controller does not answer, or something of a\nway back that was taken still stands.\n\nExamples:\n  drover status\n  drover status --json | jq .rollouts\n',
    )
    .action((options: Options) => status(context, options));
  program
    .command('watch')
    .argument('[COPY]', 'a copy of Kafka data (default: the running rollout; where there is none, the only copy)')
    .description(
      'the running rollout or a copy, live: groups, shares, evidence; when piped, a dated line at each change, and now and then',
    )
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one JSON object per second (docs/reference/status.md)')
    .addHelpText(
      'after',
      '\nEnds with the rollout, and with the controller of the copy.\nExit status: 0.\n\nExamples:\n  drover watch\n  drover watch --json | jq .observedShare\n  drover watch copy-1\n',
    )
    .action(async (name: string | undefined, options: Options) => {
      const copy = await watchedCopy(context, options, name);
      await (copy === null ? watch(context, options) : watchCopy(context, copy, options));
    });
}

async function status(context: Context, options: Options): Promise<void> {
  const config = await usableConfig(context, options);
  const { journal, stateDirectory, past, beside, unreadable } = await readState(context, options);
  try {
    const found = await controllerOrSilence(context, join(stateDirectory, 'control.sock'), journal);
    const silence = isSilence(found) ? found : null;
    const answer = isSilence(found) ? null : found;
    const known = past.map(({ state }) => state.operation);
    const strays = straysOf(beside, answer?.operation == null ? known : [...known, answer.operation]);
    const seen = await Promise.all(
      past.map((one) => rowOf(context, config, stateDirectory, past, one, answer, journal)),
    );
    const shown = { found, seen, strays, problems: beside.problems, unreadable, stateDirectory };
    if (isWrong(shown)) context.setExitCode(1);
    const commit = seen.flatMap(({ look }) => look.commit);
    if (options.json)
      context.stdout.write(
        `${JSON.stringify({
          ...{ controller: answer, silence, unreadable: unreadable?.message ?? null },
          rollouts: seen.map(({ row }) => row),
          strays: strays.map(strayRow),
          configurationToCommit: commit,
        })}\n`,
      );
    else {
      const copies = await copiesLines(context, journal, commandAt(options));
      context.stdout.write(`${[...shownLines(context, shown, commandAt(options)), ...copies].join('\n')}\n`);
    }
  } finally {
    await journal?.close();
  }
  if (unreadable !== null) throw unreadable;
}

/** Copies of Kafka data have a status of their own. What of the journal cannot be read is told already. */
async function copiesLines(
  context: Context,
  journal: Journal | null,
  command: (verb: string) => string,
): Promise<string[]> {
  const open = openCopies(await copiesOf(context.world, journal).catch(() => []));
  return open.length === 0
    ? []
    : [
        `Copies of Kafka data that are not over: ${open.map(({ operation }) => operation).join(', ')}; \`${command('kafka status')}\` tells.`,
      ];
}

type Shown = {
  readonly found: ControllerAnswer | Silence | null;
  readonly seen: readonly Seen[];
  readonly strays: readonly Stray[];
  /** Exported states that cannot be understood. */
  readonly problems: readonly string[];
  readonly unreadable: Error | null;
  readonly stateDirectory: string;
};

/** Somebody has to look: nobody knows how it stands, or a way back was taken of which something stands. */
function isWrong(shown: Shown): boolean {
  const { found, seen, strays, unreadable } = shown;
  const isLost = strays.length > 0 || isLostWithoutJournal(shown);
  const isHung = isSilence(found);
  const standing = isHung || found?.status?.back == null ? [] : found.standing;
  return (
    isHung || isLost || unreadable !== null || [...standing, ...seen.flatMap((one) => one.look.standing)].length > 0
  );
}

function shownLines(context: Context, shown: Shown, command: (verb: string) => string): string[] {
  const { found, seen, strays, stateDirectory } = shown;
  const answer = isSilence(found) ? null : found;
  const paint = paintFor(context);
  const columns = columnsOf(context);
  const nowMs = context.clock.now();
  const indented = (text: string) => wrapTo(text, columns - 4).map((line) => `    ${line}`);
  const lines = wrapTo(firstLine(shown, nowMs, command), columns);
  for (const one of seen) {
    const { row, after, isLast } = one;
    // The one that runs has a block of its own.
    if (row.operation === answer?.status?.operation) continue;
    const held = row.held === null ? '' : paint.yellow(`, held: ${row.held.why}`);
    lines.push(`${paint.bold(row.operation)}  ${after ?? row.words}${held}`);
    if (after !== null && isLast) lines.push(...indented(onwardsAfterBack(row, command)));
    for (const text of lookTexts(one, command)) lines.push(...indented(text).map(paint.yellow));
  }
  for (const stray of strays) {
    const { what, remedy } = strayWords(stray, stateDirectory, command);
    lines.push(...wrapTo(what, columns), ...indented(`${remedy}.`).map(paint.yellow));
  }
  if (isLostWithoutJournal(shown)) for (const text of shown.problems) lines.push(...wrapTo(text, columns));
  if (answer !== null && answer.trouble !== null)
    lines.push(paint.red(`nothing can be written to the journal: ${answer.trouble}`));
  if (answer?.status) lines.push('', ...statusLines(answer.status, paint, nowMs, columns));
  const commit = seen.flatMap(({ look }) => look.commit);
  if (commit.length > 0)
    lines.push(
      '',
      'Commit to the balancer’s configuration (a reload brings the old weights back):',
      ...commit.map((line) => `  ${line}`),
    );
  return lines;
}

/** As printed with --json. */
function strayRow({ operation, exported, marked }: Stray) {
  return { operation, completed: exported?.completed ?? null, marked };
}

/** Then an exported state is all that there would be. */
function isLostWithoutJournal({ seen, problems }: Shown): boolean {
  return seen.length === 0 && problems.length > 0;
}

function firstLine(shown: Shown, nowMs: number, command: (verb: string) => string): string {
  const { found, seen, strays, unreadable } = shown;
  if (isSilence(found)) return silenceLine(found, nowMs, command);
  if (found !== null) return controllerLine(found, seen, nowMs, command);
  if (unreadable !== null)
    return 'No controller is running, and what is unfinished is not known: the journal cannot be read.';
  if (seen.length > 0) return controllerLine(found, seen, nowMs, command);
  return strays.length > 0 || isLostWithoutJournal(shown)
    ? 'No controller is running, and there is no journal of what was begun here.'
    : 'Nothing was started here yet.';
}

async function watch(context: Context, options: Options): Promise<void> {
  await usableConfig(context, options);
  const place = journalPath(context, options);
  const journal = await readJournal(context, options);
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
