import { commonTopics, isSameCopy, type PlannedTopic } from '../../../core/move/operation/plan.ts';
import type { MoveState } from '../../../core/move/operation/state.ts';
import { quoted } from '../../command-at.ts';
import { CliError, type Context } from '../../context.ts';
import type { CopyPreview } from '../copy-preview/preview.ts';
import { previewText } from '../copy-preview/words.ts';
import { previewCopy } from '../copy-preview.ts';
import type { SideName } from '../side.ts';
import { setAsideOn } from './copies.ts';
import { askedBy, type CopyOptions, type CopyWords } from './options.ts';
import { type AdoptedLooks, chosenTopics, ledgersOf, type PlanningSides, type References } from './plan-copy.ts';

export type PreviewGiven = {
  readonly sides: PlanningSides;
  readonly references: References;
  readonly options: CopyOptions;
  readonly words: CopyWords;
  readonly stateDirectory: string;
  /** Copies that have not ended. */
  readonly open: readonly MoveState[];
  readonly adopted: AdoptedLooks;
};

/** `--dry-run`: all that can be known before a byte moves; nothing is changed. */
export async function dryRun(context: Context, given: PreviewGiven): Promise<void> {
  const seen = await previewed(context, given, appendRateMs);
  const { references, options } = given;
  // The same command would go on with its own.
  const open = given.open.filter(({ plan }) => !isSameCopy(plan, { ...references, asked: askedBy(options) }));
  const topics = seen.topics.map(({ plan }) => ({ name: plan.topic }));
  const preview = { ...seen, obstacles: [...seen.obstacles, ...othersAt(open, references, topics)] };
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

/** A partition has one writer: who else is at these topics. */
export function othersAt(
  open: readonly MoveState[],
  { target }: References,
  topics: readonly Pick<PlannedTopic, 'name'>[],
): string[] {
  return open.flatMap(({ operation, plan }) => {
    const common = commonTopics(plan, { target, topics });
    return common.length === 0
      ? []
      : [
          `${operation} is unfinished, and copies ${common.join(', ')} already: go on with it by its own command or with \`drover resume ${operation}\`, or end it: \`drover abort ${operation}\``,
        ];
  });
}

/** So long apart are the two looks that tell how fast the source grows. */
const appendRateMs = 3000;

async function previewed(context: Context, given: PreviewGiven, readingsApartMs: number): Promise<CopyPreview> {
  const { sides, references, options, words, stateDirectory, open, adopted } = given;
  const facts = await chosenTopics(sides.source, options);
  const topics = facts.map(({ name }) => name);
  const there = await sides.target.topics(topics);
  const { isOurs } = ledgersOf(context, references, facts, there, stateDirectory, adopted);
  const { from, replicationFactor, rate, copiesAcls } = options;
  const { clock } = context;
  return await previewCopy(sides, {
    ...{ topics, from, replicationFactor, rate, isOurs, readingsApartMs, copiesAcls },
    setAside: setAsideOn(open, references.target.clusterId),
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
