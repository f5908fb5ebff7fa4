import type { Entry, Sha256 } from './entry.ts';
import { type Finding, nameOf, shortHash } from './finding.ts';

/** What a chain carries of a block of samples: plain SHA-256 of its UTF-8 text, so that any tool can check it. */
export function sampleHash(samples: string, sha256: Sha256): string {
  return sha256(samples);
}

/** An entry rests on a block of samples by a field `samples: { block, hash }` of its body. */
export type SampleReference = {
  readonly operation: string;
  readonly seq: number;
  readonly block: string;
  readonly hash: string;
};

export function sampleReferences(entries: readonly Entry[]): SampleReference[] {
  return entries.flatMap(({ operation, seq, body }) => {
    const { samples } = body as { readonly samples?: unknown };
    if (typeof samples !== 'object' || samples === null || !('block' in samples) || !('hash' in samples)) return [];
    const { block, hash } = samples;
    return typeof block === 'string' && typeof hash === 'string' ? [{ operation, seq, block, hash }] : [];
  });
}

/** `samples` is what the store has under the block's name; null, because blocks may be pruned, is no finding. */
export function verifySamples(
  { operation, seq, block, hash }: SampleReference,
  samples: string | null,
  sha256: Sha256,
): 'intact' | 'pruned' | Finding {
  if (samples === null) return 'pruned';
  const actual = sampleHash(samples, sha256);
  if (actual === hash) return 'intact';
  const message =
    `${nameOf(operation, seq)}: its samples (block ${block}) were changed after it was written ` +
    `(hash ${shortHash(actual)}, expected ${shortHash(hash)})`;
  return { kind: 'samples', operation, seq, message };
}
