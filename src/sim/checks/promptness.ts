import type { Controller } from '../controller.ts';
import type { Balancer } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import { knowledgeMs, type Vantage } from './vantage.ts';
import type { Report } from './violation.ts';

/** Who can be waited for: one that dies or stands still takes no way back. */
export type Actor = Pick<Controller, 'holder' | 'alive' | 'pausedUntilMs'>;

/** What an operator is told who asks for the traffic back: whatever the controller was doing, it is being done now. */
const atOnceMs = 2500;
/** What was performed before it was journalled stands in the world by then. */
const performedMs = 1000;

/**
 * A way back interrupts everything: observing, appending to a disk that does not answer, sleeping. Looked at a little later:
 * every balancer that could be reached all the time gives the destination nothing. Only in worlds whose calls are neither lost
 * nor late; there it takes longer, and nobody can say how long. Without `--all` only where the origin has long been able to carry
 * everything at every balancer, so that there is nothing to wait for.
 */
export class PromptnessChecks {
  readonly #world: World;
  readonly #vantage: Vantage;
  readonly #report: Report;

  constructor(world: World, vantage: Vantage, report: Report) {
    this.#world = world;
    this.#vantage = vantage;
    this.#report = report;
  }

  onBackAsked(controller: Actor, all: boolean): void {
    const what = all ? 'everything back' : 'the traffic back';
    this.expectCut(controller, all, atOnceMs, `${controller.holder} was asked for ${what} ${atOnceMs} ms ago`);
  }

  /** Whatever the cause: it is journalled when its first commands have been given. */
  onBackPerformed(all: boolean): void {
    this.expectCut(null, all, performedMs, `the way back was journalled as performed ${performedMs} ms ago`);
  }

  /** `by` null: whoever does it, it has been done already. */
  expectCut(by: Actor | null, all: boolean, withinMs: number, why: string): void {
    const { faults } = this.#world.scenario;
    if (unprompt.some((fault) => fault in faults)) return;
    const { schedule } = this.#world;
    const sinceMs = schedule.nowMs;
    const isDue = (): boolean => all || this.#hadRoomFor(schedule.nowMs - sinceMs + knowledgeMs(this.#world));
    if (!isDue()) return;
    const reachable = [...this.#world.balancers.values()].filter((one) => one.reachable);
    schedule.after(withinMs, () => {
      if (!isDue() || (by !== null && !stoodBy(by, sinceMs))) return;
      const late = reachable.filter((one) => one.reachable && stillGives(one, sinceMs));
      if (late.length === 0) return;
      this.#report(
        'the way back comes at once',
        `${why}; ${late
          .map((one) => `${one.id} still gives the destination ${(one.weightedShare() * 100).toFixed(1)} %`)
          .join(', ')}`,
      );
    });
  }

  /** The origin has been able to carry everything for so long that everybody knows. */
  #hadRoomFor(ms: number): boolean {
    const { roomSinceMs } = this.#vantage;
    return roomSinceMs !== null && roomSinceMs <= this.#world.schedule.nowMs - ms;
  }
}

/**
 * How long after its last answer a controller has gone back and journalled it: the rest of its reading and one call to the
 * balancers, each of which lasts as long as a call may where one can hang, the marker, an entry, and the way of every answer.
 */
export function answeredWithinMs({ scenario: { faults, timing } }: World): number {
  const hangs = [...unprompt, 'balancer-unreachable' as const].some((fault) => fault in faults);
  return 1000 + (hangs ? 2 * timing.callMs : 0);
}

/** It lives, and has not stood still since. */
export function stoodBy({ alive, pausedUntilMs }: Actor, sinceMs: number): boolean {
  return alive && pausedUntilMs <= sinceMs;
}

const unprompt = [
  'call-lost',
  'call-unanswered',
  'call-late',
  'call-throttled',
  'call-duplicated',
  'acknowledged-late',
] as const;

/** By weights and states, and nobody's hand since. */
export function stillGives(balancer: Balancer, sinceMs: number): boolean {
  return balancer.servers.some(
    (server) =>
      server.side === 'destination' && server.admin === 'ready' && server.weight > 0 && server.handAtMs < sinceMs,
  );
}
