import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import { anchorWhatIsMissing } from '../engine/anchors.ts';
import { PortError } from '../engine/ports.ts';
import { exportedStates, settleExport } from './back/exported-state.ts';
import { chosenWords, commandAt } from './command-at.ts';
import { CliError, type Context } from './context.ts';
import { ownBalancers } from './controller/balancers.ts';
import { beginRollout, refusedStart } from './controller/begin.ts';
import { type ControlDesk, openDesk } from './controller/desk.ts';
import { detach } from './controller/detach.ts';
import { expectHeartbeatUrl } from './controller/heartbeat.ts';
import { type RolloutReporter, reporterFor } from './controller/reporter.ts';
import { controlRollout, exitCodeOf } from './controller/rollout.ts';
import { catchSignals, nothingBegun, type Signals, unlessAsked } from './controller/signals.ts';
import { foldAll, rolloutsOf, unfinished } from './journal/history.ts';
import { journalOption, type OpenJournal, openJournalOf } from './journal/open.ts';
import { configOption, loadConfig } from './load-config.ts';
import { chooseServices, NothingLeft, type PlanDocument, planDocument } from './plan/document.ts';
import { goneWords } from './plan/unfinished.ts';
import { planLines } from './plan/view.ts';
import { ask } from './terminal/ask.ts';
import { paintFor } from './terminal/paint.ts';
import { columnsOf } from './terminal/text.ts';

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
    .option('--wave <WAVE>', 'the services of this wave')
    .option('--plan <HASH>', 'the plan that was read; another one is refused (asked for on a terminal)')
    .option('--reason <TEXT>', 'why a build that was taken back is tried again, or another rule overridden; journalled')
    .option('--heartbeat <URL>', 'called every 30 s and at the end: its silence says that the controller is gone')
    .option('--detach', 'go on in the background (needs --plan, unless a rollout is unfinished)')
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
  if (options.plan !== undefined && !/^[0-9a-f]{8,64}$/.test(options.plan))
    throw new CliError(
      `"${options.plan}" is not the hash of a plan`,
      'at least 8 of the characters that `drover plan` prints',
    );
  if (options.heartbeat !== undefined) expectHeartbeatUrl(options.heartbeat);
  const signals = catchSignals();
  try {
    const { config } = await loadConfig(context, options.config);
    const opened = await openJournalOf(context, config, options.journal);
    try {
      await applyTo(context, config, opened, names, options, signals);
    } finally {
      await opened.journal.close();
    }
  } finally {
    signals.release();
  }
}

async function applyTo(
  context: Context,
  config: Config,
  opened: OpenJournal,
  names: readonly string[],
  options: ApplyOptions,
  signals: Signals,
): Promise<void> {
  const balancers = await ownBalancers(context, config, opened);
  const desk = await openDesk(context, opened);
  let isHandedOver = false;
  try {
    await anchorTheDead(context, opened);
    await settleExports(context, opened);
    await balancers.start(signals.interrupted).catch((error: unknown) => {
      throw signals.interrupted.aborted ? nothingBegun(signals) : error;
    });
    const work = await unlessAsked(signals, workOf(context, config, opened, names, options, signals.interrupted));
    if (!options.detach) return await perform({ context, config, opened, options, desk, signals }, names, work);
    isHandedOver = true;
  } finally {
    if (!isHandedOver) await balancers.endUnused();
    await desk.close();
  }
  await detach(context, opened, commandAt(options), signals).catch(async (error: unknown) => {
    await balancers.endUnused();
    throw error;
  });
}

/** No controller lives: what the last one had no time to anchor is anchored by this one. Nothing depends on it. */
async function anchorTheDead(context: Context, { journal }: OpenJournal): Promise<void> {
  try {
    await anchorWhatIsMissing({ journal, clock: context.clock, sha256: context.world.sha256 });
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    context.stderr.write(
      `anchors that are missing could not be written, the next apply tries again: ${error.message}\n`,
    );
  }
}

/** The same for what `back --offline` goes by: it would take back what is over already. */
async function settleExports(context: Context, { journal, stateDirectory }: OpenJournal): Promise<void> {
  const { states } = await exportedStates(stateDirectory);
  for (const exported of states) {
    const state = foldAll(await journal.read(exported.operation, 0), context.world.sha256);
    if (state === null) continue;
    await settleExport(stateDirectory, exported, state).catch((error: unknown) =>
      context.stderr.write(
        `the exported state of ${exported.operation} could not be renewed: ${error instanceof Error ? error.message : String(error)}\n`,
      ),
    );
  }
}

/** What there is to do: a rollout to go on with, else a plan that was approved. */
type Work =
  | { readonly kind: 'go on'; readonly state: RolloutState }
  | { readonly kind: 'begin'; readonly document: PlanDocument };

type Run = {
  readonly context: Context;
  readonly config: Config;
  readonly opened: OpenJournal;
  readonly options: ApplyOptions;
  readonly desk: ControlDesk;
  readonly signals: Signals;
};

async function workOf(
  context: Context,
  config: Config,
  opened: OpenJournal,
  names: readonly string[],
  options: ApplyOptions,
  interrupted: AbortSignal,
): Promise<Work> {
  const [open] = unfinished(await rolloutsOf(context.world, opened.journal, null));
  if (open === undefined)
    return { kind: 'begin', document: await approved(context, config, opened, names, options, interrupted) };
  const { service } = open.plan;
  const command = commandAt(options);
  if (config.services[service] === undefined)
    throw new CliError(
      `${open.operation} is unfinished, and comes first: ${goneWords(open.operation, service)}`,
      `or take it back, which does without: ${command('back')}`,
    );
  const remedy = `go on with it: ${command('apply')} --plan ${open.planHash}, or take it back: ${command('back')}`;
  const wave = config.waves.find((one) => one.name === options.wave);
  const isMeant = names.length > 0 ? names.includes(service) : (wave?.services.includes(service) ?? true);
  if (!isMeant) throw new CliError(`${open.operation} is unfinished, and comes first`, remedy);
  if (options.plan !== undefined && !open.planHash.startsWith(options.plan))
    throw new CliError(`${open.operation} is unfinished, and belongs to another plan (${open.planHash})`, remedy);
  return { kind: 'go on', state: open };
}

async function perform(run: Run, names: readonly string[], work: Work): Promise<void> {
  const { context, config, opened, options, signals } = run;
  const reporter = reporterFor(context, options.json === true, commandAt(options));
  try {
    if (work.kind === 'begin') return await moveAll(run, work.document, reporter);
    const { operation, plan, held } = work.state;
    reporter.note(`${operation} is unfinished: going on with it`);
    if (held !== null) reporter.note(`${operation} is held (${held.why}): \`${commandAt(options)('resume')}\` goes on`);
    if (!(await control(run, reporter, operation, plan.service, true))) return;
    // The rest of the plan was read only where the plan was named, or is asked for on a terminal.
    if (options.plan === undefined && (context.stdout.terminal === null || options.json)) return;
    if (await isWholePlan(run, plan.service, options.plan)) return;
    const document = await approved(context, config, opened, names, options, signals.interrupted).catch(
      (error: unknown) => {
        if (error instanceof NothingLeft) return null;
        throw error;
      },
    );
    if (document !== null) await moveAll(run, document, reporter);
  } finally {
    reporter.close();
  }
}

/** The plan was made for this service alone: whoever goes on by its hash need not name it. */
async function isWholePlan(
  { context, config, opened }: Run,
  service: string,
  hash: string | undefined,
): Promise<boolean> {
  if (hash === undefined) return false;
  const choice = { wave: null, services: [service] };
  const alone = await planDocument(context, config, choice, opened.journal, opened.stateDirectory, hash);
  return alone.hash.startsWith(hash);
}

/** One service after the other, until one does not complete or a signal came. */
async function moveAll(run: Run, document: PlanDocument, reporter: RolloutReporter): Promise<void> {
  const { context, signals } = run;
  if (document.services.length === 0) reporter.note('everything of this plan has been done already');
  for (const [index, { service }] of document.services.entries()) {
    if (index === 0 && signals.interrupted.aborted) throw nothingBegun(signals);
    if (signals.asked() !== null) {
      reporter.note(`asked to end (${signals.asked()}): ${service} was not begun`);
      return context.setExitCode(2);
    }
    const operation = await beginRollout(run, document, service);
    if (!(await control(run, reporter, operation, service, index + 1 < document.services.length))) return;
  }
}

/** Runs one rollout to its end and says how it ended; true: completed. `isFollowed`: another one may come after it. */
async function control(
  { context, config, opened, options, desk, signals }: Run,
  reporter: RolloutReporter,
  operation: string,
  service: string,
  isFollowed: boolean,
): Promise<boolean> {
  const end = await controlRollout(context, {
    ...{ config, opened, operation, service, signals, desk, isFollowed },
    ...{ requests: [], heartbeat: options.heartbeat ?? null },
    onEntry: reporter.entry,
    onStatus: reporter.status,
    onTrouble: reporter.trouble,
    onEnd: reporter.end,
  });
  for (const line of end.left) reporter.note(`${operation}  ${line}`);
  const code = exitCodeOf(end);
  context.setExitCode(code);
  return code === 0;
}

/** The plan as it is now, if it is the one that was read. Throws CliError, also where there is nothing left to plan. */
async function approved(
  context: Context,
  config: Config,
  opened: OpenJournal,
  names: readonly string[],
  options: ApplyOptions,
  interrupted: AbortSignal,
): Promise<PlanDocument> {
  const { journal, stateDirectory } = opened;
  const under = options.plan ?? null;
  const choice = await chooseServices(context, config, journal, names, options.wave, under);
  const document = await planDocument(context, config, choice, journal, stateDirectory, under);
  // First: what cannot be read changes the hash too, and would be taken for another plan.
  const refusals = document.services.flatMap((service) => service.refusals);
  if (refusals.length > 0) throw refusedStart(document.services.map(({ service }) => service).join(', '), refusals);
  const command = commandAt(options);
  const chosen = chosenWords(names, options.wave);
  if (options.plan !== undefined && !document.hash.startsWith(options.plan)) {
    const planned = choice.services.join(', ');
    throw new CliError(
      `the plan of ${planned} is ${document.hash} now, not ${options.plan}`,
      `read it again with \`${command('plan')}${chosen}\`; a plan that was made for services or a wave by name is applied with the same names`,
    );
  }
  if (options.plan !== undefined) return document;
  const remedy = `${command('plan')}${chosen}, then: ${command('apply')}${chosen} --plan ${document.hash}`;
  if (context.stdout.terminal === null || options.json || options.detach)
    throw new CliError('without a terminal the plan that was read has to be named', remedy);
  context.stdout.write(`${planLines(document, paintFor(context), columnsOf(context), command, chosen).join('\n')}\n\n`);
  const reply = await ask(context, 'Apply this plan? Type yes: ', remedy, interrupted);
  if (reply !== 'yes') throw new CliError('nothing was done');
  return document;
}
