import { codeOf } from '../../../io/kafka/messages/error-codes.ts';
import { type Seen, type Stored, seenOf } from './stored.ts';

type State = { readonly epoch: number; readonly known: readonly Known[]; readonly newestMs: number };
type Known = { readonly first: number; readonly last: number; readonly base: number };

export type Verdict =
  | { readonly kind: 'new' }
  | { readonly kind: 'duplicate'; readonly base: number; readonly end: number }
  | { readonly kind: 'refused'; readonly code: number };

/**
 * What a replica remembers of producers, as measured on real brokers: the last five batches of each, by their sequence numbers and
 * not by their bytes; it ages by the time of the records, and after a restart only the newest batch of each is known.
 */
export class Producers {
  #states = new Map<bigint, State>();

  judge(seen: Seen): Verdict {
    const state = this.#states.get(seen.producerId);
    if (state === undefined) return { kind: 'new' };
    if (seen.epoch < state.epoch) return { kind: 'refused', code: codeOf('INVALID_PRODUCER_EPOCH') };
    if (seen.epoch > state.epoch) return seen.firstSequence === 0 ? { kind: 'new' } : outOfOrder;
    const same = state.known.find(({ first, last }) => first === seen.firstSequence && last === seen.lastSequence);
    if (same !== undefined) return { kind: 'duplicate', base: same.base, end: same.base + seen.count };
    const last = state.known.at(-1);
    return last === undefined || seen.firstSequence === (last.last + 1) % 2 ** 31 ? { kind: 'new' } : outOfOrder;
  }

  note({ bytes, base }: Stored): void {
    const seen = seenOf(bytes);
    if (seen === null) return;
    const before = this.#states.get(seen.producerId);
    const known = before?.epoch === seen.epoch ? before.known : [];
    const now = { first: seen.firstSequence, last: seen.lastSequence, base };
    this.#states.set(seen.producerId, {
      epoch: seen.epoch,
      known: [...known, now].slice(-5),
      newestMs: seen.maxTimestamp,
    });
  }

  /** The check that comes now and then. */
  expire(nowMs: number, expirationMs: number): void {
    for (const [id, { newestMs }] of this.#states) if (nowMs - newestMs >= expirationMs) this.#states.delete(id);
  }

  restart(nowMs: number, expirationMs: number): void {
    this.expire(nowMs, expirationMs);
    for (const [id, state] of this.#states) this.#states.set(id, { ...state, known: state.known.slice(-1) });
  }

  /** After a truncation: what the log says. */
  rebuild(batches: readonly Stored[], nowMs: number, expirationMs: number): void {
    this.#states = new Map();
    for (const batch of batches) this.note(batch);
    this.expire(nowMs, expirationMs);
  }
}

const outOfOrder: Verdict = { kind: 'refused', code: codeOf('OUT_OF_ORDER_SEQUENCE_NUMBER') };
