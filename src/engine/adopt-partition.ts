import {
  type Adopted,
  Adoption,
  type AdoptionBounds,
  type AdoptionRefusal,
  type ProvenLine,
  type SourceItem,
  type StandingBatch,
} from '../core/move/adoption.ts';
import type { Position } from '../core/move/ledger-lines.ts';

/** Both sides of one partition, from their beginnings to ends that were known before. Throws PortError. */
export type AdoptionSides = {
  /** Null: the end. `goneTo` not null: up to there it was deleted while it was read. */
  readonly source: {
    next(): Promise<{ readonly items: readonly SourceItem[]; readonly goneTo: number | null } | null>;
  };
  readonly target: {
    next(): Promise<{ readonly batches: readonly StandingBatch[]; readonly goneTo: number | null } | null>;
  };
  /** The last batches of the target. */
  readonly tail: readonly StandingBatch[];
};

/** What is proven is written down at once, so that memory does not grow with the partition. `begin`: of the whole ledger. */
export type AdoptedLines = { append(proven: ProvenLine, begin: Position): void };

export type PartitionAdopted =
  | { readonly kind: 'proven'; readonly adopted: Adopted }
  | { readonly kind: 'refused'; readonly refusal: AdoptionRefusal };

/** Reads both sides once. Writes to neither. Throws PortError, the signal's reason, and what `lines` throws. */
export async function adoptPartition(
  sides: AdoptionSides,
  bounds: AdoptionBounds & { readonly sourceEnd: number },
  lines: AdoptedLines,
  signal: AbortSignal,
): Promise<PartitionAdopted> {
  const adoption = new Adoption(bounds, sides.tail);
  const standing = new Standing(sides.target);
  let begin: Position | null = null;
  for (let piece = await sides.source.next(); piece !== null; piece = await sides.source.next()) {
    signal.throwIfAborted();
    if (piece.goneTo !== null) return deletedMeanwhile('source', piece.goneTo);
    for (const item of piece.items) {
      if (adoption.wantsTarget) adoption.standing(await standing.next());
      if (standing.goneTo !== null) return deletedMeanwhile('target', standing.goneTo);
      const proven = adoption.source(item);
      begin ??= beginOf(proven);
      if (begin !== null) for (const line of proven) lines.append(line, begin);
    }
    if (adoption.refusal !== null) break;
  }
  if (adoption.wantsTarget) adoption.standing(await standing.next());
  if (standing.goneTo !== null) return deletedMeanwhile('target', standing.goneTo);
  const adopted = adoption.ended(bounds.sourceEnd);
  if (adopted !== null) return { kind: 'proven', adopted };
  if (adoption.refusal === null) throw new Error('an adoption came to no end');
  return { kind: 'refused', refusal: adoption.refusal };
}

/** Of the first lines that are proven; null: none is yet. */
function beginOf(proven: readonly ProvenLine[]): Position | null {
  const first = proven[0]?.line;
  const sent = proven.map(({ line }) => line).find((line) => line.kind === 'sent');
  return first === undefined || sent === undefined ? null : { source: first.from, target: sent.target };
}

function deletedMeanwhile(side: 'source' | 'target', to: number): PartitionAdopted {
  const place = side === 'source' ? { source: to, target: null } : { source: null, target: to };
  const words = `the ${side} has deleted offsets before ${to} while they were read`;
  return { kind: 'refused', refusal: { kind: 'deleted-meanwhile', ...place, words } };
}

/** Batches of the target, one after the other. */
class Standing {
  readonly #target: AdoptionSides['target'];
  #here: StandingBatch[] = [];
  goneTo: number | null = null;

  constructor(target: AdoptionSides['target']) {
    this.#target = target;
  }

  /** Null: the end. */
  async next(): Promise<StandingBatch | null> {
    while (this.#here.length === 0) {
      const piece = await this.#target.next();
      if (piece === null) return null;
      this.goneTo ??= piece.goneTo;
      this.#here = [...piece.batches];
    }
    return this.#here.shift() ?? null;
  }
}
