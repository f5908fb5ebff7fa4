import type { Command } from 'commander';
import { PortError } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';
import { journalOption, lookIntoJournal } from '../journal/open.ts';
import { requirePlace, writePage } from '../judge/write-page.ts';
import { untilInterrupted } from '../terminal/interruption.ts';
import { harmless } from '../terminal/text.ts';
import { ask, askOrTell, findCopy } from './prove/gather.ts';
import { type ProveWords, reachOf } from './prove/options.ts';
import { proofPage } from './prove/page.ts';
import { prove } from './prove/prove.ts';
import type { Proof } from './prove/result.ts';
import { proofLines } from './prove/words.ts';
import type { ProofSide } from './prove/world.ts';
import { withReachRemedy } from './reach-remedy.ts';
import type { SideName } from './side.ts';

/** `drover kafka prove`: that a copy of ours stands on the target, by its journal, its ledger and the target's disks. */
export function addProve(kafka: Command, context: Context): void {
  kafka
    .command('prove')
    .description('prove a copy by its ledger: each batch is read back from the target; writes nothing')
    .argument('[COPY]', 'default: the last one')
    .option('--source <BOOTSTRAP>', 'where the source is reached now (default: as the copy was told)')
    .option('--target <BOOTSTRAP>', 'the same of the target')
    .option('--source-config <FILE>', "what Kafka's tools take as --command-config (default: as the copy was told)")
    .option('--target-config <FILE>', 'the same for the target')
    .option('--max-rate <RATE>', 'how fast each broker is read, such as 60MB/s (default: as fast as it answers)')
    .option('--html <FILE>', 'a page for people as well, complete in itself')
    .option(...journalOption)
    .option('--json', 'one object (docs/reference/kafka-prove.md)')
    .addHelpText('after', examples)
    .action(async (name: string | undefined, words: ProveWords) => {
      const interruption = untilInterrupted();
      try {
        await proveAndTell(context, name, words, interruption.signal);
      } finally {
        interruption.release();
      }
    });
}

const examples = `
At any time during a copy or after it. One that is under way goes on, and is proven as far as it was settled.
Reading needs the operations Read, Describe and DescribeConfigs on the topics of the target, and of the
source for batches that had to be made anew.
Exit status: 0 proven, 1 error, 2 something is wrong, 3 nothing is known to be wrong, and not all can be proven.

Examples:
  drover kafka prove
  drover kafka prove copy-1 --html proof.html --max-rate 60MB/s
  drover kafka prove copy-1 --json | jq '.topics[].partitions[].findings[]'
`;

async function proveAndTell(
  context: Context,
  name: string | undefined,
  words: ProveWords,
  signal: AbortSignal,
): Promise<void> {
  // Before anything is read: that may take hours.
  if (words.html !== undefined) await requirePlace(context, words.html, '-');
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new CliError('interrupted: nothing is proven')));
  });
  interrupted.catch(() => undefined);
  const work = withReachRemedy(() => proven(context, name, words, signal));
  // After an interruption nobody waits for what it comes to.
  work.catch(() => undefined);
  const proof = await Promise.race([work, interrupted]);
  if (words.html !== undefined) await writePage(context, words.html, proofPage(proof));
  if (words.json) context.stdout.write(`${JSON.stringify(proof)}\n`);
  else for (const line of proofLines(proof)) context.stdout.write(`${harmless(line)}\n`);
  context.setExitCode(({ proven: 0, wrong: 2, unprovable: 3 } as const)[proof.verdict]);
}

async function proven(
  context: Context,
  name: string | undefined,
  words: ProveWords,
  signal: AbortSignal,
): Promise<Proof> {
  const { journal, stateDirectory } = await lookIntoJournal(context, words);
  const sides: ProofSide[] = [];
  const closeAll = () => Promise.all(sides.splice(0).map((side) => side.close()));
  signal.addEventListener('abort', () => void closeAll());
  try {
    const found = await findCopy(context, journal, stateDirectory, name);
    const { state } = found;
    const open = (side: SideName) => {
      const opened = context.world.openProofSide(reachOf(side, state.plan[side], words));
      sides.push(opened);
      for (const note of opened.notes) context.stderr.write(`${harmless(note)}\n`);
      return opened;
    };
    const source = await askOrTell(() => open('source'), state);
    if ('trouble' in source) context.stderr.write(`${harmless(`the source cannot be asked: ${source.trouble}`)}\n`);
    const target = await ask(open('target'), 'target', state);
    return await prove(context, { found, stateDirectory, source, target }, signal);
  } catch (error) {
    if (signal.aborted && error instanceof PortError) throw new CliError('interrupted: nothing is proven');
    throw error;
  } finally {
    await closeAll();
    await journal?.close();
  }
}
