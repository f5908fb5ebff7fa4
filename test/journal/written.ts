import { type Draft, seal } from '../../src/core/journal/chain.ts';
import { type Entry, type EventBody, emptyHead, type Head } from '../../src/core/journal/entry.ts';
import { compareOperations, exportLine } from '../../src/core/journal/export.ts';
import { type FleetEvent, fleetOperation } from '../../src/core/journal/fleet.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';

/** Bodies as a test likes them. */
export type Body = EventBody & Readonly<Record<string, unknown>>;

export function draft(body: Body, atMs = 1_763_941_445_000): Draft<Body> {
  return { body, actor: 'alice', atMs, rules: 1 };
}

/** A chain of `count` entries, whose bodies have numbers, escapes and characters outside ASCII in them. */
export function chainOf(operation: string, count: number): Entry[] {
  const drafts = Array.from({ length: count }, (_, index) =>
    draft(
      { kind: 'step', index, share: index / 7, note: `"Grüße"\n${'é'.repeat(index % 3)}` },
      1_763_941_445_000 + index,
    ),
  );
  return seal(emptyHead(operation), drafts, sha256).entries;
}

export function headOf(entries: readonly Entry[]): Head {
  const last = entries.at(-1);
  if (last === undefined) throw new Error('no entries');
  return { operation: last.operation, seq: last.seq, hash: last.hash };
}

/** The chains, and a fleet chain before them that anchors the start of each and its end. */
export function anchored(chains: readonly (readonly Entry[])[]): Entry[] {
  const events = chains.flatMap((entries): FleetEvent[] => {
    const first = headOf(entries.slice(0, 1));
    return [
      { kind: 'operation-started', ...first },
      { kind: 'operation-ended', ...headOf(entries) },
    ];
  });
  const drafts = events.map((body) => ({ body, actor: 'drover', atMs: 1_763_941_446_000, rules: 1 }));
  const fleet = seal(emptyHead(fleetOperation), drafts, sha256).entries;
  return [...fleet, ...chains.flat()].sort((a, b) => compareOperations(a.operation, b.operation) || a.seq - b.seq);
}

/** The lines of an export, as `verifyExport` takes them. */
export function linesOf(entries: readonly Entry[]): string[] {
  return [...entries.map(exportLine), ''];
}

/** An entry whose content was changed by somebody who knows how hashes are made. */
export function forged(entry: Entry, change: Partial<Entry>): Entry {
  const { operation, seq, previous, ...rest } = { ...entry, ...change };
  const [made] = seal({ operation, seq: seq - 1, hash: previous }, [rest], sha256).entries;
  if (made === undefined) throw new Error('nothing was sealed');
  return made;
}
