import type { Entry } from '../../core/journal/entry.ts';
import type { FleetEvent } from '../../core/journal/fleet.ts';
import type { Chain } from './chain.ts';
import type { Report } from './violation.ts';

/** After the run the fleet chain anchors the operation's first entry and the one it ended with, each once and as they are. */
export function checkAnchors(fleet: readonly Entry[], chain: Chain, report: Report): void {
  const anchors = fleet.map(({ body }) => body as FleetEvent);
  const [first, last] = [chain.entries[0], chain.entries.at(-1)];
  if (first !== undefined) expectOnce(anchors, 'operation-started', first, report);
  if (last !== undefined && chain.end !== null) expectOnce(anchors, 'operation-ended', last, report);
}

/** A step cannot be promoted in the time that a controller needs to anchor what the one before it began. */
export function checkStartAnchored(fleet: readonly Entry[], report: Report): void {
  const isAnchored = fleet.some(({ body }) => body.kind === 'operation-started');
  if (!isAnchored) report('anchors', 'a step is promoted, and the fleet chain does not anchor the start yet');
}

function expectOnce(anchors: readonly FleetEvent[], kind: FleetEvent['kind'], entry: Entry, report: Report): void {
  const found = anchors.filter((one) => one.kind === kind);
  const [one] = found;
  if (found.length !== 1 || one?.seq !== entry.seq || one.hash !== entry.hash) {
    const seqs = found.map(({ seq }) => seq).join(', ');
    report('anchors', `${kind}: the fleet chain anchors ${seqs || 'nothing'} and not just entry ${entry.seq} as it is`);
  }
}
