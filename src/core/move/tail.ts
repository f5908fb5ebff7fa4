import { endOf, type Position, type SentLine } from './ledger-lines.ts';

/** A batch that stands on the target. */
export type TailBatch = {
  readonly base: number;
  readonly count: number;
  readonly checksum: number;
  /** Written with the producer id that only this copy of this partition has. */
  readonly isOurs: boolean;
  readonly epoch: number;
  /** Its first sequence number. */
  readonly sequence: number;
};

/** What stands at the end of the target's log, from the leader, while its high watermark was the log's end. */
export type Tail = {
  readonly logStart: number;
  readonly logEnd: number;
  /** All that stand in [from, logEnd), in order; the first one may begin below `from`. */
  readonly from: number;
  readonly batches: readonly TailBatch[];
};

/**
 * What the tail says of the lines that were written before each send.
 *
 * - `stands`: the first `count` of the lines are there, the others are not, and nothing else is.
 * - `older`: the target ends before the first of the lines; those before them have to be looked at.
 * - `unlogged`: all lines are there, and batches of ours behind them that no line speaks of.
 * - `damaged`: something else stands where a line says what has to.
 */
export type Finding =
  | { readonly kind: 'stands'; readonly count: number; readonly at: Position; readonly last: TailBatch | null }
  | { readonly kind: 'older' }
  | { readonly kind: 'unlogged'; readonly at: Position; readonly batches: readonly TailBatch[] }
  | { readonly kind: 'damaged'; readonly damage: Damage };

/** What stands where, so that somebody can look at it. */
export type Damage = {
  readonly what: 'foreign' | 'doubled' | 'other-bytes' | 'misplaced';
  /** On the target. */
  readonly offset: number;
  readonly expected: SentLine | null;
  readonly found: TailBatch | null;
};

/**
 * Compares the last lines of the ledger with what stands on the target. `lines` are in order and without gaps on the target; `start` is
 * where the first of all lines had to land, and `isAll` says that there are none before the first given.
 */
export function compareTail(lines: readonly SentLine[], start: Position, isAll: boolean, tail: Tail): Finding {
  const first = lines[0];
  const begin = first?.target ?? start.target;
  if (tail.logEnd < begin) {
    if (!isAll) return { kind: 'older' };
    return damaged('misplaced', tail.logEnd, first ?? null, tail.batches.at(-1) ?? null);
  }
  let at: Position = first === undefined ? start : { source: first.from, target: first.target };
  let last: TailBatch | null = null;
  const batches = tail.batches.filter(({ base, count }) => base + count > begin);
  let index = 0;
  for (const [count, line] of lines.entries()) {
    const end = endOf(line);
    if (end.target <= tail.logStart) {
      // The target has deleted it since: that it stood there is not in doubt, the log begins behind it.
      at = end;
      continue;
    }
    const found = batches[index];
    if (found === undefined) {
      if (tail.logEnd !== line.target) return damaged('misplaced', tail.logEnd, line, null);
      if (count === 0 && !isAll) return { kind: 'older' };
      return { kind: 'stands', count, at, last };
    }
    const wrong = differenceOf(line, found);
    if (wrong !== null) return damaged(wrong, line.target, line, found);
    [at, last] = [end, found];
    index += 1;
  }
  return behind(batches.slice(index), lines, at, last, tail);
}

function behind(
  rest: readonly TailBatch[],
  lines: readonly SentLine[],
  at: Position,
  last: TailBatch | null,
  tail: Tail,
): Finding {
  const [next] = rest;
  if (next === undefined) {
    if (tail.logEnd !== at.target) return damaged('misplaced', tail.logEnd, lines.at(-1) ?? null, null);
    return { kind: 'stands', count: lines.length, at, last };
  }
  if (next.base !== at.target) return damaged('misplaced', next.base, null, next);
  const foreign = rest.find(({ isOurs }) => !isOurs);
  if (foreign !== undefined) return damaged('foreign', foreign.base, null, foreign);
  // The same records may well be sent again and again; a sequence number is given once in an epoch.
  const doubled = rest.find((found, index) => !follows(rest[index - 1] ?? last, found));
  if (doubled !== undefined) return damaged('doubled', doubled.base, null, doubled);
  return { kind: 'unlogged', at, batches: rest };
}

function follows(before: TailBatch | null, batch: TailBatch): boolean {
  if (before === null || batch.epoch > before.epoch) return true;
  return batch.epoch === before.epoch && batch.sequence === sequenceAfter(before.sequence, before.count);
}

/** Sequence numbers are 31 bits wide and begin again at 0. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31;
}

function differenceOf(line: SentLine, found: TailBatch): Damage['what'] | null {
  if (!found.isOurs) return 'foreign';
  if (found.base !== line.target || found.count !== line.count) return 'misplaced';
  return found.checksum === line.checksum ? null : 'other-bytes';
}

function damaged(what: Damage['what'], offset: number, expected: SentLine | null, found: TailBatch | null): Finding {
  return { kind: 'damaged', damage: { what, offset, expected, found } };
}
