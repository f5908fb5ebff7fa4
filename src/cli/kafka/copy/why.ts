import { copyStatus } from '../../../core/move/operation/status.ts';
import type { Context } from '../../context.ts';
import { readJournal } from '../../journal/open.ts';
import type { JournalPlace } from '../../journal/path.ts';
import { isTold, sentenceOf } from '../../journal/sentences.ts';
import { copyNamed } from './copies.ts';
import { stageWords } from './view.ts';

/** What led to where a copy stands, the last cause first. */
export async function whyCopy(
  context: Context,
  name: string,
  words: JournalPlace & { readonly json?: true },
): Promise<void> {
  const journal = await readJournal(context, words);
  try {
    const { state, entries } = await copyNamed(context.world, journal, name);
    const causes = entries.filter(({ body }) => isTold(body)).toReversed();
    if (words.json)
      return void context.stdout.write(
        `${JSON.stringify({ operation: name, stage: state.stage, taken: null, causes, troubles: [] })}\n`,
      );
    const lines = causes.map(
      ({ atMs, seq, body }) => `  ${new Date(atMs).toISOString()}  [${seq}] ${sentenceOf(body)}`,
    );
    context.stdout.write(`${[`${name}: ${stageWords(copyStatus(state, null))}`, ...lines].join('\n')}\n`);
  } finally {
    await journal.close();
  }
}
