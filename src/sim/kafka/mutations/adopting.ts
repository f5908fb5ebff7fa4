import type { SourceItem, StandingBatch } from '../../../core/move/adoption.ts';
import type { AdoptionView } from '../adopting.ts';

/** Batches are the same where they have as many records. */
export function byCount({ items, batches, tail }: AdoptionView): AdoptionView {
  const blank = { checksum: 0, firstMs: 0 };
  const anyOf = (all: readonly StandingBatch[]) => all.map((batch) => ({ ...batch, ...blank, isOurs: true }));
  const sources = items.map((item): SourceItem => (item.kind === 'batch' ? { ...item, ...blank } : item));
  // So few places fit by their counts alone that none would be adopted.
  return { items: sources, batches: anyOf(batches), tail: tail.slice(0, 0) };
}
