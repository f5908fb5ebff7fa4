import type { Config } from '../../core/fleet/config.ts';
import type { Entry } from '../../core/journal/entry.ts';
import { changesSince } from '../../core/plan/changes.ts';
import { againstBack } from '../../core/rollout/configured.ts';
import { leftAfterBack } from '../../core/rollout/left.ts';
import type { OperatorRequest } from '../../core/rollout/observation.ts';
import type { RolloutState } from '../../core/rollout/state.ts';
import { originDown, type RolloutStatus, statusOf } from '../../core/rollout/status.ts';
import { createInbox } from '../../engine/inbox.ts';
import { type Glance, runOperation } from '../../engine/operation.ts';
import { exportState } from '../back/exported-state.ts';
import { CliError, type Context, type ControlRequest } from '../context.ts';
import { movedPorts } from '../foreign-ports.ts';
import { foldAll, rolloutsOf } from '../journal/history.ts';
import type { OpenJournal } from '../journal/open.ts';
import { openService, plannedNow } from '../open-service.ts';
import { goneWords } from '../plan/unfinished.ts';
import { againstBackLines } from '../status/lines-to-commit.ts';
import { openAnnouncer } from './announce.ts';
import { keepBalancers } from './balancers.ts';
import { type ControlDesk, openDesk } from './desk.ts';
import { type Ending, isBack, openEnding, standingAtEnd, standingOf } from './ending.ts';
import { heartbeat } from './heartbeat.ts';
import type { ControllerAnswer } from './messages.ts';
import { novelties } from './novelties.ts';
import { catchSignals, type Signals } from './signals.ts';

export type ControlOptions = {
  readonly config: Config;
  readonly opened: OpenJournal;
  readonly operation: string;
  readonly service: string;
  /** Requests that wait for the first pass. */
  readonly requests: readonly OperatorRequest[];
  readonly heartbeat: string | null;
  /** What the caller has taken already; left out: for this rollout only. */
  readonly signals?: Signals;
  readonly desk?: ControlDesk;
  /** Once this one is completed, another one comes to the same desk. */
  readonly isFollowed?: boolean;
  /** Ends the loop, as a signal would, as soon as a pass has shown this. */
  readonly until?: (glance: Glance) => boolean;
  readonly onEntry: (entry: Entry) => void;
  readonly onStatus: (status: RolloutStatus, state: RolloutState) => void;
  /** Before anybody else can become the controller: what may take long after it, a last heartbeat say, changes nothing of it. */
  readonly onEnd: (end: ControlEnd) => void;
  /** Something that does not touch the rollout failed: a line for people. */
  readonly onTrouble: (line: string) => void;
};

export type ControlEnd = {
  readonly kind: 'ended' | 'stopped';
  readonly state: RolloutState;
  /** Why the journal does not take what was last decided; null: it does. */
  readonly trouble: string | null;
  /** The way back was taken, whether the journal knows it or not. */
  readonly isBack: boolean;
  /** What of the destination carried traffic, or could not be read, when it was last looked at. */
  readonly standing: readonly string[];
  /** Of a rollout that was rolled back: what is not as it was found, and whose traffic nobody carries. */
  readonly left: readonly string[];
};

/** 0 completed, 2 taken back or held, 1 a way back of which something stands: nobody goes on with it by itself. */
export function exitCodeOf({ state, isBack, standing }: ControlEnd): 0 | 1 | 2 {
  if (state.stage.kind === 'rolled-back') return 2;
  // Also of a completed one, whose journal does not know of it yet.
  if (isBack) return standing.length > 0 ? 1 : 2;
  return state.stage.kind === 'completed' ? 0 : 2;
}

/**
 * Is the controller of one rollout until it ends or this process is asked to end: the loop, the control socket, signals
 * and the heartbeat. On a signal the share is held, that is journalled, and nothing proceeds.
 */
export async function controlRollout(context: Context, options: ControlOptions): Promise<ControlEnd> {
  const { config, opened, operation } = options;
  const before = await opened.journal.read(operation, 0);
  const begun = foldAll(before, context.world.sha256);
  if (config.services[options.service] === undefined)
    throw new CliError(goneWords(operation, options.service), '`drover back` takes the traffic back without it');
  // Before anything is opened or written: what an edited configuration says must not replace what the way back needs.
  const now = await plannedNow(context, config, options.service, opened.stateDirectory);
  const changes = begun === null ? [] : changesSince(begun.plan, now);
  const isElsewhere = changes.some((change) => change.startsWith('backends['));
  if (begun !== null) tellChanges(options, begun, changes, isElsewhere);
  if (!isElsewhere) await exportFirst(options, begun);
  await tellMoved(context, options);
  const inbox = createInbox();
  for (const request of options.requests) inbox.push(request);
  const over = Promise.withResolvers<unknown>();
  const desk = options.desk ?? (await openDesk(context, opened));
  const signals = options.signals ?? catchSignals();
  const ending = openEnding({ operation, user: context.user }, inbox, signals, options.until ?? (() => false));
  desk.attend(async (request) => (request.kind === 'end' ? over.promise : answer(request, operation, ending)));
  const announcer = openAnnouncer(context, config, before, options.onTrouble);
  const rollout = openService(context, config, options.service, opened.journal, opened.stateDirectory, 'control');
  const heart = heartbeat(context, options.heartbeat, options.onTrouble);
  const keeper = keepBalancers(context, config, options.service, opened.stateDirectory, options.onTrouble);
  const changed = troubleChanges();
  let keepsDesk = false;
  try {
    const tell = (entry: Entry) => {
      options.onEntry(entry);
      announcer.entry(entry);
    };
    const glance = (next: Glance) => {
      ending.look(next);
      keeper.look(next.observation);
      for (const line of changed(next)) options.onTrouble(line);
      options.onStatus(statusOf(next.state, next.watch, next.observation, next.troubles), next.state);
    };
    const end = await ending.run((stop) =>
      runOperation({ ...rollout.ports, tell }, operation, inbox, stop, undefined, glance),
    );
    desk.attend(null);
    const last = ending.last();
    const state = await folded(context, last, opened, operation);
    if (!isElsewhere || state.stage.kind === 'rolled-back') {
      await exportState(opened.stateDirectory, config, state).catch((error: unknown) =>
        options.onTrouble(
          `the exported state of ${operation} could not be renewed: ${error instanceof Error ? error.message : String(error)}`,
        ),
      );
    }
    const ended = endedAs(config, end, state, last);
    over.resolve({ kind: end, stage: state.stage.kind, left: ended.left });
    keepsDesk = options.isFollowed === true && state.stage.kind === 'completed';
    if (ended.trouble !== null) options.onTrouble(`not in the journal: ${ended.trouble}`);
    options.onEnd(ended);
    return ended;
  } finally {
    over.resolve(null);
    ending.shut();
    desk.attend(null);
    await keeper.close();
    await rollout.close();
    // Before what may take long: whoever takes the traffic back now becomes the controller.
    if (!keepsDesk) await closeDesk(context, desk);
    await heart.stop();
    await announcer.close();
    if (options.signals === undefined) signals.release();
  }
}

/**
 * A rollout goes on as it was begun, whatever was edited since, and that is said. Other balancers are not written to: what
 * was found belongs to those that were read. The way back goes to wherever the configuration says that they are now.
 */
function tellChanges(
  { requests, onTrouble }: ControlOptions,
  begun: RolloutState,
  changes: readonly string[],
  isElsewhere: boolean,
): void {
  if (changes.length === 0) return;
  const what = `${begun.operation} was begun with another configuration (${changes.join('; ')})`;
  const isBack = begun.back !== null || requests.some(({ kind }) => kind === 'back');
  // Under another name nothing can be written to it, in no direction; the exported state has what was read.
  if (changes.some((change) => /^backends\[\d+\](\.id)?:/.test(change)))
    throw new CliError(
      `${what}: these balancers are not its own`,
      'put those lines of the configuration back as they were',
    );
  if (!isBack && isElsewhere) {
    throw new CliError(
      `${what}: it is not carried on at other balancers`,
      'put those lines of the configuration back as they were, or take the way back: `drover back`',
    );
  }
  onTrouble(`${what}; it goes on as it was begun, and what was changed counts for the next one`);
}

/** What is taken over from before and cannot be reached keeps a rollout waiting: said before it does. */
async function tellMoved(context: Context, { config, service, opened, onTrouble }: ControlOptions): Promise<void> {
  const given = config.services[service];
  if (given === undefined) return;
  for (const { what, remedy } of await movedPorts(context, given, opened.stateDirectory))
    onTrouble(`${what}; ${remedy}`);
}

/** Before the first change: without the export the way back would depend on the journal, so nothing goes forward. */
async function exportFirst(options: ControlOptions, state: RolloutState | null): Promise<void> {
  if (state === null) return;
  const { stateDirectory } = options.opened;
  try {
    await exportState(stateDirectory, options.config, state);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `what the way back of ${state.operation} needs could not be written to ${stateDirectory}: ${why}`;
    const remedy = 'make room there, or make it writable, and run the same command again; nothing has moved yet';
    if (state.intended === null) throw new CliError(message, remedy, error);
    options.onTrouble(message);
  }
}

function answer(request: Exclude<ControlRequest, { kind: 'end' }>, operation: string, ending: Ending): unknown {
  const glance = ending.last();
  switch (request.kind) {
    case 'status':
      return {
        pid: process.pid,
        operation,
        status: glance && statusOf(glance.state, glance.watch, glance.observation, glance.troubles),
        trouble: troubleOf(glance),
        standing: standingOf(glance),
      } satisfies ControllerAnswer;
    case 'operator':
      if (request.operation !== operation)
        throw new Error(`this controller runs ${operation}, not ${request.operation}`);
      ending.accept(request.request);
      return { accepted: true };
    default:
      throw new Error('a controller answers "status", "operator" and "end"');
  }
}

function troubleOf(glance: Glance | null): string | null {
  return glance?.trouble ?? null;
}

function endedAs(config: Config, kind: ControlEnd['kind'], state: RolloutState, last: Glance | null): ControlEnd {
  const isOver = state.stage.kind === 'rolled-back' && last !== null;
  return {
    ...{ kind, state, trouble: troubleOf(last), isBack: isBack(state, last), standing: standingAtEnd(last) },
    left: isOver
      ? [
          ...leftAfterBack(last.state, last.observation),
          ...againstBackLines(config, againstBack(last.state, last.observation)),
        ]
      : [],
  };
}

/** Those who wait for the end are answered before the connection is. */
async function closeDesk(context: Context, desk: ControlDesk): Promise<void> {
  await context.clock.sleep(0, new AbortController().signal);
  await desk.close();
}

/** One line for each trouble that has begun, and one when there is none any more. */
function troubleChanges(): (glance: Glance) => readonly string[] {
  const fresh = novelties();
  let before = { journal: false, world: false };
  return ({ trouble, troubles, observation }) => {
    const now = { journal: trouble !== null, world: troubles.length > 0 };
    const over = [
      ...(before.journal && !now.journal ? ['the journal can be written again'] : []),
      ...(before.world && !now.world ? ['what was refused has been written now'] : []),
    ];
    before = now;
    const journal = trouble === null ? [] : [`nothing can be written to the journal: ${trouble}`];
    return [...fresh([...journal, ...troubles, ...originDown(observation)]), ...over];
  };
}

async function folded(
  context: Context,
  last: Glance | null,
  opened: OpenJournal,
  operation: string,
): Promise<RolloutState> {
  const all = await rolloutsOf(context.world, opened.journal, null).catch(() => []);
  const state = all.find((one) => one.state.operation === operation)?.state ?? last?.state;
  if (state === undefined) throw new CliError(`nothing is known of ${operation}`);
  return state;
}
