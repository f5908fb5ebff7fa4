import type { Item } from '../reader/source-items.ts';

type Fate = { readonly isAborted: boolean; readonly from: number; endedAt: number | null };

/**
 * What the source said of the transactions whose markers had not come yet. A broker tells of a batch whether its transaction was aborted,
 * long before its marker is fetched. If the marker is lost in an unclean election, then the transaction may end in another way.
 */
export class TransactionFates {
  readonly #of = new Map<bigint, Fate>();

  /** Says what contradicts what was said before; null: nothing. In the order of offsets; the same ones may come again. */
  note(item: Item): string | null {
    const { transaction, from } = item;
    if (transaction === null) {
      // Where something is missing a marker may have been.
      if (item.kind === 'left') this.#of.clear();
      return null;
    }
    const { producerId, end } = transaction;
    const isAborted = end === null ? item.kind === 'left' : end === 'abort';
    let fate = this.#of.get(producerId);
    if (fate !== undefined && fate.endedAt !== null && fate.endedAt < from) fate = undefined;
    if (fate !== undefined && fate.isAborted !== isAborted) return contradiction(producerId, fate, from);
    if (fate !== undefined) fate.endedAt = end === null ? fate.endedAt : from;
    else if (end === null) this.#of.set(producerId, { isAborted, from, endedAt: null });
    else this.#of.delete(producerId);
    return null;
  }

  /** What began there, or behind, is not known any more. */
  forgetFrom(source: number): void {
    for (const [producerId, fate] of this.#of) {
      if (fate.from >= source) this.#of.delete(producerId);
      else if (fate.endedAt !== null && fate.endedAt >= source) fate.endedAt = null;
    }
  }

  /** What ended before is of no use any more. */
  settle(source: number): void {
    for (const [producerId, { endedAt }] of this.#of)
      if (endedAt !== null && endedAt < source) this.#of.delete(producerId);
  }
}

function contradiction(producerId: bigint, { isAborted, from }: Fate, at: number): string {
  const [before, now] = isAborted ? ['aborted', 'committed'] : ['committed', 'aborted'];
  const copied = isAborted ? 'was left out' : 'was copied';
  return (
    `the transaction of producer ${producerId} was ${before} when it ${copied} from offset ${from} on, and is ${now} ` +
    `by what stands at ${at}: the source has lost its marker`
  );
}
