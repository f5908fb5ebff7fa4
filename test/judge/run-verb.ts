import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { CliError } from '../../src/cli/context.ts';
import { addJudge } from '../../src/cli/judge.ts';
import { contextInMemory } from '../made/context.ts';

export const header = 'seconds,origin_requests,origin_failures,destination_requests,destination_failures';
export const fixtures = join(import.meta.dirname, 'recorded');

export type Ran = {
  readonly lines: readonly string[];
  readonly exitCode: number | null;
  readonly error: CliError | null;
};

/** `drover judge` in this process, in the folder of the recordings. */
export async function run(args: readonly string[], input: Iterable<string | Uint8Array> | Readable = []): Promise<Ran> {
  const stdin = input instanceof Readable ? input : Readable.from(input, { objectMode: false });
  const { context, told } = contextInMemory({ stdin, directory: fixtures });
  const program = new Command('drover').exitOverride();
  addJudge(program, context);
  let error: CliError | null = null;
  try {
    await program.parseAsync(['judge', ...args], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CliError)) throw thrown;
    error = thrown;
  }
  return { lines: told.text.split('\n').slice(0, -1), exitCode: told.code, error };
}
