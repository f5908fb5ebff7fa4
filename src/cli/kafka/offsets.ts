import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type Counterpart, Counterparts } from '../../core/move/counterparts.ts';
import type { Left } from '../../core/move/ledger-lines.ts';
import type { MoveState } from '../../core/move/operation/state.ts';
import { commandAt } from '../command-at.ts';
import { CliError, type Context } from '../context.ts';
import { journalOption, lookIntoJournal } from '../journal/open.ts';
import type { JournalPlace } from '../journal/path.ts';
import { harmless } from '../terminal/text.ts';
import { copiesOf } from './copy/copies.ts';
import { partitionKey } from './copy/world.ts';
import type { SideName } from './side.ts';

type Words = JournalPlace & {
  readonly of: SideName;
  readonly copy?: string;
  readonly file?: string;
  readonly json?: true;
};

/** `drover kafka offsets`: where records of one side are on the other, by the ledger of a copy. Asks no cluster. */
export function addOffsets(kafka: Command, context: Context): void {
  kafka
    .command('offsets')
    .description('where records of one side are on the other, by the ledger of a copy; asks no cluster')
    .argument('[TOPIC:PARTITION:OFFSET...]', 'offsets of one side')
    .addOption(new Option('--of <SIDE>', 'whose offsets these are').choices(['source', 'target']).default('source'))
    .option('--file <FILE>', 'more of them, one a line')
    .option('--copy <NAME>', 'the copy that is meant, where several are of the same topic')
    .option(...journalOption)
    .option('--json', 'one JSON object a line (docs/reference/kafka-offsets.md)')
    .addHelpText('after', examples)
    .action((places: string[], words: Words) => offsets(context, places, words));
}

const examples = `
An offset that has no counterpart is told with the reason, and with the next one that has: there whoever would have read
it next goes on.
Exit status: 0 each has a counterpart, 1 an error, 2 one has none.

Examples:
  drover kafka offsets orders:0:1234
  drover kafka offsets --of target orders:0:1200 orders:1:77
  drover kafka offsets --file committed.txt --json
`;

type Asked = { readonly topic: string; readonly partition: number; readonly offset: number };

async function offsets(context: Context, places: readonly string[], words: Words): Promise<void> {
  const asked = [...places, ...linesOf(context, words.file)].map(askedOf);
  if (asked.length === 0) throw new CliError('no offset was given', 'such as orders:0:1234, or --file FILE');
  const { journal, stateDirectory } = await lookIntoJournal(context, words);
  try {
    const copies = (await copiesOf(context.world, journal)).map(({ state }) => state);
    const maps = new Map<string, Counterparts>();
    let isWhole = true;
    for (const one of asked) {
      const map = mapOf(context, stateDirectory, copies, one, words, maps);
      const found = words.of === 'source' ? map.targetOf(one.offset) : map.sourceOf(one.offset);
      isWhole &&= found.kind === 'there';
      context.stdout.write(
        words.json ? `${JSON.stringify(rowOf(one, words.of, found))}\n` : `${harmless(lineOf(one, words.of, found))}\n`,
      );
    }
    context.setExitCode(isWhole ? 0 : 2);
  } finally {
    await journal?.close();
  }
}

function linesOf(context: Context, file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    const text = readFileSync(resolve(context.directory, file), 'utf8');
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function askedOf(text: string): Asked {
  const [, topic, partition, offset] = /^([\w.-]+):(\d{1,9}):(\d{1,15})$/.exec(text) ?? [];
  if (topic === undefined)
    throw new CliError(`${JSON.stringify(text)} is no offset`, 'TOPIC:PARTITION:OFFSET, such as orders:0:1234');
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/** While a copy is not over, so many of its last batches may be on their way. */
const inFlightMax = 32;

function mapOf(
  context: Context,
  stateDirectory: string,
  copies: readonly MoveState[],
  { topic, partition }: Asked,
  words: Words,
  maps: Map<string, Counterparts>,
): Counterparts {
  const name = `${topic}-${partition}`;
  const known = maps.get(name);
  if (known !== undefined) return known;
  const state = copyOf(copies, topic, words);
  const key = partitionKey(state.plan, topic, partition, state.targetIds[topic] ?? '');
  const ledger = key === null ? null : context.world.readLedger(stateDirectory, topic, key);
  if (ledger === null)
    throw new CliError(`${state.operation} has no ledger of ${name}`, 'it has not copied anything of it yet');
  const map = new Counterparts(ledger.begin, state.stage.kind === 'copied' ? 0 : inFlightMax);
  for (const line of ledger.lines) map.add(line);
  maps.set(name, map);
  return map;
}

/** The newest copy of the topic. Those of other clusters, or of a topic that was made anew, are other ones: then one has to be named. */
function copyOf(copies: readonly MoveState[], topic: string, { copy, ...place }: Words): MoveState {
  const found = copies.filter(({ plan, operation }) => {
    return plan.topics.some(({ name }) => name === topic) && (copy === undefined || operation === copy);
  });
  const last = found.at(-1);
  if (last === undefined)
    throw new CliError(
      `no copy${copy === undefined ? '' : ` ${copy}`} of ${topic} was begun here`,
      `\`${commandAt(place)('kafka status')}\` shows those that there are`,
    );
  const pairs = new Set(
    found.map((state) => JSON.stringify(partitionKey(state.plan, topic, 0, state.targetIds[topic] ?? ''))),
  );
  if (pairs.size > 1)
    throw new CliError(
      `there are copies of ${topic} between other clusters, or of another topic of that name`,
      `say which one is meant with --copy: ${found.map(({ operation }) => operation).join(', ')}`,
    );
  return last;
}

function rowOf({ topic, partition, offset }: Asked, of: SideName, found: Counterpart) {
  const counterpart = found.kind === 'there' ? found.offset : null;
  const next = found.kind === 'there' ? found.offset : found.next;
  const why = found.kind === 'left-out' ? found.why : found.kind === 'there' ? null : found.kind;
  const confirmed = found.kind === 'there' ? found.isConfirmed : null;
  return { topic, partition, of, offset, counterpart, next, why, confirmed };
}

function lineOf({ topic, partition, offset }: Asked, of: SideName, found: Counterpart): string {
  const other = of === 'source' ? 'target' : 'source';
  const place = `${topic}-${partition}: ${of} ${offset}`;
  switch (found.kind) {
    case 'there':
      return `${place} is ${other} ${found.offset}${found.isConfirmed ? '' : ' (the copy is not over: it may be on its way)'}`;
    case 'left-out':
      return `${place} has no counterpart (${reasons[found.why]}); the next one is ${other} ${found.next}`;
    case 'before':
      return `${place} lies before the copy begins, at ${other} ${found.next}`;
    case 'not-yet':
      return `${place} has not been copied yet; the next one is ${other} ${found.next}`;
  }
}

const reasons: Readonly<Record<Left, string>> = {
  control: 'the marker of a transaction',
  aborted: 'its transaction was aborted',
  hole: 'there is no record: compaction, or a marker that was removed',
  'below-log-start': 'the source had deleted it before it was read',
  'not-asked': 'it was not asked for',
};
