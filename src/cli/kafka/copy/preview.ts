import { quoted } from '../../command-at.ts';
import { CliError, type Context } from '../../context.ts';
import type { CopyPreview } from '../copy-preview/preview.ts';
import { previewText } from '../copy-preview/words.ts';
import { previewCopy } from '../copy-preview.ts';
import type { SideName } from '../side.ts';
import type { CopyOptions, CopyWords } from './options.ts';
import { chosenTopics, ledgersOf, type PlanningSides, type References } from './plan-copy.ts';

export type PreviewGiven = {
  readonly sides: PlanningSides;
  readonly references: References;
  readonly options: CopyOptions;
  readonly words: CopyWords;
  readonly stateDirectory: string;
};

/** `--dry-run`: all that can be known before a byte moves; nothing is changed. */
export async function dryRun(context: Context, given: PreviewGiven): Promise<void> {
  const preview = await previewed(context, given, appendRateMs);
  context.stdout.write(given.words.json ? `${JSON.stringify({ preview })}\n` : `${previewText(preview)}\n`);
  context.setExitCode(preview.obstacles.length > 0 ? 2 : 0);
}

/** Throws CliError where something stands in the way that is known already: disks, rights, listeners that cannot be reached. */
export async function refuseObstacles(context: Context, given: PreviewGiven): Promise<CopyPreview> {
  const preview = await previewed(context, given, 0);
  const { obstacles } = preview;
  if (obstacles.length > 0)
    throw new CliError(
      `nothing was copied, because something is in the way:\n${obstacles.map((line) => `  ${line}`).join('\n')}`,
      'the same command with --dry-run tells all that can be known before a byte moves',
    );
  return preview;
}

/** So long apart are the two looks that tell how fast the source grows. */
const appendRateMs = 3000;

async function previewed(context: Context, given: PreviewGiven, readingsApartMs: number): Promise<CopyPreview> {
  const { sides, references, options, words, stateDirectory } = given;
  const facts = await chosenTopics(sides.source, options);
  const topics = facts.map(({ name }) => name);
  const there = await sides.target.topics(topics);
  const { isOurs } = ledgersOf(context, references, facts, there, stateDirectory);
  const { from, replicationFactor, rate } = options;
  const { clock } = context;
  return await previewCopy(sides, {
    ...{ topics, from, replicationFactor, rate, isOurs, readingsApartMs },
    reach: { source: reachWords('source', words), target: reachWords('target', words) },
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms) => clock.sleep(ms, new AbortController().signal),
    },
  });
}

/** What `kafka-acls` needs to reach a side. */
function reachWords(side: SideName, words: CopyWords): string {
  const file = words[`${side}Config`];
  const config = file === undefined ? '' : ` --command-config ${quoted(file)}`;
  return `--bootstrap-server ${quoted(words[side])}${config}`;
}
