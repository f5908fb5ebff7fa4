import type { EventBody } from './entry.ts';

/** The chain that anchors all the others. Its entries follow the operation's own, so that no operation waits for it. */
export const fleetOperation = 'fleet';

/** `seq` and `hash` are those of the operation's entry that is anchored: its first one, and its last one. */
export type FleetEvent =
  | { readonly kind: 'operation-started'; readonly operation: string; readonly seq: number; readonly hash: string }
  | { readonly kind: 'operation-ended'; readonly operation: string; readonly seq: number; readonly hash: string };

export type Anchor = { readonly operation: string; readonly seq: number; readonly hash: string };

/** What an entry of the fleet chain anchors; null: nothing. Reads any kind, because old journals may have kinds of their own. */
export function anchorOf(body: EventBody): Anchor | null {
  const fields: EventBody & { readonly operation?: unknown; readonly seq?: unknown; readonly hash?: unknown } = body;
  const { operation, seq, hash } = fields;
  if (typeof operation !== 'string' || typeof seq !== 'number' || typeof hash !== 'string') return null;
  return { operation, seq, hash };
}
