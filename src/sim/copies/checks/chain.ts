import { hashOf } from '../../../core/journal/chain.ts';
import { type Entry, emptyHead } from '../../../core/journal/entry.ts';
import type { FleetEvent } from '../../../core/journal/fleet.ts';
import type { MoveEvent } from '../../../core/move/operation/events.ts';
import { foldMove, hasMoveEnded, type MoveState } from '../../../core/move/operation/state.ts';
import { sha256 } from '../../hash.ts';
import { textOf } from '../../stores.ts';
import type { Report } from './violation.ts';

/** The copy's chain as it is durable, and what it says at each of its entries. */
export class CopyChain {
  readonly entries: Entry[] = [];
  readonly durableAtMs: number[] = [];
  readonly #states: MoveState[] = [];
  /** Since when it says that it is held, or that nothing moves any more; null: it does not. */
  heldAtMs: number | null = null;
  stillAtMs: number | null = null;

  get state(): MoveState | null {
    return this.#states.at(-1) ?? null;
  }

  /** As somebody knew it who had read so many entries. */
  stateAt(seq: number): MoveState | null {
    return this.#states[seq - 1] ?? null;
  }

  add(entry: Entry, atMs: number): MoveEvent {
    const state = foldMove(this.state, entry);
    this.entries.push(entry);
    this.durableAtMs.push(atMs);
    this.#states.push(state);
    this.heldAtMs = state.held === null ? null : (this.heldAtMs ?? atMs);
    const moves = state.stage.kind === 'preparing' || state.stage.kind === 'copying';
    this.stillAtMs = moves ? null : (this.stillAtMs ?? atMs);
    return entry.body as MoveEvent;
  }

  /** Once nothing is written any more. */
  check(fleet: readonly Entry[], report: Report): void {
    let folded: MoveState | null = null;
    let previous = emptyHead('copy-1').hash;
    for (const [index, entry] of this.entries.entries()) {
      const read: Entry = JSON.parse(textOf(entry));
      if (read.seq !== index + 1 || read.previous !== previous || read.hash !== hashOf(read, sha256))
        return report('journal', `entry ${index + 1} does not follow its chain`);
      previous = read.hash;
      folded = foldMove(folded, read);
    }
    if (textOf(folded) !== textOf(this.state)) report('journal', 'read back from text it folds to another state');
    if (this.state === null || !hasMoveEnded(this.state)) return;
    const anchors = fleet.map(({ body }) => body as FleetEvent);
    const starts = anchors.filter(({ kind }) => kind === 'operation-started');
    const end = anchors.findLast(({ kind }) => kind === 'operation-ended');
    const last = this.entries.at(-1);
    if (starts.length !== 1 || starts[0]?.hash !== this.entries[0]?.hash)
      report('anchors', `the fleet chain anchors the start ${starts.length} times`);
    if (end?.seq !== last?.seq || end?.hash !== last?.hash)
      report('anchors', `the fleet chain anchors ${end?.seq ?? 'no entry'} as the end, and entry ${last?.seq} is it`);
  }
}
