import { CliError, type Context } from '../../context.ts';
import { liveBlock } from '../../terminal/live.ts';
import type { Isolation, KafkaSide, PartitionBounds, SideName, TopicSettings } from '../side.ts';
import { comparePartition } from './compare.ts';
import { Feed } from './feed.ts';
import { Progress } from './progress.ts';
import { type PartitionResult, partitionResult, type TopicResult, timeNote, worst } from './result.ts';
import { type Chosen, chooseTopics } from './topics.ts';
import type { Report } from './words.ts';

export type Sides = Readonly<Record<SideName, KafkaSide>>;
export type VerifyOptions = {
  readonly topics: string;
  readonly exclude: string | null;
  readonly isolation: Isolation;
};

/** Reads both sides to the ends that they have now. Throws PortError, CliError, and the signal's reason. */
export async function verify(
  context: Context,
  sides: Sides,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<Report> {
  const chosen = await chooseTopics(sides, options);
  const names = chosen.common.map(({ name }) => name);
  const [source, target] = await Promise.all([
    sides.source.bounds(chosen.common, options.isolation),
    sides.target.bounds(chosen.common, options.isolation),
  ]);
  const settings = {
    source: await sides.source.settings(names),
    target: await sides.target.settings(names),
  };
  const pairs = source.map((bounds) => ({ source: bounds, target: sameOf(target, bounds) }));
  const offsets = [...source, ...target].reduce((sum, { logStart, end }) => sum + end - logStart, 0);
  const progress = new Progress(context.clock, offsets, pairs.length);
  const run = new Run(context, sides, options.isolation, progress, signal);
  const results = await run.compareAll(pairs, settings);
  return reportOf(chosen, results, progress, settings);
}

type Pair = Readonly<Record<SideName, PartitionBounds>>;
type Settings = Readonly<Record<SideName, ReadonlyMap<string, TopicSettings>>>;
type Result = PartitionResult & { readonly topic: string; readonly timeNote: string | null };

/** So many at once: what bounds the memory, and keeps brokers busy while we compute. */
const partitionsAtOnce = 8;
const redrawMs = 500;
const noteMs = 30_000;

class Run {
  readonly #context: Context;
  readonly #sides: Sides;
  readonly #isolation: Isolation;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;

  constructor(context: Context, sides: Sides, isolation: Isolation, progress: Progress, signal: AbortSignal) {
    this.#context = context;
    this.#sides = sides;
    this.#isolation = isolation;
    this.#progress = progress;
    this.#signal = signal;
  }

  async compareAll(pairs: readonly Pair[], settings: Settings): Promise<Result[]> {
    // Standard output is for the result.
    const live = liveBlock(this.#context.stderr, this.#context.clock);
    const isTerminal = this.#context.stderr.terminal !== null;
    const timer = setInterval(
      () => (isTerminal ? live.show([this.#progress.line()]) : live.note(this.#progress.line())),
      isTerminal ? redrawMs : noteMs,
    );
    const results: Result[] = [];
    const waiting = [...pairs];
    const work = async () => {
      for (let pair = waiting.shift(); pair !== undefined; pair = waiting.shift()) {
        const result = await this.#compare(pair, settings);
        results.push(result);
        this.#progress.partitionsDone += 1;
        if (result.verdict !== 'equal') live.note(`${result.topic}-${result.partition}: ${result.verdict}`);
      }
    };
    try {
      await Promise.all(Array.from({ length: partitionsAtOnce }, work));
      if (isTerminal) live.show([this.#progress.line()]);
    } finally {
      // One that failed ends the others at their next record.
      waiting.length = 0;
      clearInterval(timer);
      live.close();
    }
    return results;
  }

  async #compare(pair: Pair, settings: Settings): Promise<Result> {
    const { topic } = pair.source;
    const open = (side: SideName) => {
      const { partition, logStart, end } = pair[side];
      const wanted = { topic, partition, from: logStart, to: end, isolation: this.#isolation };
      const records = this.#sides[side].records(wanted);
      return new Feed(pair[side], records, (read) => this.#progress.add(read), this.#signal);
    };
    const compared = await comparePartition(open);
    const ofTopic = { source: settings.source.get(topic) ?? null, target: settings.target.get(topic) ?? null };
    return { topic, ...partitionResult(compared, ofTopic), timeNote: timeNote(compared) };
  }
}

function sameOf(bounds: readonly PartitionBounds[], { topic, partition }: PartitionBounds): PartitionBounds {
  const found = bounds.find((one) => one.topic === topic && one.partition === partition);
  if (found === undefined)
    throw new CliError(`${topic}-${partition} of the target is gone`, 'was the topic deleted just now?');
  return found;
}

function reportOf(chosen: Chosen, results: readonly Result[], progress: Progress, settings: Settings): Report {
  const topics: TopicResult[] = chosen.common.map(({ name }) => {
    const own = results.filter(({ topic }) => topic === name).toSorted((one, other) => one.partition - other.partition);
    const verdict = worst(own.map((one) => one.verdict));
    const times = new Set(own.flatMap(({ timeNote: note }) => note ?? []));
    const unknown = sideNames.filter((side) => settings[side].get(name) === null);
    const policy = unknown.map(
      (side) =>
        `whether it is compacted on the ${side} is not known: kafka-acls --operation DescribeConfigs would tell`,
    );
    const begun = own.filter(({ source }) => source.logStart > 0).length;
    const earlier =
      begun === 0
        ? []
        : [`what ${begun} of its partitions had before their log start on the source is in no comparison`];
    const partitions = own.map(({ topic: _, timeNote: __, ...result }) => result);
    return {
      topic: name,
      verdict,
      partitions,
      notes: [...times, ...earlier, ...(verdict === 'different' ? policy : [])],
    };
  });
  const { lacking, uneven } = chosen;
  const isUneven = lacking.length + uneven.length > 0;
  const verdict = isUneven ? 'different' : worst(topics.map((one) => one.verdict));
  return { verdict, topics, lacking, uneven, bytes: progress.bytes, elapsedMs: progress.elapsedMs };
}

const sideNames: readonly SideName[] = ['source', 'target'];
