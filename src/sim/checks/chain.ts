import type { Entry } from '../../core/journal/entry.ts';
import type { AsFound, RolloutEvent, Target } from '../../core/rollout/events.ts';

/** The operation's chain as the checkers read it: what may be written when, and what has been decided. */
export class Chain {
  readonly entries: Entry[] = [];
  asFound: AsFound | null = null;
  /** Targets with the number of the entry that set them, oldest first. */
  readonly targets: { readonly seq: number; readonly target: Target }[] = [];
  readonly holds: { readonly seq: number; readonly held: boolean }[] = [];
  back: { readonly seq: number; readonly atMs: number } | null = null;
  end: 'rolled-back' | 'completed' | null = null;
  retired = false;

  add(entry: Entry, atMs: number): RolloutEvent {
    const event = entry.body as RolloutEvent;
    this.entries.push(entry);
    switch (event.kind) {
      case 'started':
        this.asFound = event.asFound;
        break;
      case 'intended':
        this.targets.push({ seq: entry.seq, target: event.target });
        break;
      case 'back-performed':
        this.targets.push({ seq: entry.seq, target: event.target });
        this.back ??= { seq: entry.seq, atMs };
        break;
      case 'held':
      case 'resumed':
        this.holds.push({ seq: entry.seq, held: event.kind === 'held' });
        break;
      case 'rolled-back':
      case 'completed':
        this.end = event.kind;
        break;
      case 'retired':
        this.retired = true;
        break;
      default:
        break;
    }
    return event;
  }

  /** The target in force for somebody who had read the chain up to `seq`. */
  targetAt(seq: number): Target | null {
    for (let index = this.targets.length - 1; index >= 0; index--) {
      const row = this.targets[index];
      if (row !== undefined && row.seq <= seq) return row.target;
    }
    return null;
  }

  heldAt(seq: number): boolean {
    for (let index = this.holds.length - 1; index >= 0; index--) {
      const row = this.holds[index];
      if (row !== undefined && row.seq <= seq) return row.held;
    }
    return false;
  }
}
