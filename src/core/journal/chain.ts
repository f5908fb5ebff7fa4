import { canonicalJson } from './canonical.ts';
import type { Entry, EventBody, Head, Sha256 } from './entry.ts';

/** An entry before it has its place in a chain. */
export type Draft<Body extends EventBody = EventBody> = {
  readonly body: Body;
  readonly actor: string;
  readonly atMs: number;
  readonly rules: number;
};

/**
 * Gives drafts their places behind `head`: sequence numbers, links and hashes. The head that comes back is the one to expect
 * after the entries are appended. Throws CanonicalJsonError for a body that JSON cannot carry, with the place of the problem.
 */
export function seal<Body extends EventBody>(
  head: Head,
  drafts: readonly Draft<Body>[],
  sha256: Sha256,
): { readonly entries: Entry<Body>[]; readonly head: Head } {
  const { operation } = head;
  const entries: Entry<Body>[] = [];
  let { seq, hash: previous } = head;
  for (const { body, actor, atMs, rules } of drafts) {
    if (!Number.isSafeInteger(atMs)) throw new RangeError(`an entry's time must be whole milliseconds, not ${atMs}`);
    seq += 1;
    const unsealed = { operation, seq, previous, rules, atMs, actor, body };
    const hash = sha256(canonicalJson(unsealed));
    entries.push({ ...unsealed, hash });
    previous = hash;
  }
  return { entries, head: { operation, seq, hash: previous } };
}

/** What `hash` must be: the SHA-256 of the canonical JSON of every other field. Throws CanonicalJsonError. */
export function hashOf(entry: Entry, sha256: Sha256): string {
  const { operation, seq, previous, rules, atMs, actor, body } = entry;
  return sha256(canonicalJson({ operation, seq, previous, rules, atMs, actor, body }));
}
