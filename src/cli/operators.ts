import { dirname } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import { known } from '../core/observed/reading.ts';
import { failingAt } from '../core/rollout/completed.ts';
import { capacityRefusals, configurationToCommit, standingRefusals } from '../core/rollout/decide-finished.ts';
import { factsOf } from '../core/rollout/facts.ts';
import type { OperatorRequest } from '../core/rollout/observation.ts';
import { buildsOf } from '../core/rollout/start.ts';
import { hasEnded, type RolloutState } from '../core/rollout/state.ts';
import { type RolloutStatus, stageWords } from '../core/rollout/status.ts';
import { type Blamed, blamedWords, takenBackWords, unexplained } from '../core/rollout/taken-back.ts';
import type { Glance } from '../engine/operation.ts';
import { another, once } from './another.ts';
import { type BackOptions, takeBack, toldLine } from './back/take.ts';
import { chooseRollout, namedRollout, onlyRollout } from './choose-rollout.ts';
import { commandAt } from './command-at.ts';
import { CliError, type Context } from './context.ts';
import { startBalancers } from './controller/balancers.ts';
import { type Becoming, becomeController } from './controller/become.ts';
import { expectHeartbeatUrl } from './controller/heartbeat.ts';
import { endOnSignals, sayOnSignal } from './controller/signals.ts';
import { type Living, livingController } from './controller/silence.ts';
import { notJournalled, untilJournalled, unwrittenPolls } from './controller/until-journalled.ts';
import { rolloutsOf } from './journal/history.ts';
import { journalOption, type OpenJournal, openExisting } from './journal/open.ts';
import { endCopy, holdCopy, meantCopy, resumeCopy } from './kafka/copy/operators.ts';
import { configOption, loadConfig } from './load-config.ts';
import { openService } from './open-service.ts';
import { linesToWrite } from './status/lines-to-commit.ts';
import { lookAt } from './status/look.ts';
import { isLook, seenTraffic } from './status/seen-traffic.ts';
import { ask } from './terminal/ask.ts';
import { usableConfig } from './usable-config.ts';

type HoldRequest = Extract<OperatorRequest, { kind: 'hold' }>;
type ResumeRequest = Extract<OperatorRequest, { kind: 'resume' }>;
type Options = Pick<BackOptions, 'config' | 'journal' | 'reason' | 'json'>;
type ResumeOptions = Options & { readonly heartbeat?: string };

/** `hold`, `resume`, `abort`, `back` and `retire`: what an operator says to a rollout, whether its controller lives or not. */
export function addOperators(program: Command, context: Context): void {
  verb(program, 'hold', 'keep the share where it is; what takes the way back goes on watching')
    .option('--reason <TEXT>', 'journalled')
    .addHelpText(
      'after',
      '\nExit status: 0 held, 1 an error.\n\nExamples:\n  drover hold\n  drover hold rollout-query-1 --reason "lunch"\n',
    )
    .action(async (name: string | undefined, options: Options) => {
      const copy = await meantCopy(context, options, name);
      await (copy === null ? hold(context, name, options) : holdCopy(context, copy, options));
    });
  verb(program, 'resume', 'go on with a rollout that is held, or whose controller is gone')
    .option(
      '--reason <TEXT>',
      'needed where a back marker lies: removes it. Where servers are in maint already, the rollout stays taken back. Needed, too, for a build that was taken back before',
    )
    .option('--heartbeat <URL>', 'as of apply, where this process becomes the controller')
    .addHelpText('after', resumeExamples)
    .action(async (name: string | undefined, options: ResumeOptions) => {
      const copy = await meantCopy(context, options, name);
      await (copy === null ? resume(context, name, options) : resumeCopy(context, copy, options));
    });
  for (const [word, text] of [
    ['abort', 'take the traffic back to the origin now'],
    ['back', 'take the traffic back to the origin now; the same as abort, also after completion'],
  ] as const) {
    verb(program, word, text, `${unfinishedOne}, else the last one completed, else the last one rolled back`)
      .option('--reason <TEXT>', 'journalled')
      .option('--all', 'the whole destination at once, even where the origin is down or cannot carry it all')
      .option('--offline', 'without journal and controller: the balancer alone')
      .option(
        '--haproxy <SOCKET>',
        'with --offline: the runtime socket, or host:port (may be given again for each process)',
        another,
      )
      .option('--embedded <SOCKET>', 'with --offline: the control socket of an embedded balancer', once)
      .option('--backend <NAME>', 'with --offline: the backend (default: every one with matching servers)', once)
      .option('--destination <GLOB>', 'with --offline: the destination servers', once)
      .option(
        '--origin <GLOB>',
        'with --offline: the origin servers (default: all others; needed where none has a weight)',
        once,
      )
      .addHelpText('after', backExamples(word))
      .action(async (name: string | undefined, options: BackOptions) => {
        // Without a name a rollout is meant, whose way back does not wait for a look into the journal.
        const copy = name === undefined ? null : await meantCopy(context, options, name);
        await (copy === null ? takeBack(context, name, options) : endCopy(context, copy, word, options));
      });
  }
  verb(
    program,
    'retire',
    'give up the reserve of a completed rollout: one-way',
    'the only completed one that has its reserve',
  )
    .option('--reason <TEXT>', 'journalled; needed while the destination fails more than its objective')
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
    .hook('preAction', endOnSignals)
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
A copy of Kafka data is named: abort ends it and restores settings, back also deletes the topics that it has made and
that nobody else uses (exit status 0 done, 2 not all of it).
Exit status: 2 the traffic is back, 1 an error (and what is still standing).

Examples:
  drover ${word}
  drover ${word} --reason "users complain"
  drover ${word} copy-1
  drover ${word} --offline --haproxy /run/haproxy/admin.sock --destination "vpc-*"
`;
}

/** A living controller is told through its socket, whatever has become of journal and configuration. */
async function hold(context: Context, name: string | undefined, options: Options): Promise<void> {
  expectReason(options);
  const request: HoldRequest = {
    ...{ kind: 'hold', by: context.user, why: options.reason ?? 'asked for' },
    ...(options.reason === undefined ? {} : { amends: true }),
  };
  const isDone = (held: RolloutState['held'] | RolloutStatus['held']) =>
    held !== null && (request.amends === undefined || held.why === request.why);
  const config = await usableConfig(context, options);
  const living = await livingController(context, options, name);
  if (living?.status?.back != null) throw nothingToHold(living.operation);
  if (living !== null && (await tell(context, living, request))) {
    sayOnSignal(toldWords(living.operation));
    const before = living.status?.held?.why ?? null;
    let why = request.why;
    await untilJournalled(context, living.socket, living.operation, ({ held }) => {
      // Others may hold in the same moment, and the last reason stands.
      why = held?.why ?? why;
      return isDone(held) || (held !== null && held.why !== before);
    });
    if (request.amends && why !== request.why)
      context.stderr.write(`drover: somebody else held it in the same moment, and the reason that stands is: ${why}\n`);
    if (options.json) context.stdout.write(toldLine(living.operation, request));
    else sayHeld(context, living.operation, options);
    return context.setExitCode(0);
  }
  await withJournal(context, options, async (opened) => {
    const state = await chooseRollout(context, opened, name);
    if (hasEnded(state))
      throw new CliError(`${state.operation} has ended (${stageWords(state, state.stage)}): there is nothing to hold`);
    if (state.back !== null) throw nothingToHold(state.operation);
    if (!isDone(state.held)) {
      const becoming = { config: await toControl(context, options, config), opened, state, options };
      await holdHere(context, { ...becoming, requests: [request] });
    }
    if (!options.json) sayHeld(context, state.operation, options);
    context.setExitCode(0);
  });
}

function nothingToHold(operation: string): CliError {
  return new CliError(`${operation} is on the way back: there is nothing to hold`);
}

function sayHeld(context: Context, operation: string, options: Options): void {
  const command = commandAt(options);
  context.stdout.write(
    `${operation} is held; \`${command('resume')}\` goes on, \`${command('back')}\` takes the traffic back\n`,
  );
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

async function resume(context: Context, name: string | undefined, options: ResumeOptions): Promise<void> {
  expectReason(options);
  const { heartbeat } = options;
  if (heartbeat !== undefined) expectHeartbeatUrl(heartbeat);
  let request: ResumeRequest = { kind: 'resume', by: context.user, reason: options.reason ?? null };
  const config = await usableConfig(context, options);
  const living = await livingController(context, options, name);
  if (living !== null) {
    const blamed = living.status?.held?.blamed ?? [];
    expectReasonFor(living.operation, blamed, options);
    const answered = blamed.length === 0 ? '' : `; the reason counts for this: ${takenBackWords(blamed)}`;
    const marked = await unmark(context, dirname(living.socket), living.operation, options, async () => false);
    request = { ...request, ...marked };
    if (await tell(context, living, request)) {
      sayOnSignal(toldWords(living.operation));
      // Where it was not held when this command looked, what it sees first was before it.
      let before = living.status?.held?.atMs ?? null;
      let polls = 0;
      let heldAgain: string | null = null;
      await untilJournalled(context, living.socket, living.operation, ({ held }) => {
        // A build that has come in the meantime, say.
        if (request.reason === null) expectReasonFor(living.operation, held?.blamed ?? [], options);
        if (held === null) return true;
        before ??= held.atMs;
        polls += 1;
        if (held.atMs === before && (living.status?.held != null || polls < unwrittenPolls)) return false;
        heldAgain = held.why;
        return true;
      });
      if (heldAgain !== null) {
        context.setExitCode(2);
        if (options.json) context.stdout.write(toldLine(living.operation, request));
        context.stderr.write(`drover: ${living.operation} is held again: ${heldAgain}\n`);
        return;
      }
      if (heartbeat !== undefined)
        context.stderr.write(
          'drover: --heartbeat was passed over: the controller that lives keeps its own, or has none\n',
        );
      context.stdout.write(
        options.json ? toldLine(living.operation, request) : `${living.operation} goes on${answered}\n`,
      );
      return;
    }
  }
  await withJournal(context, options, async (opened) => {
    const state = await chooseRollout(context, opened, name);
    const usable = await toControl(context, options, config);
    expectReasonFor(state.operation, await blamedNow(context, usable, opened, state), options);
    const isCut = async () => (await lookAt(context, usable, opened.stateDirectory, state)).isCut;
    request = { ...request, ...(await unmark(context, opened.stateDirectory, state.operation, options, isCut)) };
    const becoming = { config: usable, opened, state, options, requests: [request] };
    await becomeController(context, heartbeat === undefined ? becoming : { ...becoming, heartbeat });
  });
}

/**
 * Removes the back marker, where somebody answers for going forward again. Where the traffic is back already, the marker stays: it
 * says who took it, when and why, and the journal does not know that yet. Answers with what a removed one said, to be journalled.
 */
async function unmark(
  context: Context,
  stateDirectory: string,
  operation: string,
  options: Options,
  isCut: () => Promise<boolean | null>,
): Promise<Pick<ResumeRequest, 'marked'>> {
  const marker = context.world.openMarker(stateDirectory);
  const marked = await marker.read(operation);
  if (marked === null) return {};
  if (options.reason === undefined) {
    throw new CliError(
      `${operation}: somebody took the way back (${marked})`,
      `\`drover back ${operation}\` finishes that; to go on with this rollout say why with --reason (where servers are in maint already, it stays taken back)`,
    );
  }
  if ((await isCut()) === true) return {};
  await marker.remove(operation);
  sayOnSignal(`the back marker of ${operation} is removed, and nothing else was done`);
  return { marked };
}

/** By what runs now: another build may have been deployed since, as was asked. */
async function blamedNow(
  context: Context,
  config: Config,
  opened: OpenJournal,
  state: RolloutState,
): Promise<readonly Blamed[]> {
  if (unexplained(state).length === 0 || config.services[state.plan.service] === undefined) return unexplained(state);
  const rollout = openService(context, config, state.plan.service, opened.journal, opened.stateDirectory, 'watch');
  try {
    const { origin, destination } = buildsOf(await rollout.observe());
    if (origin === null || destination === null) return unexplained(state);
    return unexplained(state, known({ origin, destination }));
  } finally {
    await rollout.close();
  }
}

/** Throws CliError where it would only be held again. */
function expectReasonFor(operation: string, blamed: readonly Blamed[], { reason }: Options): void {
  if (blamed.length === 0 || reason !== undefined) return;
  throw new CliError(
    `${operation} stays held: ${blamedWords(blamed)}`,
    'deploy another build, or say why this one is tried again with --reason',
  );
}

function toldWords(operation: string): string {
  return `the controller of ${operation} was told, and this command has not seen what came of it: \`drover status\` tells`;
}

async function retire(
  context: Context,
  name: string | undefined,
  options: Options & { confirm?: string },
): Promise<void> {
  expectReason(options);
  const { config } = await loadConfig(context, options.config);
  await withJournal(context, options, async (opened) => {
    const past = (await rolloutsOf(context.world, opened.journal, null)).map(({ state }) => state);
    const candidates = past.filter((one) => one.stage.kind === 'completed' && !one.retired);
    const state =
      name === undefined
        ? onlyRollout(candidates, 'completed rollout that still has its reserve')
        : namedRollout(past, name);
    if (state.stage.kind !== 'completed' || state.retired)
      throw new CliError(
        `${state.operation} has no reserve to give up (${stageWords(state, state.stage)}), and nothing was done`,
        'only a completed rollout has one: `drover status` shows them',
      );
    const question = `This gives up the way back of ${state.operation}. Type its name: `;
    const typed = options.confirm ?? (await ask(context, question, 'add --confirm NAME'));
    if (typed.trim() !== state.operation)
      throw new CliError(
        `the name was not typed, and nothing was done: it is ${state.operation}, not ${JSON.stringify(typed.trim())}`,
      );
    refuse(context, state, await refusalsOf(context, config, opened, state), options.reason);
    const request: OperatorRequest = { kind: 'retire', by: context.user, reason: options.reason ?? null };
    const end = await becomeController(context, { config, opened, state, options, requests: [request] });
    if (!end.state.retired) throw new CliError(`${state.operation} keeps its reserve`, 'see `drover status`');
    context.setExitCode(0);
  });
}

/** Throws CliError where the reserve is kept. */
function refuse(
  context: Context,
  { operation }: RolloutState,
  { standing, failing, commit }: Refusals,
  reason: string | undefined,
): void {
  const isOverruled = reason !== undefined;
  const lines = [...standing, ...(isOverruled ? [] : failing), ...commit];
  if (isOverruled) for (const line of failing) context.stderr.write(`drover: ${line}\n`);
  if (lines.length === 0) return;
  const back = `take the traffic back to the origin, which stands: \`drover back ${operation}\``;
  throw new CliError(
    [`${operation} keeps its reserve:`, ...lines.map((line) => `  ${line}`)].join('\n'),
    standing.length > 0
      ? `see to the destination first, or ${back}`
      : !isOverruled && failing.length > 0
        ? `see to the destination first, or ${back}; to give the reserve up all the same say why with --reason`
        : "commit these lines to the balancer's configuration, reload it, and try again",
  );
}

/** `failing`: whoever says why with --reason may do it all the same. */
type Refusals = Readonly<Record<'standing' | 'failing' | 'commit', readonly string[]>>;

/**
 * Looked at before, so that the reasons can be told: the controller only ever says no. For as long as it takes to know the load,
 * which the destination has to carry alone from then on.
 */
async function refusalsOf(
  context: Context,
  config: Config,
  opened: OpenJournal,
  state: RolloutState,
): Promise<Refusals> {
  const { service } = state.plan;
  // The embedded balancer reads its configuration again.
  await startBalancers(context, config, opened.stateDirectory);
  const rollout = openService(context, config, service, opened.journal, opened.stateDirectory, 'watch');
  try {
    const { observation, watch } = await seenTraffic(
      context,
      state,
      () => rollout.observe(),
      (seen) => standingRefusals(state, seen.observation).length > 0 || isLook(seen),
    );
    const standing = standingRefusals(state, observation);
    const capacity = standing.length > 0 ? [] : capacityRefusals(state, factsOf(state, watch, observation));
    return {
      standing: [...standing, ...capacity],
      failing: failingAt(state, watch, observation),
      commit: linesToWrite(config, configurationToCommit(state, observation)),
    };
  } finally {
    await rollout.close();
  }
}

/** Hands a request to a living controller; false: there is none. */
async function tell(
  context: Context,
  { socket, operation }: Pick<Living, 'socket' | 'operation'>,
  request: OperatorRequest,
): Promise<boolean> {
  const message = { kind: 'operator', operation, request } as const;
  const answer = await context.world.askControl(socket, message, AbortSignal.timeout(5000));
  return answer !== undefined;
}

function expectReason({ reason }: Options): void {
  if (reason?.trim() === '') throw new CliError('--reason is empty', 'say it in words, or leave it out');
}

/** To be the controller takes the configuration; what is wrong with it is told in full. Throws CliError. */
async function toControl(context: Context, options: Options, config: Config | null): Promise<Config> {
  if (config !== null) return config;
  context.stderr.write('drover: no controller is alive, and for this process to become one takes the configuration\n');
  return (await loadConfig(context, options.config)).config;
}

async function withJournal(
  context: Context,
  options: Options,
  work: (opened: OpenJournal) => Promise<void>,
): Promise<void> {
  const opened = await openExisting(context, options);
  try {
    await work(opened);
  } finally {
    await opened.journal.close();
  }
}
