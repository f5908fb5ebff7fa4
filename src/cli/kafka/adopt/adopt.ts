import type { AdoptionRefusal } from '../../../core/move/adoption.ts';
import { type AdoptedPart, partitionName } from '../../../core/move/operation/plan.ts';
import type { TopicFacts } from '../../../core/move/topic-facts.ts';
import { adoptPartition, type PartitionAdopted } from '../../../engine/adopt-partition.ts';
import { CliError, type Context } from '../../context.ts';
import { packageVersion } from '../../version.ts';
import { type CopyOptions, type CopyWords, reachOf } from '../copy/options.ts';
import {
  type AdoptedLooks,
  chosenTopics,
  keyOf,
  ledgersOf,
  noLooks,
  type PlanningSides,
  type References,
} from '../copy/plan-copy.ts';
import type { PartitionKey } from '../copy/world.ts';
import type { PartitionBounds, SideName } from '../side.ts';
import { Progress } from '../verify/progress.ts';
import { shownProgress } from '../verify/shown-progress.ts';
import { adoptionLines, remedyOf } from './words.ts';
import type { AdoptedLedger, AdoptionSide } from './world.ts';

export type AdoptGiven = {
  readonly sides: PlanningSides;
  readonly references: References;
  readonly options: CopyOptions;
  readonly words: CopyWords;
  readonly stateDirectory: string;
  /** Only looked at: no ledger is made. */
  readonly isDryRun: boolean;
};

/** What came of one partition; a JSON value. */
export type AdoptionResult = {
  readonly topic: string;
  readonly partition: number;
  /** Null: it is refused. */
  readonly proven: (AdoptedPart & { readonly begin: AdoptedPart['end']; readonly madeAnew: number }) | null;
  readonly refusal: AdoptionRefusal | null;
};

/** Ledgers that were made, and are not in their places yet. */
export type Adoptions = { readonly looks: AdoptedLooks; discard(): void };

export const noAdoptions: Adoptions = { looks: noLooks, discard: () => undefined };

/**
 * Of each partition of the target that holds batches and has no ledger here, a ledger: where each of its batches is proven to be the next one of
 * the source. Reads both sides once, and writes to neither. Throws CliError where one is not proven, and then none is made; PortError.
 */
export async function adopt(context: Context, given: AdoptGiven, signal: AbortSignal): Promise<Adoptions> {
  const work = await workOf(context, given);
  if (work.length === 0) {
    context.stderr.write('drover: --adopt: every partition of the target that holds records has its ledger here\n');
    return noAdoptions;
  }
  const [source, target] = (['source', 'target'] as const).map((side) => openSide(context, given, side));
  if (source === undefined || target === undefined) throw new Error('an adoption has two sides');
  const ledgers: AdoptedLedger[] = [];
  const discard = () => {
    for (const ledger of ledgers) ledger.discard();
  };
  try {
    const results = await adoptAll(context, given, { source, target, work, ledgers }, signal);
    tell(context, given.words, results);
    const refused = results.flatMap(({ refusal }) => (refusal === null ? [] : [refusal]));
    if (refused.length > 0)
      throw new CliError('what stands on the target is not proven, and nothing was written', remedyOf(refused));
    return { looks: looksOf(results), discard };
  } catch (error) {
    discard();
    throw error;
  } finally {
    await Promise.all([source.close(), target.close()]);
  }
}

type Work = { readonly facts: Facts; readonly bounds: PartitionBounds; readonly key: PartitionKey };
type Facts = { readonly source: TopicFacts; readonly target: TopicFacts };

/** Partitions that hold batches and have no ledger here. */
async function workOf(context: Context, given: AdoptGiven): Promise<Work[]> {
  const { sides, references, options, stateDirectory } = given;
  const chosen = await chosenTopics(sides.source, options);
  const there = await sides.target.topics(chosen.map(({ name }) => name));
  const ledgers = ledgersOf(context, references, chosen, there, stateDirectory, noLooks);
  return (await sides.target.bounds(there)).flatMap((bounds) => {
    const { topic, partition, logStart, highWatermark } = bounds;
    const source = chosen.find(({ name }) => name === topic);
    const target = there.find(({ name }) => name === topic);
    if (source === undefined || target === undefined || partition >= source.partitions) return [];
    if (highWatermark === logStart || ledgers.of(topic, partition) !== null) return [];
    return [{ facts: { source, target }, bounds, key: keyOf(references, source, target, partition) }];
  });
}

function openSide(context: Context, { options, words }: AdoptGiven, side: SideName): AdoptionSide {
  return context.world.openAdoptionSide({ ...reachOf(side, words, packageVersion()), rate: options.rate });
}

type Opened = {
  readonly source: AdoptionSide;
  readonly target: AdoptionSide;
  readonly work: readonly Work[];
  readonly ledgers: AdoptedLedger[];
};

async function adoptAll(
  context: Context,
  given: AdoptGiven,
  opened: Opened,
  signal: AbortSignal,
): Promise<readonly AdoptionResult[]> {
  const { source, work } = opened;
  const startedMs = context.clock.monotonic();
  const sourceBounds = await source.bounds(topicsOf(work, 'source'), 'read_committed');
  const boundsOf = ({ bounds: { topic, partition } }: Work) =>
    sourceBounds.find((one) => one.topic === topic && one.partition === partition);
  const offsets = work.reduce((sum, one) => sum + lengthOf(boundsOf(one)), 0);
  const progress = new Progress(context.clock, offsets, work.length);
  const shown = shownProgress(context, progress);
  const results: AdoptionResult[] = [];
  const waiting = [...work];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [one, bounds] = [next, boundsOf(next)];
      if (bounds === undefined) continue;
      results.push(await adoptOne(context, given, opened, { one, bounds, progress }, signal));
      progress.partitionsDone += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: partitionsAtOnce }, worker));
    if (results.some(({ refusal }) => refusal !== null)) return inOrder(results);
    const restMs = lateMsMax - (context.clock.monotonic() - startedMs);
    if (restMs > 0) {
      shown.note(`proven; waiting ${Math.ceil(restMs / 1000)} s for what another copy may still have on the way`);
      await context.clock.sleep(restMs, signal);
    }
    signal.throwIfAborted();
    return await stillAsRead(opened, inOrder(results));
  } finally {
    // One that failed ends the others when they look for the next.
    waiting.length = 0;
    shown.close();
  }
}

/** What bounds the memory: each holds some answers of both sides. */
const partitionsAtOnce = 4;

/** A request that was given up may be performed for so long: who has sent it is not known. */
const lateMsMax = 30_000;

type Reading = { readonly one: Work; readonly bounds: PartitionBounds; readonly progress: Progress };

async function adoptOne(
  context: Context,
  { stateDirectory, isDryRun }: AdoptGiven,
  { source, target, ledgers }: Opened,
  { one, bounds, progress }: Reading,
  signal: AbortSignal,
): Promise<AdoptionResult> {
  const { key, bounds: there } = one;
  const { topic, partition } = there;
  const whole = { topic, partition, from: there.logStart, to: there.highWatermark };
  const batches = target.batches({ ...whole, from: Math.max(whole.from, whole.to - tailOffsets) }, key);
  const tail = [];
  for (let piece = await batches.next(); piece !== null; piece = await batches.next()) tail.push(...piece.batches);
  const items = source.items({ topic, partition, from: bounds.logStart, to: bounds.end });
  let read = bounds.logStart;
  const watched = {
    async next() {
      const piece = await items.next();
      if (piece === null) return null;
      progress.add({ offsets: piece.next - read, records: 0, bytes: piece.bytes });
      read = piece.next;
      return piece;
    },
  };
  const ledger = isDryRun ? null : context.world.openAdoptedLedger(stateDirectory, topic, key);
  if (ledger !== null) ledgers.push(ledger);
  const result = await adoptPartition(
    { source: watched, target: target.batches(whole, key), tail },
    { targetStart: there.logStart, sourceStart: bounds.logStart, sourceEnd: bounds.end },
    {
      append(proven, begin) {
        progress.records += proven.line.kind === 'sent' ? proven.line.count : 0;
        ledger?.append(proven, begin);
      },
    },
    signal,
  );
  if (result.kind === 'proven') ledger?.finish(result.adopted.epoch);
  progress.add({ offsets: Math.max(0, bounds.end - read), records: 0, bytes: 0 });
  return { topic, partition, ...resultOf(result) };
}

/** The place where the target ends is told from others by the batches of its last offsets. */
const tailOffsets = 64;

function resultOf(result: PartitionAdopted): Pick<AdoptionResult, 'proven' | 'refusal'> {
  if (result.kind === 'refused') return { proven: null, refusal: result.refusal };
  const { begin, end, batches, madeAnew, records } = result.adopted;
  return { proven: { begin, end, batches, madeAnew, records }, refusal: null };
}

/** Nobody has written to the target meanwhile, and both sides are the topics that were read. */
async function stillAsRead(
  { source, target, work }: Opened,
  results: readonly AdoptionResult[],
): Promise<readonly AdoptionResult[]> {
  await requireSame(source, 'source', work);
  await requireSame(target, 'target', work);
  const now = await target.bounds(topicsOf(work, 'target'), 'read_uncommitted');
  return results.map((result) => {
    const isThere = (one: PartitionBounds) => one.topic === result.topic && one.partition === result.partition;
    const [before, after] = [work.find(({ bounds }) => isThere(bounds))?.bounds, now.find(isThere)];
    if (before === undefined || before.highWatermark === after?.highWatermark) return result;
    const words = `the target ended at ${before.highWatermark} when it was read, and ends at ${after?.highWatermark ?? 'nothing'} now: somebody writes to it`;
    const place = { target: before.highWatermark, source: null };
    return { ...result, proven: null, refusal: { kind: 'written-meanwhile', ...place, words } };
  });
}

async function requireSame(side: AdoptionSide, name: SideName, work: readonly Work[]): Promise<void> {
  const facts = topicsOf(work, name);
  const now = await side.topics(facts.map((one) => one.name));
  const other = facts.find((one) => now.find(({ name: same }) => same === one.name)?.topicId !== one.topicId);
  if (other !== undefined)
    throw new CliError(`${other.name} was deleted on the ${name} while it was read, or made anew: nothing was written`);
}

function topicsOf(work: readonly Work[], side: SideName): readonly TopicFacts[] {
  return [...new Map(work.map(({ facts }) => [facts[side].name, facts[side]])).values()];
}

function lengthOf(bounds: PartitionBounds | undefined): number {
  return bounds === undefined ? 0 : bounds.end - bounds.logStart;
}

function inOrder(results: readonly AdoptionResult[]): readonly AdoptionResult[] {
  return results.toSorted((one, other) =>
    one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1,
  );
}

function looksOf(results: readonly AdoptionResult[]): AdoptedLooks {
  return new Map(results.flatMap((one) => (one.proven === null ? [] : [[partitionName(one), one.proven] as const])));
}

function tell({ stdout }: Context, { json }: CopyWords, results: readonly AdoptionResult[]): void {
  if (json) stdout.write(`${JSON.stringify({ adoption: results })}\n`);
  else for (const line of adoptionLines(results)) stdout.write(`${line}\n`);
}
