import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Context, World } from '../../src/cli/context.ts';
import { buildProgram } from '../../src/cli/program.ts';

/** What a verb has written to standard output, and the exit status that it has set; null: none, as of one that throws. */
export type Told = { text: string; code: number | null };

type Given = Partial<Omit<Context, 'world'>> & {
  readonly world?: Partial<World>;
  /** Width of the terminal; without it, it is none. */
  readonly columns?: number | undefined;
};

/** A context in memory; a verb that touches anything else of the world than what is given fails. */
export function contextInMemory({ world = {}, columns, ...given }: Given): {
  readonly context: Context;
  readonly told: Told;
} {
  const told: Told = { text: '', code: null };
  const stdout = {
    write: (more: string) => {
      told.text += more;
    },
    terminal: columns === undefined ? null : { columns, rows: 50 },
  };
  const setExitCode = (code: number) => {
    told.code = code;
  };
  const context = { stdout, env: {}, setExitCode, ...given, world: world as World };
  return { context: context as Partial<Context> as Context, told };
}

/** Runs `drover` with these words in such a context. */
export async function runDrover(words: readonly string[], given: Given): Promise<Told> {
  const { context, told } = contextInMemory(given);
  await buildProgram(context).parseAsync(words, { from: 'user' });
  return told;
}

/** An empty directory for each test of the file that asks for it. */
export function directoryForEach(): { readonly path: string } {
  let path = '';
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'drover-test-'));
  });
  afterEach(() => rm(path, { recursive: true }));
  return {
    get path() {
      return path;
    },
  };
}
