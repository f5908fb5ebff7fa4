import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { backRefusal } from '../../core/rollout/decide-back.ts';
import { unserved } from '../../core/rollout/left.ts';
import type { OperatorRequest } from '../../core/rollout/observation.ts';
import { restoringWaits } from '../../core/rollout/restoring.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { stillStanding } from '../../core/rollout/status.ts';
import type { Glance } from '../../engine/operation.ts';
import { PortError } from '../../engine/ports.ts';
import { chooseRollout } from '../choose-rollout.ts';
import { CliError, type Context } from '../context.ts';
import { becomeController } from '../controller/become.ts';
import type { ControllerAnswer } from '../controller/messages.ts';
import { controllerAt } from '../controller/reach.ts';
import { sayOnSignal } from '../controller/signals.ts';
import { rolloutsOf } from '../journal/history.ts';
import { type OpenJournal, openJournalOf } from '../journal/open.ts';
import { journalPath } from '../journal/path.ts';
import { sentenceOf } from '../journal/sentences.ts';
import { loadConfig } from '../load-config.ts';
import { followBack, patienceMs, StillStanding } from './follow.ts';
import { backOffline, messageOf, type OfflineOptions } from './offline.ts';
import { outcomeLines, rolledBackWords } from './outcome.ts';

export type BackOptions = OfflineOptions & {
  readonly config?: string;
  readonly journal?: string;
  readonly reason?: string;
  readonly offline?: true;
  readonly json?: true;
};

type BackRequest = Extract<OperatorRequest, { kind: 'back' }>;

/**
 * The way back, by the first way that works, and says which one: the living controller, which is asked without a look at the
 * journal; else this process as the controller, with the journal and the configuration; else the exported state and the
 * balancers alone. Neither a full disk nor a damaged file stands in its way.
 */
export async function takeBack(context: Context, name: string | undefined, options: BackOptions): Promise<void> {
  const stateDirectory = dirname(journalPath(context, options));
  // With --json, standard output is for programs: what is for people goes to the other one.
  const told: Context = options.json ? { ...context, stdout: context.stderr } : context;
  refuseWithoutOffline(options);
  if (options.offline) return backOffline(told, options, name, stateDirectory);
  const request: BackRequest = {
    kind: 'back',
    by: context.user,
    reason: options.reason ?? null,
    all: options.all === true,
  };
  let controller = 'no controller is alive';
  let rollout = name;
  let hangs = false;
  const say = (line: string) => context.stderr.write(`drover: ${line}\n`);
  try {
    const tellJson = options.json ? (operation: string) => context.stdout.write(toldLine(operation, request)) : null;
    const asked = await byController(told, join(stateDirectory, 'control.sock'), name, request, tellJson);
    if (asked.isBack) return;
    if (asked.operation !== null) {
      rollout = asked.operation;
      controller = 'its controller has ended';
    }
  } catch (error) {
    if (error instanceof StillStanding) throw error;
    say(`not by the controller: ${messageOf(error)}`);
    controller = 'its controller cannot be told';
    hangs = error instanceof PortError && error.code === 'timeout';
  }
  try {
    // One that hangs still is the controller: this process cannot become it.
    if (!hangs) return await byJournal(context, rollout, options, request, controller);
  } catch (error) {
    if (error instanceof StillStanding || error instanceof Refused) throw error;
    say(`not by the journal: ${messageOf(error)}`);
  }
  say('by the exported state and the balancers alone');
  await backOffline(told, options, rollout, stateDirectory);
}

/** What speaks of a balancer would be passed over where the journal or a controller takes the traffic back. */
function refuseWithoutOffline({ offline, haproxy, embedded, backend, destination, origin }: BackOptions): void {
  if (offline) return;
  const given = Object.entries({ haproxy, embedded, backend, destination, origin }).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length === 0) return;
  throw new CliError(
    `${given.map(([name]) => `--${name}`).join(', ')} ${given.length === 1 ? 'is' : 'are'} for --offline, and nothing was done`,
    'add --offline to take the traffic back at the balancer alone, or leave that out',
  );
}

/** The journal says that it must not be: no other way is tried. */
class Refused extends CliError {}

/** Of --json: a living controller was told, and has the rest. */
export function toldLine(operation: string, request: OperatorRequest): string {
  return `${JSON.stringify({ told: operation, request: request.kind })}\n`;
}

/** `operation`: what a controller was told that ended before the traffic was back; null: none is alive. */
type Asked = { readonly isBack: boolean; readonly operation: string | null };

async function byController(
  context: Context,
  socket: string,
  name: string | undefined,
  request: BackRequest,
  tellJson: ((operation: string) => void) | null,
): Promise<Asked> {
  for (let operation: string | null = null; ; ) {
    const controller = await tellBack(context, socket, operation ?? name, request);
    if (controller === null) return { isBack: false, operation };
    if (operation === null) tellJson?.(controller.operation);
    operation = controller.operation;
    sayOnSignal(`the controller of ${operation} was told, and takes the traffic back: \`drover status\` tells`);
    const say = (line: string) => context.stdout.write(`${line}\n`);
    say(`${operation}: its controller (pid ${controller.pid}) takes the traffic back`);
    if (await followBack(context, socket, operation, (line) => say(`  ${line}`))) return { isBack: true, operation };
    sayOnSignal(`the way back of ${operation} has not been seen to end: \`drover back ${operation}\` goes on with it`);
  }
}

/** One that is between two rollouts, or about to end, takes nothing. It is waited for this long. */
const idleMsMax = 2000;
const idlePollMs = 100;

/** Whoever has accepted it; null: no controller is alive. Throws where the one that is alive does not take it. */
async function tellBack(
  context: Context,
  socket: string,
  name: string | undefined,
  request: BackRequest,
): Promise<{ readonly pid: number; readonly operation: string } | null> {
  const endsAt = context.clock.monotonic() + idleMsMax;
  for (;;) {
    const controller = await controllerAt(context, socket, patienceMs);
    if (controller === null) return null;
    const { operation, pid } = controller;
    const isLate = context.clock.monotonic() > endsAt;
    if (operation !== null) {
      if (name !== undefined && name !== operation && name !== serviceOf(controller))
        throw new CliError(`the controller (pid ${pid}) runs ${operation}, not ${name}`);
      const message = { kind: 'operator', operation, request } as const;
      const refused = await context.world.askControl(socket, message, AbortSignal.timeout(patienceMs)).then(
        (answer) => (answer === undefined ? 'gone' : null),
        (error: unknown) => {
          if (isLate || !(error instanceof PortError && error.code === 'refused')) throw error;
          return 'not now';
        },
      );
      if (refused === null) return { pid, operation };
      if (refused === 'gone') return null;
    } else if (isLate) throw new CliError(`the controller (pid ${pid}) is between two rollouts`);
    await context.clock.sleep(idlePollMs, new AbortController().signal);
  }
}

function serviceOf({ operation, status }: ControllerAnswer): string | null {
  return status?.service ?? /^rollout-(.+)-\d+$/.exec(operation ?? '')?.[1] ?? null;
}

async function byJournal(
  context: Context,
  name: string | undefined,
  options: BackOptions,
  request: BackRequest,
  controller: string,
): Promise<void> {
  const path = journalPath(context, options);
  if (!existsSync(path)) throw new CliError(`there is no journal at ${path}`);
  const { config } = await loadConfig(context, options.config);
  const opened = await openJournalOf(context, config, options.journal);
  try {
    const state = await chooseRollout(context, opened, name, true);
    await refuseWithoutWayBack(context, opened, state, request);
    const output = options.json ? context.stderr : context.stdout;
    const wasBack = rolledBackWords(state);
    output.write(
      wasBack === null
        ? `${state.operation}: ${controller}; this process takes the traffic back\n`
        : `${state.operation}: ${wasBack}; this process looks whether that still holds\n`,
    );
    const watched = watchBack(context, (line) => output.write(`  ${line}\n`));
    const becoming = { config, opened, state, options, requests: [request], until: watched.until };
    const end = await becomeController(context, becoming);
    const { standing } = end;
    if (!end.isBack && end.kind === 'stopped')
      throw new Refused(`${state.operation} is not taken back: this command was asked to end before it began`);
    if (standing.length > 0) {
      const { troubles } = watched.last();
      const message = `${state.operation}: still standing: ${[...standing, ...troubles].join('; ')}`;
      throw new StillStanding(message, 'put that right and run the same command again: it goes on with the way back');
    }
    const { lowered } = watched;
    if (end.state.stage.kind === 'rolled-back') {
      for (const line of outcomeLines(end.left, wasBack === null ? null : [...lowered])) output.write(`  ${line}\n`);
    }
    if (end.state.back === null)
      context.stderr.write(
        'drover: the traffic is back; states and sizes are not yet as found. Run the same command again when the journal can be written\n',
      );
  } finally {
    await opened.journal.close().catch(() => undefined);
  }
}

/** A rollout that was retired, and one after which another one has moved the same servers, are not taken back by their name. */
async function refuseWithoutWayBack(
  context: Context,
  opened: OpenJournal,
  state: RolloutState,
  request: BackRequest,
): Promise<void> {
  const refusal = backRefusal(state, request.all);
  if (refusal !== null) {
    const retired = (await opened.journal.read(state.operation, 0)).findLast(({ body }) => body.kind === 'retired');
    const when = retired === undefined ? '' : ` (${new Date(retired.atMs).toISOString()}: ${sentenceOf(retired.body)})`;
    const remedy = `where you know that the origin stands, \`drover back ${state.operation} --all\` takes it back all the same`;
    throw new Refused(`${refusal}${when}, and nothing was done`, remedy);
  }
  if (state.stage.kind !== 'rolled-back') return;
  const past = await rolloutsOf(context.world, opened.journal, null);
  const last = past.findLast((one) => one.state.plan.service === state.plan.service)?.state ?? state;
  if (last.operation === state.operation) return;
  throw new Refused(
    `${state.operation} was rolled back, and ${last.operation} came after it: nothing was done`,
    `take that one back: drover back ${last.operation}`,
  );
}

/** Passes in which the journal did not take the way back that was performed: after that many it is left to a later command. */
const unwrittenPasses = 4;
/** How long a balancer that does not answer is tried again. */
const standingMsMax = 30_000;

/** Says what stands, and ends the loop where waiting longer does not help. */
function watchBack(context: Context, say: (line: string) => void) {
  const startedMs = context.clock.monotonic();
  const said = new Set<string>();
  /** Where something was taken from the destination again. */
  const lowered = new Set<string>();
  let last: { readonly standing: readonly string[]; readonly troubles: readonly string[] } = {
    standing: [],
    troubles: [],
  };
  let passes = 0;
  return {
    last: () => last,
    lowered,
    until({ trouble, troubles, state, observation, decision }: Glance): boolean {
      const standing = stillStanding(state, observation);
      last = { standing, troubles };
      for (const effect of decision.effects) if (effect.kind === 'traffic') lowered.add(effect.backend);
      const waiting = [...standing, ...restoringWaits(state, observation)].map((line) => `still standing: ${line}`);
      // The first look is from before the first command; what is left at the end is told there.
      const isUnderWay = state.back !== null && state.stage.kind !== 'rolled-back';
      const lines = isUnderWay ? [...waiting, ...unserved(state, observation)] : [];
      for (const line of lines) if (!said.has(line)) say(line);
      for (const line of lines) said.add(line);
      passes = trouble !== null && state.back === null && standing.length === 0 ? passes + 1 : 0;
      const isLate = standing.length > 0 && context.clock.monotonic() - startedMs > standingMsMax;
      return passes >= unwrittenPasses || isLate;
    },
  };
}
