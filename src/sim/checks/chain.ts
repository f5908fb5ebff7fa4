import type { Entry } from '../../core/journal/entry.ts';
import type { AsFound, RolloutEvent, Target } from '../../core/rollout/events.ts';

/** The operation's chain as the checkers read it: what may be written when, and what has been decided. */
export class Chain {
  readonly entries: Entry[] = [];
  /** When each of them became durable, in the world's time. */
  readonly durableAtMs: number[] = [];
  asFound: AsFound | null = null;
  /** Targets with the number of the entry that set them, oldest first. */
  readonly targets: { readonly seq: number; readonly target: Target }[] = [];
  /** Since when a balancer is known to be as its target wants it; absent: it is not. */
  readonly confirmedAtMs = new Map<string, number>();
  /** When a target last changed the traffic of a balancer, and since when it had been as the one before wanted it. */
  readonly retargeted = new Map<string, { readonly atMs: number; readonly confirmedAtMs: number | null }>();
  readonly holds: { readonly seq: number; readonly held: boolean }[] = [];
  resumedAtMs = Number.NEGATIVE_INFINITY;
  back: { readonly seq: number; readonly atMs: number } | null = null;
  /** Some way back was of everything at once. */
  isAllBack = false;
  end: 'rolled-back' | 'completed' | null = null;
  retired = false;
  /** The last stage entered is one of the drill’s: what is in maint may be Drover’s own, for who has not read it ready. */
  drills = false;

  add(entry: Entry, atMs: number): RolloutEvent {
    const event = entry.body as RolloutEvent;
    this.entries.push(entry);
    this.durableAtMs.push(atMs);
    switch (event.kind) {
      case 'started':
        this.asFound = event.asFound;
        break;
      case 'servers-came': {
        const found = this.asFound?.backends ?? {};
        const all = { ...found[event.backend], ...event.servers };
        this.asFound = this.asFound && { ...this.asFound, backends: { ...found, [event.backend]: all } };
        break;
      }
      case 'intended':
        this.#retarget(event.target, atMs);
        this.targets.push({ seq: entry.seq, target: event.target });
        break;
      case 'confirmed':
        if (!this.confirmedAtMs.has(event.backend)) this.confirmedAtMs.set(event.backend, atMs);
        break;
      case 'balancer-restarted':
        this.confirmedAtMs.delete(event.backend);
        break;
      case 'back-performed':
        this.targets.push({ seq: entry.seq, target: event.target });
        this.back ??= { seq: entry.seq, atMs };
        this.isAllBack ||= event.all;
        break;
      case 'stage-entered':
        this.drills = event.stage.kind.startsWith('drill');
        break;
      case 'held':
      case 'resumed':
        this.holds.push({ seq: entry.seq, held: event.kind === 'held' });
        if (event.kind === 'resumed') {
          this.confirmedAtMs.clear();
          this.resumedAtMs = atMs;
        }
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

  #retarget(target: Target, atMs: number): void {
    const before = this.targets.at(-1)?.target.traffic ?? {};
    for (const [balancer, servers] of Object.entries(target.traffic)) {
      if (JSON.stringify(servers) === JSON.stringify(before[balancer])) continue;
      this.retargeted.set(balancer, { atMs, confirmedAtMs: this.confirmedAtMs.get(balancer) ?? null });
      this.confirmedAtMs.delete(balancer);
    }
  }

  /** The target in force for somebody who had read the chain up to `seq`. */
  targetAt(seq: number): Target | null {
    for (let index = this.targets.length - 1; index >= 0; index--) {
      const row = this.targets[index];
      if (row !== undefined && row.seq <= seq) return row.target;
    }
    return null;
  }

  /** Whether a target that wanted this server in maint, as the drill does, was in force at some moment from `fromMs` to `toMs`. */
  wantedInMaint(balancer: string, server: string, fromMs: number, toMs: number): boolean {
    return this.targets.some(({ seq, target }, index) => {
      const sinceMs = this.durableAtMs[seq - 1] ?? 0;
      const untilMs =
        this.durableAtMs[(this.targets[index + 1]?.seq ?? Number.POSITIVE_INFINITY) - 1] ?? Number.POSITIVE_INFINITY;
      return target.traffic[balancer]?.[server]?.admin === 'maint' && sinceMs <= toMs && untilMs >= fromMs;
    });
  }

  heldAt(seq: number): boolean {
    for (let index = this.holds.length - 1; index >= 0; index--) {
      const row = this.holds[index];
      if (row !== undefined && row.seq <= seq) return row.held;
    }
    return false;
  }
}
