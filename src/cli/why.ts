import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Entry } from '../core/journal/entry.ts';
import type { RolloutEvent } from '../core/rollout/events.ts';
import { stageWords } from '../core/rollout/status.ts';
import { takenByController, takenWords } from './back/beside.ts';
import { CliError, type Context } from './context.ts';
import { controllerAt } from './controller/reach.ts';
import { type PastRollout, rolloutsOf } from './journal/history.ts';
import { readJournal } from './journal/open.ts';
import { journalPath } from './journal/path.ts';
import { sentenceOf } from './journal/sentences.ts';
import { isCopyName } from './kafka/copy/copies.ts';
import { reportCopy } from './kafka/copy/report.ts';
import { whyCopy } from './kafka/copy/why.ts';
import { loadConfig } from './load-config.ts';
import { lookAtMarker } from './status/look.ts';
import { reportLines } from './why/report.ts';

type Options = { readonly config?: string; readonly journal?: string; readonly json?: true };

/** `drover why` and `drover report`: what led to where a rollout stands, from its journal, and what has happened without it. */
export function addWhy(program: Command, context: Context): void {
  verb(
    program,
    'why',
    'what led to where a rollout stands, the last causes first',
    '\nExit status: 0, or 1 when there is no such rollout.\n\nExamples:\n  drover why\n  drover why rollout-query-2\n  drover why copy-1\n',
  ).action((name: string | undefined, options: Options) => why(context, name, options));
  verb(
    program,
    'report',
    'a blameless report of a rollout or of a copy, as Markdown',
    '\nExit status: 0, or 1 when there is no such rollout.\n\nExamples:\n  drover report > report.md\n  drover report rollout-query-2 --json\n  drover report copy-1 > report.md\n',
  ).action((name: string | undefined, options: Options) => report(context, name, options));
}

function verb(program: Command, name: string, description: string, examples: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('[ROLLOUT]', 'default: the last one')
    .option('--config <FILE>', 'configuration beside which the journal is')
    .option('--journal <PATH>', 'the journal (default: .drover/journal.db beside the configuration)')
    .option('--json', 'as JSON (docs/reference/why.md)')
    .addHelpText('after', examples);
}

async function why(context: Context, name: string | undefined, options: Options): Promise<void> {
  if (name !== undefined && isCopyName(name)) return await whyCopy(context, name, options);
  const rollout = await find(context, name, options);
  const causes = rollout.entries.filter((entry) => isCause(entry)).toReversed();
  const { state } = rollout;
  const { taken, troubles } = await besidesJournal(context, rollout, options);
  if (options.json) {
    const { operation, stage } = state;
    context.stdout.write(`${JSON.stringify({ operation, stage, taken, causes, troubles })}\n`);
    return;
  }
  const lines = [`${state.operation}: ${taken === null ? '' : 'by the journal '}${stageWords(state, state.stage)}`];
  if (taken !== null) lines.push(`now: ${takenWords(taken, null)}`);
  if (state.held !== null) lines.push(`held by ${state.held.by}: ${state.held.why}`);
  lines.push(...troubles.map((text) => `now: ${text}`));
  for (const entry of causes)
    lines.push(
      `  ${new Date(entry.atMs).toISOString()}  [${entry.seq}] ${sentenceOf(entry.body, state.plan.steps.length)}`,
    );
  context.stdout.write(`${lines.join('\n')}\n`);
}

/**
 * What the journal does not have: what its living controller cannot do at the moment, and what says that somebody has taken the
 * way back. No balancer is asked.
 */
async function besidesJournal(context: Context, { state }: PastRollout, options: Options) {
  const stateDirectory = dirname(journalPath(context, options));
  const found = await controllerAt(context, join(stateDirectory, 'control.sock')).catch(() => null);
  const answer = found?.operation === state.operation ? found : null;
  const marked =
    answer === null ? (await lookAtMarker(context, stateDirectory, state, 'it was not asked')).taken : null;
  const journal = answer?.trouble == null ? [] : [`nothing can be written to the journal: ${answer.trouble}`];
  return {
    taken: takenByController(answer, state.operation) ?? marked,
    troubles: [...journal, ...(answer?.status?.troubles ?? [])],
  };
}

async function report(context: Context, name: string | undefined, options: Options): Promise<void> {
  if (name !== undefined && isCopyName(name)) return await reportCopy(context, name, options);
  const rollout = await find(context, name, options);
  const { taken } = await besidesJournal(context, rollout, options);
  if (options.json) context.stdout.write(`${JSON.stringify({ ...rollout, taken })}\n`);
  else {
    // A report needs the journal alone; the configuration only tells whose the weights are.
    const config = await loadConfig(context, options.config).then(
      (loaded) => loaded.config,
      () => null,
    );
    context.stdout.write(`${reportLines(rollout, config, taken).join('\n')}\n`);
  }
}

/** Entries that changed what was wanted or believed; readings and checkpoints are their ground, not their cause. */
const causes: ReadonlySet<RolloutEvent['kind']> = new Set<RolloutEvent['kind']>([
  'started',
  'stage-entered',
  'drill-measured',
  'promoted',
  'builds-changed',
  'balancer-restarted',
  'held',
  'resumed',
  'back-performed',
  'drained',
  'rolled-back',
  'completed',
  'retired',
]);

function isCause(entry: Entry): boolean {
  return (causes as ReadonlySet<string>).has(entry.body.kind);
}

async function find(context: Context, name: string | undefined, options: Options): Promise<PastRollout> {
  const journal = await readJournal(context, options);
  try {
    const rollouts = await rolloutsOf(context.world, journal, null);
    const found = rollouts.findLast(
      ({ state }) => name === undefined || state.operation === name || state.plan.service === name,
    );
    if (found !== undefined) return found;
    const copies = (await journal.heads()).map(({ operation }) => operation).filter(isCopyName);
    const names = [...rollouts.map(({ state }) => state.operation), ...copies].join(', ');
    throw new CliError(
      name === undefined ? 'the journal has no rollout yet' : `there is no rollout "${name}"`,
      names === '' ? null : `the journal has: ${names}`,
    );
  } finally {
    await journal.close();
  }
}
