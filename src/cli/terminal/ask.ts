import { createInterface } from 'node:readline/promises';
import { CliError, type Context } from '../context.ts';

/** What a person types after `question`. A terminal that is closed in the middle is no answer. Throws CliError. */
export async function ask(
  context: Context,
  question: string,
  withoutTerminal: string,
  interrupted?: AbortSignal,
): Promise<string> {
  if (context.stdout.terminal === null) throw new CliError('without a terminal nobody can be asked', withoutTerminal);
  const reader = createInterface({ input: context.stdin, output: process.stdout });
  const closed = new Promise<never>((_, reject) => {
    reader.once('close', () => reject(new CliError('there was no answer, and nothing was done', withoutTerminal)));
  });
  try {
    return (
      await Promise.race([reader.question(question, interrupted === undefined ? {} : { signal: interrupted }), closed])
    ).trim();
  } finally {
    closed.catch(() => undefined);
    reader.close();
  }
}
