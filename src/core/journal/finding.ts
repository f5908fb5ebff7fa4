import type { Entry } from './entry.ts';
import { fleetOperation } from './fleet.ts';

/**
 * Something about a journal that cannot have come from writing it. `seq` is the entry that is named, the first one of a range.
 * `unreadable`: the store or a line of an export (`seq` is its number) does not hold an entry. `anchor`: the fleet chain knows
 * the chain differently. `samples`: a block is not the one that the entry rests on. `head`: nothing leads to a head that was
 * kept elsewhere. `operation` is empty where none can be told.
 */
export type Finding = {
  readonly kind:
    | 'edited'
    | 'replaced'
    | 'removed'
    | 'inserted'
    | 'moved'
    | 'anchor'
    | 'samples'
    | 'head'
    | 'unreadable';
  readonly operation: string;
  readonly seq: number;
  readonly message: string;
};

/** How every finding begins: `operation rollout-query-1, entry 17`. */
export function nameOf(operation: string, seq: number): string {
  return `operation ${operation}, entry ${seq}`;
}

/** Enough of a hash to compare by eye. */
export function shortHash(hash: string): string {
  return hash.length <= 12 ? hash : `${hash.slice(0, 12)}…`;
}

export function compareFindings(a: Finding, b: Finding): number {
  if (a.operation !== b.operation) return a.operation < b.operation ? -1 : 1;
  return a.seq - b.seq;
}

/** `hash` is that of the entry before, according to entry `by`. */
export type SaidBefore = { readonly hash: string; readonly by: number };
/** `hash` is what entry `by` of the fleet chain says. */
export type SaidByFleet = { readonly hash: string; readonly by: number };

/** `operation` and `seq` are where the entry belongs, whatever it says itself; `actual` is the hash of its content. */
export function edited(
  operation: string,
  seq: number,
  entry: Entry,
  actual: string | null,
  expected: string | undefined,
): Finding {
  const name = nameOf(operation, seq);
  if (actual !== null && actual === expected) {
    const hashes = `hash ${shortHash(entry.hash)}, expected ${shortHash(actual)}`;
    return {
      kind: 'edited',
      operation,
      seq,
      message: `${name}: its hash was changed after it was written (${hashes})`,
    };
  }
  const hashes =
    actual === null ? 'it holds what no entry can' : `hash ${shortHash(actual)}, expected ${shortHash(entry.hash)}`;
  const here = entry.operation === operation && entry.seq === seq;
  const says = here ? '' : `; it now says that it is ${nameOf(entry.operation, entry.seq)}`;
  const message = `${name}: its content was changed after it was written (${hashes})${says}`;
  return { kind: 'edited', operation, seq, message };
}

export function replaced({ operation, seq, hash }: Entry, said: SaidBefore): Finding {
  const message =
    `${nameOf(operation, seq)}: another entry was put in its place (hash ${shortHash(hash)}, ` +
    `but entry ${said.by} was written after one with hash ${shortHash(said.hash)})`;
  return { kind: 'replaced', operation, seq, message };
}

/** Nothing vouches for either of the two: the newer one is named. */
export function doesNotFollow({ operation, seq, hash }: Entry, said: SaidBefore): Finding {
  const message =
    `${nameOf(operation, said.by)}: it does not follow entry ${seq} (it was written after an entry with hash ` +
    `${shortHash(said.hash)}, entry ${seq} has hash ${shortHash(hash)}): one of the two was put there afterwards`;
  return { kind: 'replaced', operation, seq: said.by, message };
}

export function notFirst({ operation, seq }: Entry): Finding {
  const message = `${nameOf(operation, seq)}: another entry was put in its place (it says that an entry came before it)`;
  return { kind: 'replaced', operation, seq, message };
}

export function impossible({ operation, seq }: Entry): Finding {
  return {
    kind: 'inserted',
    operation,
    seq,
    message: `${nameOf(operation, seq)}: inserted: entries are numbered from 1`,
  };
}

/** `genuine` is the entry that has the right to this place. */
export function inserted(operation: string, seq: number, entry: Entry, genuine: Entry): Finding {
  const why =
    entry.hash === genuine.hash
      ? 'it is there more than once'
      : `hash ${shortHash(entry.hash)}; the chain leads to the one with hash ${shortHash(genuine.hash)}`;
  return { kind: 'inserted', operation, seq, message: `${nameOf(operation, seq)}: inserted afterwards (${why})` };
}

export function moved({ operation, seq }: Entry): Finding {
  return { kind: 'moved', operation, seq, message: `${nameOf(operation, seq)}: moved: it does not stand in its place` };
}

/** Entries `first` to `last` are not there. Where the fleet chain anchors one of them (null: none), that is how we know. */
export function missing(
  operation: string,
  anchor: { readonly seq: number; readonly by: number } | null,
  first: number,
  last: number,
): Finding {
  const range = first === last ? nameOf(operation, first) : `operation ${operation}, entries ${first} to ${last}`;
  const known = anchor === null ? '' : ` (${nameOf(fleetOperation, anchor.by)} anchors entry ${anchor.seq})`;
  const verb = first === last ? 'it was' : 'they were';
  return { kind: 'removed', operation, seq: first, message: `${range}: ${verb} removed${known}` };
}

export function wrongAnchors({ operation, seq, hash }: Entry, said: readonly SaidByFleet[]): Finding[] {
  return said.map((anchor) => {
    const message =
      `${nameOf(operation, seq)}: it is not the one that the fleet chain anchors (hash ${shortHash(hash)}, ` +
      `${nameOf(fleetOperation, anchor.by)} says ${shortHash(anchor.hash)}): the chain or the anchor was written anew`;
    return { kind: 'anchor', operation, seq, message };
  });
}
