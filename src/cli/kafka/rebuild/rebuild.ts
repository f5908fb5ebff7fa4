import type { MoveRequest } from '../../../core/move/operation/observation.ts';
import { partitionName } from '../../../core/move/operation/plan.ts';
import { CliError, type Context } from '../../context.ts';
import { ask } from '../../terminal/ask.ts';
import { whole } from '../../terminal/figures.ts';
import { harmless } from '../../terminal/text.ts';
import { packageVersion } from '../../version.ts';
import type { AdoptionSide } from '../adopt/world.ts';
import { type CopyOptions, type CopyWords, reachOf } from '../copy/options.ts';
import { keyOf, type PlanningSides, type References } from '../copy/plan-copy.ts';
import type { PartitionBounds } from '../side.ts';
import { Progress } from '../verify/progress.ts';
import { shownProgress } from '../verify/shown-progress.ts';

export type RebuildGiven = {
  readonly sides: PlanningSides;
  readonly references: References;
  readonly options: CopyOptions;
  readonly words: CopyWords;
  /** Of the target, by the copy that has written it; null: it would be another one that is begun now. */
  readonly expectedId: string | null;
};

export type RebuildRequest = Extract<MoveRequest, { kind: 'rebuild' }>;

/**
 * Reads every batch of a topic of the target, and asks whether it may be deleted. Nothing is changed. `nothing there`: it is made as any other;
 * `not agreed`: it was shown, and nobody has agreed. Throws CliError where a batch is not ours, or a group has committed on it; PortError.
 */
export async function rebuildRequest(
  context: Context,
  topic: string,
  given: RebuildGiven,
  signal: AbortSignal,
): Promise<RebuildRequest | 'nothing there' | 'not agreed'> {
  const { sides, options, words, expectedId } = given;
  if (!options.isChosen(topic))
    throw new CliError(
      `--rebuild ${topic}: --topics ${options.topics} does not name it`,
      'give it the name of one topic',
    );
  const [[origin], [there]] = await Promise.all([sides.source.topics([topic]), sides.target.topics([topic])]);
  if (origin === undefined)
    throw new CliError(`--rebuild ${topic}: the source has no such topic: nothing could be copied`);
  if (there === undefined) return 'nothing there';
  const { topicId } = there;
  // By its name alone the one that is made could not be told from the one that was deleted, nor its ledger from the old one.
  if (topicId === null)
    throw new CliError(
      `--rebuild ${topic}: the target tells no ids of topics, as before Kafka 2.8, and nothing was done`,
      `delete it there with kafka-topics, and its ledgers with it: ${topic}.* in copies/ beside the journal; the same command without --rebuild copies it anew`,
    );
  if (expectedId !== null && expectedId !== topicId)
    throw new CliError(`--rebuild ${topic}: the target has another topic of that name by now (its id is ${topicId})`);
  const reach = { ...reachOf('target', words, packageVersion()), rate: options.rate };
  const side = context.world.openAdoptionSide(reach);
  try {
    const groups = [...new Set((await side.groupsCommittedOn([topic])).map(({ group }) => group))];
    if (groups.length > 0)
      throw new CliError(
        `--rebuild ${topic}: groups have committed offsets on it, and nothing was done: ${groups.join(', ')}`,
        `kafka-consumer-groups --delete-offsets --topic ${topic} --group … on the target, if they are to begin anew`,
      );
    const bounds = await side.bounds([there], 'read_uncommitted');
    if (bounds.every(({ highWatermark }) => highWatermark === 0)) return 'nothing there';
    const keyFor = (partition: number) => keyOf(given.references, origin, there, partition);
    const foreign = await foreignBatches(context, side, bounds, keyFor, signal);
    if (foreign.length > 0)
      throw new CliError(
        [
          `--rebuild ${topic}: not all of it is ours, and nothing was done:`,
          ...foreign.map((line) => `  ${line}`),
        ].join('\n'),
        'whoever has written that may need it; to give it up all the same delete the topic with kafka-topics',
      );
    if (!(await isAgreed(context, topic, bounds, words, signal))) return 'not agreed';
    const ends = bounds.map(({ partition, highWatermark: logEnd }) => ({ partition, logEnd }));
    const { replicationFactor } = there;
    return { kind: 'rebuild', by: context.user, reason: null, topic, topicId, replicationFactor, ends };
  } finally {
    await side.close();
  }
}

/** The first one of each partition, for people. */
async function foreignBatches(
  context: Context,
  side: AdoptionSide,
  bounds: readonly PartitionBounds[],
  keyFor: (partition: number) => Parameters<AdoptionSide['batches']>[1],
  signal: AbortSignal,
): Promise<string[]> {
  const offsets = bounds.reduce((sum, { logStart, highWatermark }) => sum + highWatermark - logStart, 0);
  const progress = new Progress(context.clock, offsets, bounds.length);
  const shown = shownProgress(context, progress);
  const found: string[] = [];
  try {
    for (const { topic, partition, logStart: from, highWatermark: to } of bounds) {
      const reader = side.batches({ topic, partition, from, to }, keyFor(partition));
      let read = from;
      for (let piece = await reader.next(); piece !== null; piece = await reader.next()) {
        signal.throwIfAborted();
        progress.add({ offsets: piece.next - read, records: 0, bytes: piece.bytes });
        read = piece.next;
        const other = piece.batches.find(({ isOurs }) => !isOurs);
        if (other === undefined) continue;
        const { base, records, producer } = other;
        const place = partitionName({ topic, partition });
        found.push(
          `${place}: the batch at offset ${base} (${whole(records)} records), of ${producer === null || producer === '-1' ? 'a producer without an id' : `producer ${producer}`}`,
        );
        break;
      }
      progress.partitionsDone += 1;
    }
  } finally {
    shown.close();
  }
  return found;
}

async function isAgreed(
  context: Context,
  topic: string,
  bounds: readonly PartitionBounds[],
  { json, yes }: CopyWords,
  signal: AbortSignal,
): Promise<boolean> {
  const { stdout, stderr } = context;
  const partitions = bounds.map(({ partition, logStart, highWatermark: logEnd }) => ({ partition, logStart, logEnd }));
  const offsets = partitions.reduce((sum, { logStart, logEnd }) => sum + logEnd - logStart, 0);
  if (json) stdout.write(`${JSON.stringify({ rebuild: { topic, partitions } })}\n`);
  else
    stdout.write(
      `${harmless(`${topic} is deleted on the target and made anew, with its settings: ${whole(offsets)} offsets in ${whole(partitions.length)} partitions, all of them written by this copy. They are copied once more, as far as the source still has them.`)}\n`,
    );
  if (yes) return true;
  if (stdout.terminal === null || json) {
    stderr.write('drover: nothing was done: --yes agrees to what is shown\n');
    context.setExitCode(2);
    return false;
  }
  const reply = await ask(context, 'Delete it? Type its name: ', 'add --yes', signal);
  if (reply !== topic) throw new CliError('nothing was done: that is not its name');
  return true;
}
