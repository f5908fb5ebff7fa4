import { resolve } from 'node:path';
import type { TopicAcl } from '../../../core/move/acl-facts.ts';
import { copyOrder } from '../../../core/move/copy-order.ts';
import { moveRules } from '../../../core/move/operation/events.ts';
import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import { type CopyPlan, isSameCopy } from '../../../core/move/operation/plan.ts';
import type { MoveState } from '../../../core/move/operation/state.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import { startOperation } from '../../../engine/anchors.ts';
import { commandAt } from '../../command-at.ts';
import { CliError, type Context } from '../../context.ts';
import { nothingBegun, type Signals, unlessAsked } from '../../controller/signals.ts';
import { rateWords } from '../../journal/copy-sentences.ts';
import { lookIntoJournal, type OpenJournal, openJournalAt } from '../../journal/open.ts';
import { ask } from '../../terminal/ask.ts';
import { harmless } from '../../terminal/text.ts';
import { packageVersion } from '../../version.ts';
import { adopt, noAdoptions } from '../adopt/adopt.ts';
import { areAclsMissed, leftAclLines } from '../copy-preview/acl-words.ts';
import type { AclPreview } from '../copy-preview/acls.ts';
import { rebuildRequest } from '../rebuild/rebuild.ts';
import { controlCopy } from './control.ts';
import { copiesOf, nextCopy, openCopies, setAsideOn } from './copies.ts';
import { tellCopy } from './operators.ts';
import { askedBy, type CopyOptions, type CopyWords, copyOptions, reachOf } from './options.ts';
import { type AdoptedLooks, type Planned, type PlanningSides, planCopy, type References } from './plan-copy.ts';
import { dryRun, othersAt, type PreviewGiven, refuseObstacles } from './preview.ts';
import { afterwardsOf, copyReporter, exitCodeOf } from './reporter.ts';
import { changesLines, extentLines } from './show-plan.ts';
import { copyController, underWay } from './sockets.ts';

/** `drover kafka copy`: agrees on what is to be done, or goes on with what is unfinished, and is its controller until it ends. */
export async function copy(context: Context, words: CopyWords, signals: Signals): Promise<void> {
  const options = copyOptions(words, context.clock.now());
  const [source, target] = (['source', 'target'] as const).map((side) =>
    context.world.openCopySide(reachOf(side, words, packageVersion())),
  );
  if (source === undefined || target === undefined) throw new Error('a copy has two sides');
  const sides = { source, target };
  try {
    for (const { notes } of [source, target]) for (const note of notes) context.stderr.write(`${harmless(note)}\n`);
    const references = await unlessAsked(signals, referencesOf(context, sides, words));
    if (words.dryRun) {
      return await unlessAsked(signals, lookOnly(context, { sides, references, options, words }, signals));
    }
    const opened = await openJournalAt(context, words);
    try {
      const begun = await unlessAsked(signals, begin(context, { sides, references, options, words, opened, signals }));
      await Promise.all([source.close(), target.close()]);
      if (begun !== null) await perform(context, opened, begun, words, options, signals);
    } finally {
      await opened.journal.close();
    }
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

/** Beside what is unfinished in the journal, if there is one. */
async function lookOnly(
  context: Context,
  given: Omit<PreviewGiven, 'stateDirectory' | 'open' | 'adopted'>,
  signals: Signals,
): Promise<void> {
  const { journal, stateDirectory } = await lookIntoJournal(context, given.words);
  try {
    const open = openCopies(await copiesOf(context.world, journal));
    const adoption = { ...given, stateDirectory, isDryRun: true };
    const { looks } = given.words.adopt ? await adopt(context, adoption, signals.interrupted) : noAdoptions;
    await dryRun(context, { ...given, stateDirectory, open, adopted: looks });
  } finally {
    await journal?.close();
  }
}

type Beginning = {
  readonly sides: PlanningSides;
  readonly references: References;
  readonly options: CopyOptions;
  readonly words: CopyWords;
  readonly opened: OpenJournal;
  readonly signals: Signals;
};

/** A copy to go on with, and what to ask of it first. */
export type Begun = {
  readonly state: MoveState;
  readonly requests: readonly MoveRequest[];
  readonly isResumed: boolean;
};

async function referencesOf(context: Context, sides: PlanningSides, words: CopyWords): Promise<References> {
  const [source, target] = await Promise.all([sides.source.clusterId(), sides.target.clusterId()]);
  if (source === target)
    throw new CliError(`source and target are the same cluster (${source})`, 'a copy keeps the names of its topics');
  const at = (file: string | undefined) => (file === undefined ? null : resolve(context.directory, file));
  return {
    source: { clusterId: source, bootstrap: words.source, configFile: at(words.sourceConfig) },
    target: { clusterId: target, bootstrap: words.target, configFile: at(words.targetConfig) },
  };
}

/** Null: it was shown, and nobody has agreed to it. */
async function begin(context: Context, beginning: Beginning): Promise<Begun | null> {
  const { references, options, opened, words, sides } = beginning;
  const { rate } = options;
  const copies = await copiesOf(context.world, opened.journal);
  const asked = { ...references, asked: askedBy(options) };
  const same = openCopies(copies).find((state) => isSameCopy(state.plan, asked));
  if (same !== undefined) {
    const changes: MoveRequest[] = rate === same.rate ? [] : [{ kind: 'rate', by: context.user, rate }];
    const rebuild = await rebuildOf(context, beginning, same);
    return rebuild === null ? null : { state: same, requests: [...rebuild, ...changes], isResumed: true };
  }
  const [open, { stateDirectory }] = [openCopies(copies), opened];
  const adoption = { sides, references, options, words, stateDirectory, isDryRun: false };
  const adoptions = words.adopt ? await adopt(context, adoption, beginning.signals.interrupted) : noAdoptions;
  let begun: Begun | null = null;
  try {
    const { planned, acls } = await plannedCopy(context, beginning, open, adoptions.looks);
    const requests = await rebuildOf(context, beginning, null);
    if (requests === null || !(await isAgreed(context, planned, acls, beginning))) return null;
    begun = { ...(await start(context, opened, nextCopy(copies), planned.plan, rate)), requests };
    return begun;
  } finally {
    // Once the journal has the plan, its controller puts them in their places.
    if (begun === null) adoptions.discard();
  }
}

/** What `--rebuild` asks of the copy. Null: it was shown, and nobody has agreed. */
async function rebuildOf(
  context: Context,
  { sides, references, options, words, opened, signals }: Beginning,
  same: MoveState | null,
): Promise<MoveRequest[] | null> {
  const { rebuild: topic } = words;
  // Whoever has begun it goes on with it.
  if (topic === undefined || same?.stage.kind === 'rebuilding') return [];
  if (same !== null) await requireStill(context, opened, same);
  const given = { sides, references, options, words, expectedId: same?.targetIds[topic] ?? null };
  const request = await rebuildRequest(context, topic, given, signals.interrupted);
  if (request === 'nothing there')
    context.stderr.write(`drover: --rebuild: nothing stands on the target of ${topic} that could be deleted\n`);
  if (request === 'not agreed') return null;
  return request === 'nothing there' ? [] : [request];
}

/** What is looked at has to stay as it is until it is deleted. Throws CliError. */
async function requireStill(
  context: Context,
  { stateDirectory }: OpenJournal,
  { operation, stage }: MoveState,
): Promise<void> {
  const found = await copyController(context, stateDirectory, operation);
  if (found !== null)
    throw new CliError(
      `${operation} is under way${found === 'silent' ? '' : ` (pid ${found.pid})`}, and nothing may be written while a topic is deleted and made anew`,
      'end its controller (Ctrl-C, or SIGTERM), and run the same command again: it goes on with all the others as well',
    );
  if (stage.kind !== 'preparing' && stage.kind !== 'copying')
    throw new CliError(
      `${operation} is ${stage.kind}: no topic of it can be made anew now`,
      'run the same command without --rebuild, and once more with it when that is over',
    );
}

async function plannedCopy(
  context: Context,
  { sides, references, options, words, opened: { stateDirectory } }: Beginning,
  open: readonly MoveState[],
  adopted: AdoptedLooks,
): Promise<{ readonly planned: Planned; readonly acls: Reading<AclPreview> }> {
  const setAside = setAsideOn(open, references.target.clusterId);
  const found = await planCopy(context, { sides, references, options, stateDirectory, setAside, adopted });
  const [other] = othersAt(open, references, found.plan.topics);
  if (other !== undefined) throw new CliError(other);
  const given = { sides, references, options, words, stateDirectory, open, adopted };
  const { partitions, atMs, acls } = await refuseObstacles(context, given);
  const { partitionsPerBroker, order } = options;
  const pace = { partitionsPerBroker, order, first: copyOrder(order, partitions, atMs) };
  return { planned: { ...found, plan: { ...found.plan, pace, acls: aclsOf(acls) } }, acls };
}

function aclsOf(acls: Reading<AclPreview>): readonly TopicAcl[] {
  return acls.known ? acls.value.make.map(({ command: _, ...acl }) => acl) : [];
}

async function isAgreed(
  context: Context,
  planned: Planned,
  acls: Reading<AclPreview>,
  { words, options: { rate }, signals }: Beginning,
): Promise<boolean> {
  const changes = changesLines(planned, acls);
  if (changes === null || words.yes) {
    // What nobody was shown, and is missed later.
    if (areAclsMissed(acls)) for (const line of leftAclLines(acls)) context.stderr.write(`${harmless(line)}\n`);
    return true;
  }
  const isTerminal = context.stdout.terminal !== null && words.json === undefined;
  if (words.json) context.stdout.write(`${JSON.stringify({ plan: planned.plan })}\n`);
  else
    for (const line of [...extentLines(planned, rate), 'On the target:', ...changes])
      context.stdout.write(`${harmless(line)}\n`);
  if (!isTerminal) {
    context.stderr.write('drover: nothing was done: --yes agrees to what is shown\n');
    context.setExitCode(2);
    return false;
  }
  const reply = await ask(context, 'Copy, and change that on the target? Type yes: ', 'add --yes', signals.interrupted);
  if (reply !== 'yes') throw new CliError('nothing was done');
  return true;
}

async function start(
  context: Context,
  { journal }: OpenJournal,
  operation: string,
  plan: CopyPlan,
  rate: number | null,
): Promise<Begun> {
  const ports = { journal, clock: context.clock, sha256: context.world.sha256 };
  const started = { kind: 'copy-started', plan, rate } as const;
  const outcome = await startOperation(ports, operation, started, context.user, moveRules);
  const state = (await copiesOf(context.world, journal)).find((one) => one.state.operation === operation)?.state;
  if (outcome === 'exists' || state === undefined)
    throw new CliError('another copy was begun in the same moment', 'run the same command again');
  return { state, requests: [], isResumed: false };
}

async function perform(
  context: Context,
  opened: OpenJournal,
  { state, requests, isResumed }: Begun,
  words: CopyWords,
  { waitMs, diskFloor, metrics }: CopyOptions,
  signals: Signals,
): Promise<void> {
  if (signals.interrupted.aborted) throw nothingBegun(signals);
  if (isResumed && (await isUnderWay(context, opened, state, requests, words))) return;
  const reporter = copyReporter(context, words.json === true);
  try {
    if (isResumed) reporter.note(`${state.operation} is unfinished: going on with it`);
    if (isResumed && state.held !== null)
      reporter.note(`${state.operation} is held (${state.held.why}): \`drover resume ${state.operation}\` goes on`);
    const end = await controlCopy(context, {
      ...{ opened, state, signals, requests, waitMs, diskFloor, metrics },
      onEntry: reporter.entry,
      onStatus: reporter.status,
      onTrouble: reporter.trouble,
    });
    reporter.end(end, afterwardsOf(end, commandAt({ journal: words.journal })));
    context.setExitCode(exitCodeOf(end));
  } finally {
    reporter.close();
  }
}

/** The same command, while another process is at it: it is told what is different. Throws CliError where nothing is. */
async function isUnderWay(
  context: Context,
  opened: OpenJournal,
  { operation }: MoveState,
  requests: readonly MoveRequest[],
  words: CopyWords,
): Promise<boolean> {
  const found = await copyController(context, opened.stateDirectory, operation);
  if (found === null || found === 'silent') return false;
  const [request] = requests;
  if (request?.kind !== 'rate') throw underWay(operation, found.pid);
  const { rate } = request;
  if (!(await tellCopy(context, opened, operation, request, ({ status }) => status?.rate === rate))) return false;
  if (words.json) context.stdout.write(`${JSON.stringify({ told: operation, request: 'rate' })}\n`);
  else context.stdout.write(`${operation} is under way (pid ${found.pid}), and goes on ${rateWords(rate)}\n`);
  context.setExitCode(0);
  return true;
}
