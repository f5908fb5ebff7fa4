import type { Controller } from '../controller.ts';
import type { Balancer } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import type { Report } from './violation.ts';

/** What an operator is told who asks for everything back: whatever the controller was doing, it is being done now. */
const atOnceMs = 2500;

/**
 * An operator's way back with `--all` interrupts everything: observing, appending to a disk that does not answer, sleeping.
 * Looked at a little later: every balancer that could be reached all the time gives the destination nothing. Only in worlds
 * whose calls are neither lost nor late; there it takes longer, and nobody can say how long.
 */
export class PromptnessChecks {
  readonly #world: World;
  readonly #report: Report;

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onBackAsked(controller: Controller): void {
    const { faults } = this.#world.scenario;
    if (unprompt.some((fault) => fault in faults)) return;
    const { schedule } = this.#world;
    const askedAtMs = schedule.nowMs;
    const reachable = [...this.#world.balancers.values()].filter((one) => one.reachable);
    schedule.after(atOnceMs, () => {
      if (!controller.alive || controller.pausedUntilMs > askedAtMs) return;
      const late = reachable.filter((one) => one.reachable && stillGives(one, askedAtMs));
      if (late.length === 0) return;
      this.#report(
        'the way back comes at once',
        `${controller.holder} was asked for everything back ${atOnceMs} ms ago; ${late
          .map((one) => `${one.id} still gives the destination ${(one.weightedShare() * 100).toFixed(1)} %`)
          .join(', ')}`,
      );
    });
  }
}

const unprompt = ['call-lost', 'call-unanswered', 'call-late', 'call-throttled', 'call-duplicated'] as const;

function stillGives(balancer: Balancer, askedAtMs: number): boolean {
  return balancer.servers.some(
    (server) =>
      server.side === 'destination' && server.admin === 'ready' && server.weight > 0 && server.handAtMs < askedAtMs,
  );
}
