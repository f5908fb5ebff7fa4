import { dirname } from 'node:path';
import { hasMoveEnded } from '../../../core/move/operation/state.ts';
import { commandAt } from '../../command-at.ts';
import { CliError, type Context } from '../../context.ts';
import { rolloutsOf, unfinished } from '../../journal/history.ts';
import { lookIntoJournal, readJournal } from '../../journal/open.ts';
import { type JournalPlace, journalPath } from '../../journal/path.ts';
import { untilInterrupted } from '../../terminal/interruption.ts';
import { copiesOf, copyNamed, isCopyName, openCopies } from './copies.ts';
import type { CopyAnswer } from './messages.ts';
import { afterwardsOf, type CopyReporter, copyReporter } from './reporter.ts';
import { copyController } from './sockets.ts';

type Words = JournalPlace & { readonly json?: true };

/** The copy that is to be watched: by its name, or the only one that is not over where no rollout is under way. Null: none is meant. */
export async function watchedCopy(context: Context, place: JournalPlace, name: string | undefined) {
  if (name !== undefined && !isCopyName(name))
    throw new CliError(
      `${name} is no copy`,
      'copies are called copy-1, copy-2 and so on; the running rollout is watched without a name',
    );
  if (name !== undefined) return name;
  const { journal } = await lookIntoJournal(context, place).catch(() => ({ journal: null }));
  try {
    // What of the journal cannot be read is told by whoever watches the rollout.
    const open = openCopies(await copiesOf(context.world, journal).catch(() => []));
    if (open.length === 0) return null;
    const rollouts = unfinished(await rolloutsOf(context.world, journal, null).catch(() => []));
    if (rollouts.length > 0) return null;
    if (open.length === 1) return open[0]?.operation ?? null;
    throw new CliError(
      'more than one copy is not over',
      `name one: ${open.map(({ operation }) => operation).join(', ')}`,
    );
  } finally {
    await journal?.close();
  }
}

/** A copy as its controller shows it, from anywhere else. Ends with the controller. Reads only. */
export async function watchCopy(context: Context, operation: string, words: Words): Promise<void> {
  const stateDirectory = dirname(journalPath(context, words));
  const journal = await readJournal(context, words);
  const reporter = copyReporter(context, words.json === true);
  const interruption = untilInterrupted();
  const isLeft = () => interruption.signal.aborted || context.stdout.gone === true;
  try {
    let { length: seen } = (await copyNamed(context.world, journal, operation)).entries;
    const tellTroubles = troubles(reporter);
    while (!isLeft()) {
      const found = await copyController(context, stateDirectory, operation);
      // What a controller has written before it ended is told too.
      for (const entry of await journal.read(operation, seen)) {
        reporter.entry(entry);
        seen = entry.seq;
      }
      if (found === null) return await tellEnd(context, operation, words, reporter);
      tellTroubles(found);
      if (found !== 'silent' && found.status !== null) reporter.status(found.status);
      await context.clock.sleep(pollMs, interruption.signal);
    }
  } finally {
    reporter.close();
    interruption.release();
    await journal.close();
  }
}

const pollMs = 1000;

/** Each is told when it begins, and when it is over. */
function troubles(reporter: CopyReporter): (found: CopyAnswer | 'silent') => void {
  let before: string | null = null;
  return (found) => {
    const now = found === 'silent' ? silence : (found.trouble ?? found.refusal);
    if (now !== before) reporter.trouble(now ?? 'that is over');
    before = now;
  };
}

const silence = 'the controller listens and does not answer: nothing moves once its lease is over';

async function tellEnd(context: Context, operation: string, words: Words, reporter: CopyReporter): Promise<void> {
  const journal = await readJournal(context, words);
  try {
    const { state } = await copyNamed(context.world, journal, operation);
    const isOver = hasMoveEnded(state);
    const end = { kind: isOver ? 'ended' : 'stopped', state, isHeldBack: false } as const;
    if (!isOver) reporter.note(`no controller of ${operation} is running`);
    reporter.end(end, [`${operation} is ${state.stage.kind}`, ...afterwardsOf(end, commandAt(words))]);
  } finally {
    await journal.close();
  }
}
