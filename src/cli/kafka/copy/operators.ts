import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import { hasMoveEnded, isUnderWay, type MoveState } from '../../../core/move/operation/state.ts';
import { aclWords } from '../../../core/move/rights.ts';
import { recordMove } from '../../../engine/move-record.ts';
import { commandAt } from '../../command-at.ts';
import { CliError, type Context } from '../../context.ts';
import { catchSignals, sayOnSignal } from '../../controller/signals.ts';
import { rolloutsOf, unfinished } from '../../journal/history.ts';
import { lookIntoJournal, type OpenJournal, openExisting } from '../../journal/open.ts';
import type { JournalPlace } from '../../journal/path.ts';
import { controlCopy, copyTiming } from './control.ts';
import { copiesOf, isCopyName, openCopies } from './copies.ts';
import type { CopyAnswer } from './messages.ts';
import { floorOf, usualDiskFloor } from './options.ts';
import { afterwardsOf, copyReporter, exitCodeOf } from './reporter.ts';
import { askCopy, copyController } from './sockets.ts';

type Words = JournalPlace & { readonly reason?: string; readonly json?: true };

/** The copy that is meant: by its name, or, where none is named, the only operation that is not finished. Null: a rollout is. */
export async function meantCopy(
  context: Context,
  place: JournalPlace,
  name: string | undefined,
): Promise<MoveState | null> {
  if (name !== undefined && !isCopyName(name)) return null;
  // What a rollout needs is its own matter: it is taken back without a journal too.
  const looked =
    name === undefined
      ? await lookIntoJournal(context, place).catch(() => null)
      : await lookIntoJournal(context, place);
  const journal = looked?.journal ?? null;
  try {
    const copies =
      name === undefined
        ? await copiesOf(context.world, journal).catch(() => [])
        : await copiesOf(context.world, journal);
    if (name !== undefined) {
      const found = copies.find(({ state }) => state.operation === name);
      if (found !== undefined) return found.state;
      const names = copies.map(({ state }) => state.operation).join(', ');
      throw new CliError(`there is no copy ${name}`, `the journal has: ${names === '' ? 'none' : names}`);
    }
    const open = openCopies(copies);
    const rollouts =
      open.length === 0 ? [] : unfinished(await rolloutsOf(context.world, journal, null).catch(() => []));
    const all = [...open, ...rollouts].map(({ operation }) => operation);
    if (open.length > 0 && all.length > 1)
      throw new CliError('there is more than one operation that is not finished', `name one: ${all.join(', ')}`);
    return open[0] ?? null;
  } finally {
    await journal?.close();
  }
}

/** Done when all requests of the copy are settled, and the journal has it. */
export async function holdCopy(context: Context, state: MoveState, words: Words): Promise<void> {
  const { operation } = state;
  if (!isUnderWay(state)) throw new CliError(`${operation} is ${state.stage.kind}: no data moves that could be held`);
  const request: MoveRequest = { kind: 'hold', by: context.user, why: words.reason ?? 'asked for' };
  await withJournal(context, words, async (opened) => {
    const isHeld = ({ status }: CopyAnswer) => status?.held != null && status.isSettled !== false;
    if (!(await tellCopy(context, opened, operation, request, isHeld))) {
      const { by, why } = request;
      await record(context, opened, operation, (state) =>
        isUnderWay(state) && state.held === null ? [{ kind: 'copy-held', by, why }] : [],
      );
    }
    say(
      context,
      words,
      operation,
      request,
      `${operation} is held; \`${commandAt(words)('resume')} ${operation}\` goes on`,
    );
  });
}

export async function resumeCopy(context: Context, state: MoveState, words: Words): Promise<void> {
  const { operation } = state;
  const request: MoveRequest = { kind: 'resume', by: context.user, reason: words.reason ?? null };
  await withJournal(context, words, async (opened) => {
    if (await tellCopy(context, opened, operation, request, ({ status }) => status?.held === null))
      return say(context, words, operation, request, `${operation} goes on`);
    if (hasMoveEnded(state))
      throw new CliError(`${operation} is over (${state.stage.kind}): there is nothing to resume`);
    await become(context, opened, state, [request], words, exitCodeOf);
  });
}

/** Ends a copy and restores settings; `back` also deletes the topics that it has made and that nobody else uses. */
export async function endCopy(context: Context, state: MoveState, kind: 'abort' | 'back', words: Words): Promise<void> {
  const { operation } = state;
  const request: MoveRequest = { kind, by: context.user, reason: words.reason ?? null };
  await withJournal(context, words, async (opened) => {
    if (kind === 'abort' && hasMoveEnded(state))
      throw new CliError(`${operation} is over (${state.stage.kind}): there is nothing to abort`);
    if (!(await tellCopy(context, opened, operation, request, () => false)))
      return await become(context, opened, state, [request], words, ({ state: after }) => endedExitCode(after, kind));
    const now = (await copiesOf(context.world, opened.journal)).find((one) => one.state.operation === operation)?.state;
    if (now === undefined || !hasMoveEnded(now))
      throw new CliError(
        `${operation} has not ended`,
        `\`drover kafka status\` tells how it stands; the same command again goes on`,
      );
    for (const line of endLines(now, commandAt(words))) if (!words.json) context.stdout.write(`${line}\n`);
    if (words.json) context.stdout.write(`${JSON.stringify({ end: 'ended', operation, stage: now.stage.kind })}\n`);
    context.setExitCode(endedExitCode(now, kind));
  });
}

function endLines(state: MoveState, command: (verb: string) => string): string[] {
  const kept = Object.entries(state.kept).map(([topic, why]) => `${topic} stays on the target: ${why}`);
  const left = state.leversLeft.map((line) => `not restored, as somebody has changed it: ${line}`);
  const end = { kind: 'ended', state, isHeldBack: false } as const;
  return [
    `${state.operation} is ${state.stage.kind}`,
    ...state.removed.map((topic) => `${topic} was deleted on the target`),
    ...kept,
    ...left,
    ...aclEndLines(state),
    ...afterwardsOf(end, command),
  ];
}

function aclEndLines({ plan, areAclsIntended, acls, stage }: MoveState): string[] {
  if (!areAclsIntended || plan.acls === undefined || stage.kind === 'copied') return [];
  return acls.length === 0
    ? ['ACLs that it had made on the target are gone']
    : acls.map((acl) => `an ACL stays on the target with its topics: ${aclWords(acl)}`);
}

/** 0: it was done; 2: not all of it. */
function endedExitCode(state: MoveState, kind: 'abort' | 'back'): 0 | 2 {
  if (kind === 'abort') return state.stage.kind === 'aborted' ? 0 : 2;
  return state.stage.kind === 'removed' && Object.keys(state.kept).length === 0 ? 0 : 2;
}

async function become(
  context: Context,
  opened: OpenJournal,
  state: MoveState,
  requests: readonly MoveRequest[],
  words: Words,
  exitCode: (end: Awaited<ReturnType<typeof controlCopy>>) => 0 | 2 | 3,
): Promise<void> {
  const signals = catchSignals();
  const reporter = copyReporter(context, words.json === true);
  try {
    const end = await controlCopy(context, {
      ...{ opened, state, signals, requests, waitMs: null, diskFloor: floorOf(usualDiskFloor), metrics: null },
      onEntry: reporter.entry,
      onStatus: reporter.status,
      onTrouble: reporter.trouble,
    });
    reporter.end(end, afterwardsOf(end, commandAt(words)));
    context.setExitCode(exitCode(end));
  } finally {
    reporter.close();
    signals.release();
  }
}

const pollMs = 50;
const waitMsMax = 30_000;

/** Says it to the living controller, and waits until it shows, or has ended. false: there is none. Throws CliError where it does not come. */
export async function tellCopy(
  context: Context,
  { stateDirectory }: OpenJournal,
  operation: string,
  request: MoveRequest,
  isDone: (answer: CopyAnswer) => boolean,
): Promise<boolean> {
  const ask = { kind: 'copy-operator', operation, request } as const;
  const found = await copyController(context, stateDirectory, operation);
  if (found === 'silent') throw silent(operation);
  if (found === null) return false;
  if ((await askCopy(context, stateDirectory, operation, ask)) === null) return false;
  sayOnSignal(
    `the controller of ${operation} was told, and this command has not seen what came of it: \`drover kafka status\` tells`,
  );
  const endsAt = context.clock.monotonic() + waitMsMax;
  for (;;) {
    const answer = await copyController(context, stateDirectory, operation);
    if (answer === null) return true;
    if (answer !== 'silent' && isDone(answer)) return true;
    const trouble = answer === 'silent' ? 'it does not answer' : (answer.trouble ?? answer.refusal ?? 'it goes on');
    if (context.clock.monotonic() > endsAt)
      throw new CliError(
        `the controller of ${operation} has not done that within ${waitMsMax / 1000} s: ${trouble}`,
        '`drover kafka status` tells how it stands',
      );
    await context.clock.sleep(pollMs, new AbortController().signal);
  }
}

function silent(operation: string): CliError {
  return new CliError(
    `the controller of ${operation} listens and does not answer, and nothing was done: nothing moves once its lease is over`,
    'if its process was stopped, `kill -CONT` lets it go on; else end it, and run the same command again (`fuser` on its socket names it)',
  );
}

async function record(
  context: Context,
  { journal }: OpenJournal,
  operation: string,
  eventsFor: Parameters<typeof recordMove>[3],
): Promise<void> {
  const { clock, user } = context;
  const { sha256, holder } = context.world;
  const ports = { clock, journal, leases: journal.leases, sha256, holder, timing: copyTiming };
  if ((await recordMove(ports, operation, user, eventsFor)) === 'leased')
    throw new CliError(
      `a controller of ${operation} holds its lease and cannot be reached`,
      '`drover kafka status` tells how it stands',
    );
}

function say(context: Context, words: Words, operation: string, request: MoveRequest, line: string): void {
  context.stdout.write(words.json ? `${JSON.stringify({ told: operation, request: request.kind })}\n` : `${line}\n`);
}

async function withJournal(
  context: Context,
  words: Words,
  action: (opened: OpenJournal) => Promise<void>,
): Promise<void> {
  if (words.reason !== undefined && words.reason.trim() === '')
    throw new CliError('--reason is empty', 'say why in a few words');
  const opened = await openExisting(context, words);
  try {
    await action(opened);
  } finally {
    await opened.journal.close();
  }
}
