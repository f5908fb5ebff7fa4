import { type Entry, emptyHead, type Sha256 } from './entry.ts';
import {
  compareFindings,
  doesNotFollow,
  edited,
  type Finding,
  impossible,
  inserted,
  missing,
  moved,
  notFirst,
  replaced,
  wrongAnchors,
} from './finding.ts';
import { outOfOrder } from './order.ts';
import { type AnchorClaim, type Chain, placeEntries, type Seen } from './placement.ts';

/**
 * Names every entry that was edited, replaced, removed, inserted or moved, and every anchor of the fleet chain that does not
 * match. `entries` are those of any number of chains, in the order in which they stand. The links are followed from the newest
 * entry to the oldest, because each entry vouches for the one before. Nothing vouches for the newest entry of a chain but an
 * anchor, or a head kept elsewhere (`verifyHead`): a cut tail, or a chain rewritten as a whole, shows against these only.
 */
export function verifyChain(entries: readonly Entry[], sha256: Sha256): Finding[] {
  const chains = followLinks(entries, sha256);
  return chains.flatMap(({ findings, genuine }) => [...findings, ...misplaced(genuine)]).sort(compareFindings);
}

export type FollowedChain = {
  readonly operation: string;
  readonly findings: readonly Finding[];
  /** The entries that are what was written, by sequence number. */
  readonly genuine: readonly Seen[];
};

/** What the links and anchors tell of each chain, wherever its entries stand. */
export function followLinks(entries: readonly Entry[], sha256: Sha256): FollowedChain[] {
  return placeEntries(entries, sha256).map(followOne);
}

/** Of entries in the order in which they should stand, those that do not. */
export function misplaced(genuine: readonly Seen[]): Finding[] {
  const places = genuine.map((each) => each.index);
  return outOfOrder(places).flatMap((place) => genuine.slice(place, place + 1).map(({ entry }) => moved(entry)));
}

/** null: one of the entries has this hash (its first digits are enough), so its chain still leads to the head that was kept. */
export function verifyHead(entries: readonly Entry[], head: string): Finding | null {
  if (entries.some((entry) => entry.hash.startsWith(head))) return null;
  const message =
    `head ${head}: no entry has this hash: the end of a chain was cut off, or the chain was written anew, after this head ` +
    'was noted. The entries behind it are lost here; look for an export or a copy of the journal that still has them';
  return { kind: 'head', operation: '', seq: 0, message };
}

/** What the entry above says about the one below. */
type Claim = {
  readonly hash: string;
  readonly by: number;
  /** The one who says it is itself vouched for: in a disagreement the entry below is wrong. */
  readonly vouched: boolean;
};

function followOne(chain: Chain): FollowedChain {
  const { operation, slots, anchors } = chain;
  const findings: Finding[] = [];
  const genuine: Seen[] = [];
  const seqs = [...new Set([...slots.keys(), ...anchors.keys()])].sort((a, b) => b - a);
  let above = (seqs[0] ?? 0) + 1;
  let claim: Claim | null = null;
  let anchoredBelow: number | null = null;
  for (const seq of seqs) {
    const occupants = slots.get(seq);
    if (occupants === undefined) {
      anchoredBelow = seq;
      continue;
    }
    if (seq < above - 1) {
      findings.push(missing(operation, anchorAt(anchors, anchoredBelow), seq + 1, above - 1));
      claim = null;
    }
    anchoredBelow = null;
    above = seq;
    const anchor = anchors.get(seq)?.[0] ?? null;
    const chosen = choose(occupants, claim?.hash ?? anchor?.hash ?? null, slots.get(seq - 1) ?? []);
    for (const other of occupants)
      if (other !== chosen) findings.push(inserted(operation, seq, other.entry, chosen.entry));
    const verdict = examine(operation, seq, chosen, claim, anchor);
    for (const finding of verdict.findings) findings.push(finding);
    for (const wrong of wrongAnchors(chosen.entry, unmatched(chosen, anchors.get(seq) ?? []))) findings.push(wrong);
    claim = verdict.claim;
    if (chosen.intact) genuine.push(chosen);
  }
  if (above > 1) findings.push(missing(operation, anchorAt(anchors, anchoredBelow), 1, above - 1));
  return { operation, findings, genuine: genuine.reverse() };
}

function anchorAt(anchors: Chain['anchors'], seq: number | null): { readonly seq: number; readonly by: number } | null {
  const by = seq === null ? undefined : anchors.get(seq)?.[0]?.by;
  return seq === null || by === undefined ? null : { seq, by };
}

/** Of several entries with one number, the one that the chain leads to; else the first one that continues the chain. */
function choose(occupants: readonly Seen[], expected: string | null, below: readonly Seen[]): Seen {
  const leads = (each: Seen) => each.entry.hash === expected || each.actual === expected;
  const hashesBelow = new Set(below.map((lower) => lower.entry.hash));
  const continues = (each: Seen) => hashesBelow.has(each.entry.previous);
  const chosen =
    (expected === null ? undefined : (occupants.find((each) => each.intact && leads(each)) ?? occupants.find(leads))) ??
    occupants.find((each) => each.intact && continues(each)) ??
    occupants.find((each) => each.intact) ??
    occupants[0];
  if (chosen === undefined) throw new Error('a sequence number without an entry was placed');
  return chosen;
}

/** What is wrong with this entry, and what it says about the one below (null: its word does not count). */
function examine(
  operation: string,
  seq: number,
  { entry, actual, intact }: Seen,
  claim: Claim | null,
  anchor: AnchorClaim | null,
): { readonly findings: readonly Finding[]; readonly claim: Claim | null } {
  if (!intact) return { findings: [edited(operation, seq, entry, actual, claim?.hash)], claim: null };
  if (seq < 1) return { findings: [impossible(entry)], claim: null };
  const below: Claim = { hash: entry.previous, by: seq, vouched: false };
  if (claim !== null && claim.hash !== entry.hash) {
    return claim.vouched
      ? { findings: [replaced(entry, claim)], claim: null }
      : { findings: [doesNotFollow(entry, claim)], claim: below };
  }
  if (seq === 1 && entry.previous !== emptyHead(operation).hash) return { findings: [notFirst(entry)], claim: null };
  return { findings: [], claim: { ...below, vouched: claim !== null || anchor?.hash === entry.hash } };
}

/** An edited entry that still carries the hash that is anchored has been named already; so has a hash that was edited. */
function unmatched({ entry, actual }: Seen, claims: readonly AnchorClaim[]): readonly AnchorClaim[] {
  return claims.filter((claim) => claim.hash !== entry.hash && claim.hash !== actual);
}
