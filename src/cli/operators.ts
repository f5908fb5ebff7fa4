import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import type { Config } from '../core/fleet/config.ts';
import type { OperatorRequest } from '../core/rollout/observation.ts';
import type { RolloutState } from '../core/rollout/state.ts';
import { backOffline, type OfflineOptions } from './back-offline.ts';
import { CliError, type Context } from './context.ts';
import { controlRollout } from './control-rollout.ts';
import { rolloutsOf, unfinished } from './history.ts';
import { configOption, loadConfig } from './load-config.ts';
import { journalOption, type OpenJournal, openJournalOf } from './open-journal.ts';
import { reporterFor } from './rollout-reporter.ts';

type Options = OfflineOptions & {
  readonly config?: string;
  readonly journal?: string;
  readonly reason?: string;
  readonly all?: true;
  readonly offline?: true;
  readonly json?: true;
};

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
    verb(program, word, text)
      .option('--reason <TEXT>', 'journalled')
      .option('--all', 'the whole destination at once, even where the origin cannot carry it all')
      .option('--offline', 'without journal and controller: the balancer alone')
      .option('--haproxy <SOCKET>', 'with --offline: the runtime socket, or host:port')
      .option('--embedded <SOCKET>', 'with --offline: the control socket of an embedded balancer')
      .option('--backend <NAME>', 'with --offline: the backend (default: every one with matching servers)')
      .option('--destination <GLOB>', 'with --offline: the destination servers')
      .addHelpText('after', backExamples(word))
      .action((name: string | undefined, options: Options) => back(context, name, options));
  }
  verb(program, 'retire', 'give up the reserve of a completed rollout: one-way')
    .option('--reason <TEXT>', 'journalled')
    .option('--confirm <NAME>', 'the name of the rollout, typed again (asked for on a terminal)')
    .addHelpText(
      'after',
      '\nExit status: 0 given up, 1 refused or an error.\n\nExamples:\n  drover retire rollout-query-1\n',
    )
    .action((name: string | undefined, options: Options & { confirm?: string }) => retire(context, name, options));
}

function verb(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .argument('[ROLLOUT]', 'default: the only one that is not finished')
    .option(...configOption)
    .option(...journalOption)
    .option('--json', 'one JSON object per journal entry, and the outcome (docs/reference/operators.md)');
}

const resumeExamples = `
Without a living controller this process becomes it.
Exit status: 0 it goes on (where this process became the controller: completed), 2 taken back or held again, 1 an error.

Examples:
  drover resume
  drover resume rollout-query-1 --reason "the alarm was about another service"
`;

function backExamples(word: string): string {
  return `
Exit status: 2 the traffic is back, 1 an error (and what is still standing).

Examples:
  drover ${word}
  drover ${word} --reason "users complain"
  drover ${word} --offline --haproxy /run/haproxy/admin.sock --destination "vpc-*"
`;
}

async function hold(context: Context, name: string | undefined, options: Options): Promise<void> {
  await withJournal(context, options, async (config, opened) => {
    const state = await choose(opened, name);
    const request: OperatorRequest = { kind: 'hold', by: context.user, why: options.reason ?? 'asked for' };
    if (await tell(context, opened, state.operation, request)) {
      context.stdout.write(
        `${state.operation} is held; \`drover resume\` goes on, \`drover back\` takes the traffic back\n`,
      );
      return;
    }
    void config;
    context.stdout.write(
      `no controller is running, so nothing proceeds anyway; the share stays where it is\n  drover resume · drover back\n`,
    );
  });
}

async function resume(context: Context, name: string | undefined, options: Options): Promise<void> {
  await withJournal(context, options, async (config, opened) => {
    const state = await choose(opened, name);
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
      context.stdout.write(`${state.operation} goes on\n`);
      return;
    }
    await becomeController(context, config, opened, state, [request], options);
  });
}

async function back(context: Context, name: string | undefined, options: Options): Promise<void> {
  if (options.offline) return backOffline(context, options, name);
  await withJournal(context, options, async (config, opened) => {
    const state = await choose(opened, name, true);
    const request: OperatorRequest = {
      kind: 'back',
      by: context.user,
      reason: options.reason ?? null,
      all: options.all === true,
    };
    if (await tell(context, opened, state.operation, request)) {
      await followBack(context, opened, state.operation);
      return;
    }
    await becomeController(context, config, opened, state, [request], options);
  });
}

async function retire(
  context: Context,
  name: string | undefined,
  options: Options & { confirm?: string },
): Promise<void> {
  await withJournal(context, options, async (config, opened) => {
    const past = (await rolloutsOf(opened.journal, null)).map(({ state }) => state);
    const candidates = past.filter((one) => one.stage.kind === 'completed' && !one.retired);
    const state =
      name === undefined ? only(candidates, 'completed rollout that still has its reserve') : named(past, name);
    const typed =
      options.confirm ?? (await ask(context, `This gives up the way back of ${state.operation}. Type its name: `));
    if (typed.trim() !== state.operation) throw new CliError('the name was not typed, and nothing was done');
    const request: OperatorRequest = { kind: 'retire', by: context.user, reason: options.reason ?? null };
    const after = await becomeController(context, config, opened, state, [request], options);
    if (after.retired) return context.setExitCode(0);
    throw new CliError(
      `${state.operation} keeps its reserve: the configured weights do not yet agree with where the traffic is`,
      '`drover status` prints the lines to commit; reload the balancer with them, and try again',
    );
  });
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

async function becomeController(
  context: Context,
  config: Config,
  opened: OpenJournal,
  state: RolloutState,
  requests: readonly OperatorRequest[],
  options: Options,
): Promise<RolloutState> {
  const reporter = reporterFor(context, options.json === true);
  const end = await controlRollout(context, {
    ...{ config, opened, requests, operation: state.operation, service: state.plan.service, heartbeat: null },
    onEntry: reporter.entry,
    onStatus: reporter.status,
    onTrouble: reporter.trouble,
  });
  reporter.end(end.kind, end.state);
  reporter.close();
  context.setExitCode(end.state.stage.kind === 'completed' ? 0 : 2);
  return end.state;
}

/** Says what the controller does until the traffic is back and everything as found; names what still stands. */
async function followBack(context: Context, opened: OpenJournal, operation: string): Promise<void> {
  const reporter = reporterFor(context, false);
  let seq = 0;
  for (const entry of await opened.journal.read(operation, 0)) seq = entry.seq;
  const forever = new AbortController().signal;
  for (;;) {
    for (const entry of await opened.journal.read(operation, seq)) {
      seq = entry.seq;
      reporter.entry(entry);
      if (entry.body.kind !== 'rolled-back') continue;
      reporter.close();
      return context.setExitCode(2);
    }
    const answer = await context.world.askControl(opened.controlSocket, { kind: 'status' }, AbortSignal.timeout(5000));
    if (answer === undefined)
      throw new CliError(
        'the controller is gone in the middle of the way back',
        'run the same command again: it goes on',
      );
    await context.clock.sleep(200, forever);
  }
}

async function withJournal(
  context: Context,
  options: Options,
  work: (config: Config, opened: OpenJournal) => Promise<void>,
): Promise<void> {
  const { config } = await loadConfig(context, options.config);
  const opened = await openJournalOf(context, config, options.journal);
  try {
    await work(config, opened);
  } finally {
    await opened.journal.close();
  }
}

/** The rollout named, or the only unfinished one; with `ended` also the last one that was completed. */
async function choose(opened: OpenJournal, name: string | undefined, ended = false): Promise<RolloutState> {
  const past = await rolloutsOf(opened.journal, null);
  const states = past.map(({ state }) => state);
  if (name !== undefined) return named(states, name);
  const open = unfinished(past);
  if (open.length > 0 || !ended) return only(open, 'rollout that is not finished');
  return only(
    states.filter((state) => state.stage.kind === 'completed' && !state.retired).slice(-1),
    'rollout to take back',
  );
}

function named(states: readonly RolloutState[], name: string): RolloutState {
  const found = states.find((state) => state.operation === name || state.plan.service === name);
  if (found !== undefined)
    return states.findLast((state) => state.operation === name || state.plan.service === name) ?? found;
  throw new CliError(
    `there is no rollout "${name}"`,
    `the journal has: ${states.map((state) => state.operation).join(', ') || 'none'}`,
  );
}

function only(states: readonly RolloutState[], what: string): RolloutState {
  const [state, other] = states;
  if (state === undefined) throw new CliError(`there is no ${what}`, '`drover journal` shows what there was');
  if (other === undefined) return state;
  throw new CliError(`there is more than one ${what}`, `name one: ${states.map((one) => one.operation).join(', ')}`);
}

async function ask(context: Context, question: string): Promise<string> {
  if (context.stdout.terminal === null)
    throw new CliError('without a terminal the name has to be given', 'add --confirm NAME');
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const reply = await reader.question(question);
  reader.close();
  return reply;
}
