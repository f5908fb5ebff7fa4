import type { Server } from '../world/servers.ts';
import type { World } from '../world/world.ts';

/**
 * How old a controller's knowledge may be. A rule that speaks of the world's state is broken by an effect only if it did not
 * hold at any moment of this long before the effect was issued; otherwise the controller could not have known better.
 */
export function knowledgeMs(world: World): number {
  const { pollMs, callMs } = world.scenario.timing;
  const staleMs = world.scenario.faults['stale-read'] === undefined ? 0 : 30_000;
  return 2 * pollMs + 4 * callMs + 20_000 + staleMs;
}

/** By so much may a load that was counted over some seconds be above the true one. */
const scatterOfLoad = 1.15;

/** Facts of the world that the checkers need with their recent past. Looks at everything after each change. */
export class Vantage {
  reserveHeldMs = 0;
  healthChangedMs = 0;
  /** Since when the origin's declared capacity is enough for all traffic at every balancer; null: it is not, or none is declared. */
  roomSinceMs: number | null = null;
  /** Since when no request can reach the destination; null: some can. */
  destinationIdleSinceMs: number | null = 0;
  /** Origin instances that can take traffic on some balancer, as of the last look: no more than those can carry anything. */
  ableSomewhere = 0;
  readonly lastUpMs = new Map<Server, number>();
  readonly #world: World;
  #originRpsPerInstanceMax = 0;
  #up = '';

  constructor(world: World) {
    this.#world = world;
    this.look();
  }

  look(): void {
    const world = this.#world;
    const { nowMs } = world.schedule;
    this.#lookAtHealth(nowMs);
    const able = this.originAble();
    this.ableSomewhere = this.#countAble('some');
    if (able > 0) {
      const perInstance = world.rpsOf('origin') / able;
      this.#originRpsPerInstanceMax = Math.max(this.#originRpsPerInstanceMax, perInstance);
    }
    if (able * this.originCapacityRps() >= this.reserveRps()) this.reserveHeldMs = nowMs;
    const declared = world.scenario.plan.origin.capacityRps;
    if (declared === null || able * declared < world.loadRps * scatterOfLoad) this.roomSinceMs = null;
    else this.roomSinceMs ??= nowMs;
    const idle = world.rpsOf('destination') < 1e-6;
    if (!idle) this.destinationIdleSinceMs = null;
    else this.destinationIdleSinceMs ??= nowMs;
  }

  /** Origin instances that can take traffic on every balancer. */
  originAble(): number {
    return this.#countAble('every');
  }

  #countAble(where: 'every' | 'some'): number {
    const balancers = [...this.#world.balancers.values()];
    return this.#world.origin.instances.filter(({ state, slot }) => {
      if (state !== 'healthy') return false;
      // A balancer without its line sends it nothing, and those that have it count on it; without any line nobody does.
      const lines = balancers.map((one) => one.ofSlot('origin', slot)).filter((server) => server?.present !== false);
      return lines.length > 0 && lines[where]((server) => server?.health === 'up' && server.admin === 'ready');
    }).length;
  }

  /** What the origin has to be able to carry: all that the two groups take now, and the reserve. */
  reserveRps(): number {
    const rps = this.#world.rpsOf('origin') + this.#world.rpsOf('destination');
    return rps * (1 + this.#world.scenario.plan.policy.reserve);
  }

  /**
   * What an instance of the origin carries as far as anybody may know: declared, or the most that was seen. With room for
   * counts over 15 s, which scatter by a part of 1/√count.
   */
  originCapacityRps(): number {
    const declared = this.#world.scenario.plan.origin.capacityRps;
    const scatter = 1.03 + 3 / Math.sqrt(15 * this.#world.loadRps);
    if (declared !== null) return declared * scatter;
    // Nobody has seen it in good health with more than it truly carries; a load a little above that fails but a little.
    return Math.min(
      this.#originRpsPerInstanceMax * scatter * 1.2,
      this.#world.scenario.origin.capacityRps * 1.08 * scatter,
    );
  }

  #lookAtHealth(nowMs: number): void {
    let up = '';
    for (const balancer of this.#world.balancers.values()) {
      for (const server of balancer.servers) {
        if (server.health !== 'up') continue;
        this.lastUpMs.set(server, nowMs);
        up += `${server.name} `;
      }
    }
    if (up === this.#up) return;
    this.#up = up;
    this.healthChangedMs = nowMs;
  }
}
