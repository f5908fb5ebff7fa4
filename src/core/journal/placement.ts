import { hashOf } from './chain.ts';
import type { Entry, Sha256 } from './entry.ts';
import { type Anchor, anchorOf, fleetOperation } from './fleet.ts';

/** An entry as it was found: `index` is its place in the file, `actual` the hash of its content (null: JSON cannot carry it). */
export type Seen = {
  readonly entry: Entry;
  readonly index: number;
  readonly actual: string | null;
  /** The content is what the stored hash says. */
  readonly intact: boolean;
};

/** One chain, taken apart: who stands at which sequence number, and what the fleet chain says about it. */
export type Chain = {
  readonly operation: string;
  readonly slots: Map<number, Seen[]>;
  /** By the sequence number that is anchored; with the number of the fleet's entry that says so. */
  readonly anchors: Map<number, AnchorClaim[]>;
};
export type AnchorClaim = { readonly hash: string; readonly by: number };

type Position = { readonly operation: string; readonly seq: number };

/**
 * Sorts entries into chains. An intact entry stands where it says. One whose content does not match its hash may say anything,
 * so the others tell where it belongs: whoever names its hash as the entry before, then whoever has the hash that it names.
 */
export function placeEntries(entries: readonly Entry[], sha256: Sha256): Chain[] {
  const seen = entries.map((entry, index) => inspect(entry, index, sha256));
  const chains = new Map<string, Chain>();
  const intact = seen.filter((each) => each.intact);
  for (const each of intact) put(chains, each.entry, each);
  for (const { entry } of intact) {
    const anchor = entry.operation === fleetOperation ? anchorOf(entry.body) : null;
    if (anchor !== null) addAnchor(chains, anchor, entry.seq);
  }
  if (intact.length < seen.length) placeDamaged(chains, seen);
  return [...chains.values()];
}

function inspect(entry: Entry, index: number, sha256: Sha256): Seen {
  const actual = hashOrNull(entry, sha256);
  return { entry, index, actual, intact: actual === entry.hash };
}

/** JSON text can say what canonical JSON cannot (half a surrogate pair): such content was never sealed. */
function hashOrNull(entry: Entry, sha256: Sha256): string | null {
  try {
    return hashOf(entry, sha256);
  } catch {
    return null;
  }
}

function placeDamaged(chains: Map<string, Chain>, seen: readonly Seen[]): void {
  const claimed = new Map<string, Position>();
  const known = new Map<string, Position>();
  for (const { operation, anchors } of chains.values()) {
    for (const [seq, claims] of anchors) for (const { hash } of claims) claimed.set(hash, { operation, seq });
  }
  for (const { entry, intact } of seen) {
    if (!intact) continue;
    known.set(entry.hash, entry);
    if (entry.seq > 1) claimed.set(entry.previous, { operation: entry.operation, seq: entry.seq - 1 });
  }
  for (const each of seen) if (!each.intact) put(chains, positionOf(each, claimed, known), each);
}

function positionOf(
  { entry, actual }: Seen,
  claimed: ReadonlyMap<string, Position>,
  known: ReadonlyMap<string, Position>,
): Position {
  const byHash = claimed.get(entry.hash) ?? (actual === null ? undefined : claimed.get(actual));
  if (byHash !== undefined) return byHash;
  const before = known.get(entry.previous);
  return before === undefined ? entry : { operation: before.operation, seq: before.seq + 1 };
}

function put(chains: Map<string, Chain>, { operation, seq }: Position, each: Seen): void {
  const { slots } = chainOf(chains, operation);
  const occupants = slots.get(seq);
  if (occupants === undefined) slots.set(seq, [each]);
  else occupants.push(each);
}

function addAnchor(chains: Map<string, Chain>, { operation, seq, hash }: Anchor, by: number): void {
  const { anchors } = chainOf(chains, operation);
  const claims = anchors.get(seq);
  if (claims === undefined) anchors.set(seq, [{ hash, by }]);
  else claims.push({ hash, by });
}

function chainOf(chains: Map<string, Chain>, operation: string): Chain {
  const known = chains.get(operation);
  if (known !== undefined) return known;
  const chain: Chain = { operation, slots: new Map(), anchors: new Map() };
  chains.set(operation, chain);
  return chain;
}
