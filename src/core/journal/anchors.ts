import type { Entry, Head } from './entry.ts';
import type { FleetEvent } from './fleet.ts';

/**
 * What the fleet chain should say of a chain and does not, because whoever wrote the entry died before its anchor. `endedAtSeq`: the
 * entry by which the operation has ended; null: it has not. An end that is anchored behind that entry is anchored.
 */
export function missingAnchors(
  chain: readonly Entry[],
  fleet: readonly Entry[],
  endedAtSeq: number | null,
): FleetEvent[] {
  const [first, last] = [chain[0], chain.at(-1)];
  if (first === undefined || last === undefined) return [];
  const anchors = fleet
    .map(({ body }) => body as FleetEvent)
    .filter(({ kind, operation }) => anchorKinds.includes(kind) && operation === first.operation);
  const hasStart = anchors.some(({ kind }) => kind === 'operation-started');
  const hasEnd = anchors.some(({ kind, seq }) => kind === 'operation-ended' && seq >= (endedAtSeq ?? seq));
  const missing: FleetEvent[] = [];
  if (!hasStart) missing.push(startOf(first));
  if (endedAtSeq !== null && !hasEnd) missing.push(endOf(last));
  return missing;
}

export function startOf({ operation, seq, hash }: Head): FleetEvent {
  return { kind: 'operation-started', operation, seq, hash };
}

export function endOf({ operation, seq, hash }: Head): FleetEvent {
  return { kind: 'operation-ended', operation, seq, hash };
}

const anchorKinds: readonly string[] = ['operation-started', 'operation-ended'] satisfies FleetEvent['kind'][];
