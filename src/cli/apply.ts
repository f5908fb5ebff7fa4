import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import type { Builds, Started } from '../core/rollout/events.ts';
import { asFoundOf, buildsOf, checkStart } from '../core/rollout/start.ts';
import { fold } from '../core/rollout/state.ts';
import { startOperation } from '../engine/chain.ts';
import { CliError, type Context } from './context.ts';
import { controlRollout, exportState } from './control-rollout.ts';
import { earlierAttempts, rolledBackBefore, rolloutsOf, unfinished } from './history.ts';
import { configOption, loadConfig } from './load-config.ts';
import { journalOption, type OpenJournal, openJournalOf } from './open-journal.ts';
import { openService } from './open-service.ts';
import { paintFor } from './paint.ts';
import { chooseServices, type PlanDocument, planDocument } from './plan-document.ts';
import { planLines } from './plan-view.ts';
import { type RolloutReporter, reporterFor } from './rollout-reporter.ts';
import { columnsOf } from './terminal-text.ts';

export type ApplyOptions = {
  readonly config?: string;
  readonly journal?: string;
  readonly wave?: string;
  readonly plan?: string;
  readonly reason?: string;
  readonly heartbeat?: string;
  readonly detach?: true;
  readonly json?: true;
};

/** `drover apply`: is the controller, in the foreground, until the plan is done or taken back. */
export function addApply(program: Command, context: Context): void {
  program
    .command('apply')
    .description('move the services of a plan, one after the other; this process is the controller')
    .argument('[SERVICE...]', 'services to move (default: what is left of the first unfinished wave)')
    .option('--wave <NAME>', 'the services of this wave')
    .option('--plan <HASH>', 'the plan that was read; another one is refused (asked for on a terminal)')
    .option('--reason <TEXT>', 'why a build that was taken back is tried again, or another rule overridden; journalled')
    .option('--heartbeat <URL>', 'called every 30 s and at the end: its silence says that the controller is gone')
    .option('--detach', 'go on in the background (needs --plan)')
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one JSON object per journal entry, and a last one with the outcome (docs/reference/apply.md)')
    .addHelpText('after', examples)
    .action((services: string[], options: ApplyOptions) => apply(context, services, options));
}

const examples = `
An unfinished rollout of these services is gone on with: after a crash, run the same command again.
SIGINT and SIGTERM hold the share and end; \`drover resume\` goes on, \`drover back\` takes the traffic back.
Exit status: 0 completed, 2 taken back or held, 1 refused or an error.

Examples:
  drover plan && drover apply                    asks for the plan on a terminal
  drover apply --plan 3f2a…                      without asking
  drover apply query --plan 3f2a… --detach
  drover apply --plan 3f2a… --reason "fixed the time-out, see #123"
`;

async function apply(context: Context, names: readonly string[], options: ApplyOptions): Promise<void> {
  const { config } = await loadConfig(context, options.config);
  const opened = await openJournalOf(context, config, options.journal);
  try {
    await refuseSecond(context, opened);
    await context.world.startBalancers(config, opened.stateDirectory);
    const going = unfinished(await rolloutsOf(opened.journal, null));
    const reporter = reporterFor(context, options.json === true);
    const first = going[0];
    if (first !== undefined) {
      reporter.note(`${first.operation} is unfinished: going on with it`);
      const state = await run(context, config, opened, options, reporter, {
        operation: first.operation,
        service: first.plan.service,
      });
      if (!state) return;
    }
    const choice = await chooseServices(config, opened.journal, names, options.wave).catch((error: unknown) => {
      if (first === undefined) throw error;
      return { wave: null, services: [] };
    });
    if (
      choice.services.length === 0 ||
      (first !== undefined && options.plan === undefined && context.stdout.terminal === null)
    ) {
      reporter.close();
      return;
    }
    const document = await planDocument(context, config, choice, opened.journal, opened.stateDirectory);
    await approve(context, document, options);
    if (options.detach) return detach(context, opened);
    for (const service of choice.services) {
      const operation = await begin(context, config, opened, document, service, options);
      if (!(await run(context, config, opened, options, reporter, { operation, service }))) break;
    }
    reporter.close();
  } finally {
    await opened.journal.close();
  }
}

/** Runs one rollout to its end and says how it ended; true: completed. */
async function run(
  context: Context,
  config: Config,
  opened: OpenJournal,
  options: ApplyOptions,
  reporter: RolloutReporter,
  which: { readonly operation: string; readonly service: string },
): Promise<boolean> {
  const end = await controlRollout(context, {
    ...{ config, opened, requests: [], heartbeat: options.heartbeat ?? null },
    ...which,
    onEntry: reporter.entry,
    onStatus: reporter.status,
    onTrouble: reporter.trouble,
  });
  reporter.end(end.kind, end.state);
  const completed = end.state.stage.kind === 'completed';
  context.setExitCode(completed ? 0 : 2);
  return completed;
}

/** The first entry of a new rollout, after everything that has to hold was looked at once more. */
async function begin(
  context: Context,
  config: Config,
  opened: OpenJournal,
  document: PlanDocument,
  service: string,
  options: ApplyOptions,
): Promise<string> {
  const rollout = openService(context, config, service, opened.journal, opened.stateDirectory, 'watch');
  try {
    const observation = await rollout.observe();
    const { refusals } = checkStart(rollout.plan, observation);
    if (refusals.length > 0) throw refused(service, refusals);
    const past = await rolloutsOf(opened.journal, service);
    const seen = buildsOf(observation);
    const builds: Builds = { origin: seen.origin ?? 'unknown', destination: seen.destination ?? 'unknown' };
    const blamed = rolledBackBefore(past, builds);
    if (blamed !== null && options.reason === undefined) {
      throw new CliError(
        `${service}: build ${builds.destination} was taken back before (${blamed.operation}: ${blamed.cause.kind})`,
        'move another build, or say why this one is tried again with --reason',
      );
    }
    const started: Started = {
      kind: 'started',
      plan: rollout.plan,
      planHash: document.hash,
      asFound: asFoundOf(rollout.plan, observation),
      builds,
      earlierAttempts: earlierAttempts(past),
      reason: options.reason ?? null,
    };
    const operation = `rollout-${service}-${past.length + 1}`;
    const outcome = await startOperation(rollout.ports, operation, started, context.user);
    if (outcome === 'exists')
      throw new CliError(`${operation} was begun by somebody else just now`, 'see `drover status`');
    const [entry] = await opened.journal.read(operation, 0);
    if (entry !== undefined) await exportState(opened, config, fold(null, entry));
    return operation;
  } finally {
    await rollout.close();
  }
}

async function approve(context: Context, document: PlanDocument, options: ApplyOptions): Promise<void> {
  const refusals = document.services.flatMap((service) => service.refusals);
  if (refusals.length > 0) throw refused(document.services.map(({ service }) => service).join(', '), refusals);
  if (options.plan !== undefined) {
    if (options.plan.length >= 8 && document.hash.startsWith(options.plan)) return;
    throw new CliError(`the plan is ${document.hash} now, not ${options.plan}`, 'read it again with `drover plan`');
  }
  if (context.stdout.terminal === null || options.json || options.detach) {
    throw new CliError(
      'without a terminal the plan that was read has to be named',
      `drover plan, then: drover apply --plan ${document.hash}`,
    );
  }
  context.stdout.write(`${planLines(document, paintFor(context), columnsOf(context)).join('\n')}\n\n`);
  const question = createInterface({ input: process.stdin, output: process.stdout });
  const reply = await question.question('Apply this plan? Type yes: ');
  question.close();
  if (reply.trim() !== 'yes') throw new CliError('nothing was done');
}

async function refuseSecond(context: Context, opened: OpenJournal): Promise<void> {
  const answer = await context.world.askControl(opened.controlSocket, { kind: 'status' }, AbortSignal.timeout(2000));
  if (answer === undefined) return;
  const remedy = 'see what it does with `drover status`; it takes `drover hold`, `drover resume` and `drover back`';
  throw new CliError(`a controller is running already (${opened.controlSocket})`, remedy);
}

/** The same command again as a process of its own, its output in a file. */
function detach(context: Context, opened: OpenJournal): void {
  const log = join(opened.stateDirectory, 'apply.log');
  const file = openSync(log, 'a', 0o600);
  const args = process.argv.slice(1).filter((word) => word !== '--detach');
  const child = spawn(process.execPath, args, {
    cwd: context.directory,
    detached: true,
    stdio: ['ignore', file, file],
  });
  child.unref();
  context.stdout.write(
    `the controller runs in the background (pid ${child.pid}), its lines go to ${log}\n  drover status · drover watch · drover hold · drover back\n`,
  );
}

function refused(service: string, refusals: readonly string[]): CliError {
  return new CliError(`${service} cannot be moved:\n${refusals.map((line) => `  ${line}`).join('\n')}`);
}
