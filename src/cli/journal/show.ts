import type { Entry } from '../../core/journal/entry.ts';
import { compareOperations } from '../../core/journal/export.ts';
import { fleetOperation } from '../../core/journal/fleet.ts';
import type { JournalStore } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { lineOf } from './export.ts';
import { inert, sentenceOf } from './sentences.ts';

export type Selection = {
  /** null: all chains. */
  readonly operation: string | null;
  /** Only entries with a greater sequence number. */
  readonly afterSeq: number;
};

const pollMs = 250;

/** Prints entries oldest first, chains merged by time. Throws CliError where the operation does not exist. */
export async function show(
  context: Context,
  journal: JournalStore,
  selection: Selection,
  json: boolean,
): Promise<void> {
  await assertKnown(journal, selection.operation);
  await printNew(context, journal, selection, new Map(), json);
}

/** Like `show`, then goes on with what is appended until the signal aborts or nobody reads it; waits for an operation that does not exist yet. */
export async function follow(
  context: Context,
  journal: JournalStore,
  selection: Selection,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const shown = new Map<string, number>();
  while (!signal.aborted && context.stdout.gone !== true) {
    await printNew(context, journal, selection, shown, json);
    await context.clock.sleep(pollMs, signal);
  }
}

async function assertKnown(journal: JournalStore, operation: string | null): Promise<void> {
  if (operation === null) return;
  const known = (await journal.heads()).map((head) => head.operation).sort(compareOperations);
  if (known.includes(operation)) return;
  throw new CliError(
    `the journal has no operation ${JSON.stringify(operation)}`,
    known.length === 0 ? 'it has no entries yet' : `it has: ${known.join(', ')}`,
  );
}

/** `shown`: the last sequence number printed of each chain; brought up to date. */
async function printNew(
  context: Context,
  journal: JournalStore,
  { operation, afterSeq }: Selection,
  shown: Map<string, number>,
  json: boolean,
): Promise<void> {
  const chains: Entry[][] = [];
  for (const head of await journal.heads()) {
    const last = shown.get(head.operation) ?? afterSeq;
    if ((operation !== null && head.operation !== operation) || head.seq <= last) continue;
    const entries = await journal.read(head.operation, last);
    shown.set(head.operation, entries.at(-1)?.seq ?? last);
    chains.push(entries);
  }
  const paint = paintFor(context);
  for (const entry of merged(chains)) {
    context.stdout.write(json ? `${lineOf(entry)}\n` : `${told(entry, paint)}\n`);
  }
}

/** `2025-11-23T23:55:11.123Z rollout-query-1 17 alice: held by alice: lunch` */
function told({ atMs, operation, seq, actor, body }: Entry, paint: Paint): string {
  const at = paint.dim(timeOf(atMs));
  return `${at} ${paint.cyan(inert(operation))} ${seq} ${inert(actor)}: ${sentenceOf(body)}`;
}

/** A damaged journal may hold a time that no calendar has. */
function timeOf(atMs: number): string {
  const at = new Date(atMs);
  return Number.isNaN(at.getTime()) ? `${atMs} ms` : at.toISOString();
}

/** By time, but never against the order of a chain: clocks step back, sequence numbers do not. */
function merged(chains: readonly (readonly Entry[])[]): Entry[] {
  const ranked = chains.flatMap((entries) => {
    let latestMs = Number.NEGATIVE_INFINITY;
    return entries.map((entry) => {
      latestMs = Math.max(latestMs, entry.atMs);
      return { entry, latestMs };
    });
  });
  return ranked.sort((a, b) => a.latestMs - b.latestMs || compareEntries(a.entry, b.entry)).map(({ entry }) => entry);
}

/** Entries of one moment: an anchor follows what it anchors. */
function compareEntries(a: Entry, b: Entry): number {
  if (a.operation === b.operation) return a.seq - b.seq;
  if (a.operation === fleetOperation) return 1;
  return b.operation === fleetOperation ? -1 : compareOperations(a.operation, b.operation);
}
