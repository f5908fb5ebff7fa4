import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import { retireRefusals } from '../core/rollout/decide-finished.ts';
import type { OperatorRequest } from '../core/rollout/observation.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import { type RolloutStatus, stageWords } from '../core/rollout/status.ts';
import type { Glance } from '../engine/operation.ts';
import { type BackOptions, takeBack, toldLine } from './back/take.ts';
import { chooseRollout, namedRollout, onlyRollout } from './choose-rollout.ts';
import { commandAt } from './command-at.ts';
import { CliError, type Context } from './context.ts';
import { startBalancers } from './controller/balancers.ts';
import { type Becoming, becomeController } from './controller/become.ts';
import { notJournalled, untilJournalled, unwrittenPolls } from './controller/until-journalled.ts';
import { rolloutsOf } from './journal/history.ts';
import { journalOption, type OpenJournal, openExisting } from './journal/open.ts';
import { configOption, loadConfig } from './load-config.ts';
import { openService } from './open-service.ts';
import { linesToWrite } from './status/lines-to-commit.ts';
import { ask } from './terminal/ask.ts';

type HoldRequest = Extract<OperatorRequest, { kind: 'hold' }>;
type Options = Pick<BackOptions, 'config' | 'journal' | 'reason' | 'json'>;

/** `hold`, `resume`, `abort`, `back` and `retire`: what an operator says to a rollout, whether its controller lives or not. */
export function addOperators(program: Command, context: Context): void {
  verb(program, 'hold', 'keep the share where it is; what takes the way back goes on watching')
    .option('--reason <TEXT>', 'journalled')
    .addHelpText(
      'after',
      '\nExit status: 0 held, 1 an error.\n\nExamples:\n  drover hold\n  drover hold rollout-query-1 --reason "lunch"\n',
    )
    .action((name: string | undefined, options: Options) => hold(context, name, options));
  verb(program, 'resume', 'go on with a rollout that is held, or whose controller is gone')
    .option('--reason <TEXT>', 'needed where somebody took the way back: removes the back marker')
    .addHelpText('after', resumeExamples)
    .action((name: string | undefined, options: Options) => resume(context, name, options));
  for (const [word, text] of [
    ['abort', 'take the traffic back to the origin now'],
    ['back', 'take the traffic back to the origin now; the same as abort, also after completion'],
  ] as const) {
    verb(program, word, text, `${unfinishedOne}, else the last one completed`)
      .option('--reason <TEXT>', 'journalled')
      .option('--all', 'the whole destination at once, even where the origin cannot carry it all')
      .option('--offline', 'without journal and controller: the balancer alone')
      .option('--haproxy <SOCKET>', 'with --offline: the runtime socket, or host:port')
      .option('--embedded <SOCKET>', 'with --offline: the control socket of an embedded balancer')
      .option('--backend <NAME>', 'with --offline: the backend (default: every one with matching servers)')
      .option('--destination <GLOB>', 'with --offline: the destination servers')
      .option(
        '--origin <GLOB>',
        'with --offline: the origin servers (default: all others; needed where none has a weight)',
      )
      .addHelpText('after', backExamples(word))
      .action((name: string | undefined, options: BackOptions) => takeBack(context, name, options));
  }
  verb(
    program,
    'retire',
    'give up the reserve of a completed rollout: one-way',
    'the only completed one that has its reserve',
  )
    .option('--reason <TEXT>', 'journalled')
    .option('--confirm <NAME>', 'the name of the rollout, typed again (asked for on a terminal)')
    .addHelpText(
      'after',
      '\nExit status: 0 given up, 1 refused or an error.\n\nExamples:\n  drover retire rollout-query-1\n',
    )
    .action((name: string | undefined, options: Options & { confirm?: string }) => retire(context, name, options));
}

/** `rolloutByDefault`: which one is meant where none is named. */
function verb(program: Command, name: string, description: string, rolloutByDefault = unfinishedOne): Command {
  return program
    .command(name)
    .description(description)
    .argument('[ROLLOUT]', `default: ${rolloutByDefault}`)
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one JSON object per journal entry, and the outcome (docs/reference/operators.md)');
}

const unfinishedOne = 'the only one that is not finished';

const resumeExamples = `
Without a living controller this process becomes it.
Exit status: 0 it goes on (where this process became the controller: completed), 2 taken back or held again, 1 an error.

Examples:
  drover resume
  drover resume rollout-query-1 --reason "the alarm was about another service"
`;

function backExamples(word: string): string {
  return `
Asks the living controller; without one takes the traffic back itself, by the journal or, where that cannot be
used, by what the rollout exported before its first change. Says which way it took.
Exit status: 2 the traffic is back, 1 an error (and what is still standing).

Examples:
  drover ${word}
  drover ${word} --reason "users complain"
  drover ${word} --offline --haproxy /run/haproxy/admin.sock --destination "vpc-*"
`;
}

async function hold(context: Context, name: string | undefined, options: Options): Promise<void> {
  await withJournal(context, options, async (config, opened) => {
    const state = await chooseRollout(context, opened, name);
    if (state.back !== null) throw new CliError(`${state.operation} is on the way back: there is nothing to hold`);
    const request: HoldRequest = {
      ...{ kind: 'hold', by: context.user, why: options.reason ?? 'asked for' },
      ...(options.reason === undefined ? {} : { amends: true }),
    };
    const isDone = (held: RolloutState['held'] | RolloutStatus['held']) =>
      held !== null && (request.amends === undefined || held.why === request.why);
    const isTold = await tell(context, opened, state.operation, request);
    if (isTold) await untilJournalled(context, opened.controlSocket, state.operation, ({ held }) => isDone(held));
    else if (!isDone(state.held)) await holdHere(context, { config, opened, state, options, requests: [request] });
    context.setExitCode(0);
    if (options.json) {
      if (isTold) context.stdout.write(toldLine(state.operation, request));
      return;
    }
    const command = commandAt(options);
    context.stdout.write(
      `${state.operation} is held; \`${command('resume')}\` goes on, \`${command('back')}\` takes the traffic back\n`,
    );
  });
}

/** Journalled by this process: whoever becomes the controller next must find it. */
async function holdHere(context: Context, becoming: Becoming): Promise<void> {
  const { operation } = becoming.state;
  const before = becoming.state.held?.atMs ?? null;
  const isHeld = ({ state }: Glance) => state.held !== null && state.held.atMs !== before;
  let unwritten = 0;
  const until = (glance: Glance) => {
    unwritten = glance.trouble === null ? 0 : unwritten + 1;
    return isHeld(glance) || glance.state.back !== null || unwritten >= unwrittenPolls;
  };
  const { state, trouble } = await becomeController(context, { ...becoming, until });
  if (state.held !== null && state.held.atMs !== before) return;
  throw trouble === null
    ? new CliError(`${operation} is not held: ${stageWords(state, state.stage)}`)
    : notJournalled(operation, trouble);
}

async function resume(context: Context, name: string | undefined, options: Options): Promise<void> {
  await withJournal(context, options, async (config, opened) => {
    const state = await chooseRollout(context, opened, name);
    const marker = context.world.openMarker(opened.stateDirectory);
    const marked = await marker.read(state.operation);
    if (marked !== null && options.reason === undefined) {
      throw new CliError(
        `${state.operation}: somebody took the way back (${marked})`,
        'say why it goes forward again with --reason',
      );
    }
    if (marked !== null) await marker.remove(state.operation);
    const request: OperatorRequest = { kind: 'resume', by: context.user, reason: options.reason ?? null };
    if (await tell(context, opened, state.operation, request)) {
      await untilJournalled(context, opened.controlSocket, state.operation, ({ held }) => held === null);
      context.stdout.write(options.json ? toldLine(state.operation, request) : `${state.operation} goes on\n`);
      return;
    }
    await becomeController(context, { config, opened, state, options, requests: [request] });
  });
}

async function retire(
  context: Context,
  name: string | undefined,
  options: Options & { confirm?: string },
): Promise<void> {
  await withJournal(context, options, async (config, opened) => {
    const past = (await rolloutsOf(context.world, opened.journal, null)).map(({ state }) => state);
    const candidates = past.filter((one) => one.stage.kind === 'completed' && !one.retired);
    const state =
      name === undefined
        ? onlyRollout(candidates, 'completed rollout that still has its reserve')
        : namedRollout(past, name);
    const question = `This gives up the way back of ${state.operation}. Type its name: `;
    const typed = options.confirm ?? (await ask(context, question, 'add --confirm NAME'));
    if (typed.trim() !== state.operation) throw new CliError('the name was not typed, and nothing was done');
    const refusals = await refusalsOf(context, config, opened, state);
    if (refusals.length > 0) {
      throw new CliError(
        [`${state.operation} keeps its reserve:`, ...refusals.map((line) => `  ${line}`)].join('\n'),
        "commit these lines to the balancer's configuration, reload it, and try again",
      );
    }
    const request: OperatorRequest = { kind: 'retire', by: context.user, reason: options.reason ?? null };
    const end = await becomeController(context, { config, opened, state, options, requests: [request] });
    if (!end.state.retired) throw new CliError(`${state.operation} keeps its reserve`, 'see `drover status`');
    context.setExitCode(0);
  });
}

/** Looked at before, so that the reasons can be told: the controller only ever says no. */
async function refusalsOf(
  context: Context,
  config: Config,
  opened: OpenJournal,
  state: RolloutState,
): Promise<readonly string[]> {
  const { service } = state.plan;
  // The embedded balancer reads its configuration again.
  await startBalancers(context, config, opened.stateDirectory);
  const rollout = openService(context, config, service, opened.journal, opened.stateDirectory, 'watch');
  try {
    return linesToWrite(config, retireRefusals(state, await rollout.observe()));
  } finally {
    await rollout.close();
  }
}

/** Hands a request to a living controller; false: there is none. */
async function tell(
  context: Context,
  opened: OpenJournal,
  operation: string,
  request: OperatorRequest,
): Promise<boolean> {
  const message = { kind: 'operator', operation, request } as const;
  const answer = await context.world.askControl(opened.controlSocket, message, AbortSignal.timeout(5000));
  return answer !== undefined;
}

async function withJournal(
  context: Context,
  options: Options,
  work: (config: Config, opened: OpenJournal) => Promise<void>,
): Promise<void> {
  const { config } = await loadConfig(context, options.config);
  if (options.reason?.trim() === '') throw new CliError('--reason is empty', 'say it in words, or leave it out');
  const opened = await openExisting(context, config, options.journal);
  try {
    await work(config, opened);
  } finally {
    await opened.journal.close();
  }
}
