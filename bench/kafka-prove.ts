import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../test/integration/kafka/lab/cluster.ts';
import { type Program, start } from '../test/integration/kafka/lab/running.ts';
import type { Bench, Say } from './frame/bench.ts';
import { describeSpread, ratiosOf, spreadOf } from './frame/spread.ts';
import { table } from './frame/table.ts';
import { fill } from './kafka/fill.ts';
import { type Lab, labVersion, openLab } from './kafka/lab.ts';
import { rows } from './kafka/rows.ts';

const main = join(import.meta.dirname, '..', 'src', 'main.ts');
const verbs = ['prove', 'verify'] as const;
type Verb = (typeof verbs)[number];
type Run = { readonly seconds: number; readonly bytes: number };

/** How fast a copy is proven, beside comparing both sides record by record. */
export const bench: Bench = {
  about: '`kafka prove` beside `kafka verify` of the same copy: seconds of a whole run, and what is read for it',
  options: {
    runs: { about: 'of each', otherwise: 3 },
    megabytes: { about: 'of records, before compression', otherwise: 500 },
  },
  cases: rows.map(({ name }) => name),
  run: async (asked, say) => {
    const lab = await openLab();
    const directory = await mkdtemp(join(tmpdir(), 'drover-bench-prove-'));
    try {
      say(`two clusters of one broker each, Apache Kafka ${labVersion}; seconds by the verb's own clock`);
      const names = asked.cases.length === rows.length ? ['none-64', 'lz4-64', 'zstd-64'] : asked.cases;
      for (const row of rows.filter(({ name }) => names.includes(name))) {
        const bytes = await fill(lab.source, row, row.name, asked.number('megabytes') * 1e6, 1);
        await drover(lab, directory, 'copy', row.name, ['--yes']);
        const found: Record<Verb, Run[]> = { prove: [], verify: [] };
        for (let turn = 0; turn < asked.number('runs'); turn++)
          for (const verb of turn % 2 === 0 ? verbs : verbs.toReversed())
            found[verb].push(await drover(lab, directory, verb, row.name, []));
        sayTable(`${row.name}, ${(bytes / 1e6).toFixed(0)} MB of records`, found, say);
      }
      return [];
    } finally {
      await rm(directory, { recursive: true });
      await lab.close();
    }
  },
};

function sayTable(title: string, found: Readonly<Record<Verb, readonly Run[]>>, say: Say): void {
  const lines = verbs.map((verb) => {
    const spread = (of: (run: Run) => number) => describeSpread(spreadOf(found[verb].map(of)));
    const read = spread(({ bytes }) => bytes / 1e6);
    return [verb, spread(({ seconds }) => seconds), read, spread(({ bytes, seconds }) => bytes / 1e6 / seconds)];
  });
  const turns = found.prove.map(({ seconds }, turn) => ({ ours: found.verify[turn]?.seconds ?? 0, theirs: seconds }));
  say(`\n${title}\n${table(['verb', 'seconds', 'MB read', 'MB/s'], lines)}`);
  say(`a proof takes ${describeSpread(ratiosOf(turns))} times less time`);
}

/** Runs it to its end. Throws where it finds that anything is wrong. */
async function drover(
  { source, target }: Lab,
  directory: string,
  verb: Verb | 'copy',
  topic: string,
  more: readonly string[],
): Promise<Run> {
  const sides = ['--source', source.bootstrap(), '--target', target.bootstrap(), '--topics', topic];
  const journal = ['--journal', join(directory, 'journal.db')];
  const words = { copy: [...sides, ...journal], prove: journal, verify: sides }[verb];
  const text = await printedBy(source, ['kafka', verb, ...words, '--json', ...more]);
  const { elapsedMs = 0, bytes = 0 } = JSON.parse(text.trim().split('\n').at(-1) ?? '{}');
  return { seconds: elapsedMs / 1000, bytes };
}

async function printedBy({ environment }: Cluster, words: readonly string[]): Promise<string> {
  const program: Program = { name: `drover ${words[1]}`, path: process.execPath, args: [main, ...words], environment };
  return (await start(program, { timeLimitMs: 600_000 }).ended).stdout;
}
