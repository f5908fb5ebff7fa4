import type { BackendReading, ServerReading } from '../../core/observed/backend.ts';
import type { GroupReading } from '../../core/observed/group.ts';
import type { Balancer } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import type { Chain } from './chain.ts';
import type { Report } from './violation.ts';

/** A controller that was told so often, over so long, has had passes in which to go back. */
const readingsMax = 4;
const answeredWithinMs = 25_000;

/**
 * A destination of which half fails its checks is left. Goes by what a controller was told: of the servers that are to carry at a
 * balancer, and are known to do so, half or more failed in every reading for a while, by the balancer's check or, where it has
 * none, by the provider's. Not in worlds whose disk gives trouble: there a way back may be under way that no journal knows.
 */
export class HalfDownChecks {
  readonly #world: World;
  readonly #chain: Chain;
  readonly #report: Report;
  /** By controller and balancer. */
  readonly #seen = new Map<string, { readonly sinceMs: number; readonly readings: number }>();
  /** What the provider told each controller since a balancer was last read with it: unknown is not failing. */
  readonly #told = new Map<string, GroupReading>();

  constructor(world: World, chain: Chain, report: Report) {
    this.#world = world;
    this.#chain = chain;
    this.#report = report;
  }

  onGroupRead(by: string, reading: GroupReading): void {
    for (const id of this.#world.balancers.keys()) this.#told.set(`${by} ${id}`, reading);
  }

  onBackendRead(by: string, balancer: Balancer, reading: BackendReading): void {
    const { faults } = this.#world.scenario;
    if ('disk-full' in faults || 'journal-stalls' in faults) return;
    const key = `${by} ${balancer.id}`;
    const group = this.#told.get(key) ?? null;
    this.#told.delete(key);
    const { nowMs } = this.#world.schedule;
    const failing = this.#failing(balancer, reading, group);
    if (failing === null) {
      this.#seen.delete(key);
      return;
    }
    const { sinceMs, readings } = this.#seen.get(key) ?? { sinceMs: nowMs, readings: 0 };
    this.#seen.set(key, { sinceMs, readings: readings + 1 });
    if (readings + 1 < readingsMax || nowMs - sinceMs < answeredWithinMs) return;
    this.#report(
      'half down is answered',
      `${by} has been told ${readings + 1} times in ${Math.round((nowMs - sinceMs) / 1000)} s that half of what carries at ${balancer.id} fails its checks (${failing.join(', ')}), and has not gone back`,
    );
  }

  /** Names of what fails; null: less than half, or nobody counts on it. */
  #failing(balancer: Balancer, reading: BackendReading, group: GroupReading | null): string[] | null {
    if (this.#chain.back !== null || this.#chain.end !== null || !this.#chain.confirmedAtMs.has(balancer.id))
      return null;
    const targets = this.#chain.targets.at(-1)?.target.traffic[balancer.id] ?? {};
    const carrying = reading.servers.filter(({ name }) => {
      const target = targets[name];
      return balancer.server(name)?.side === 'destination' && target?.admin === 'ready' && target.weight > 0;
    });
    // In maint: somebody has gone back already.
    if (carrying.some(({ admin }) => admin !== 'ready')) return null;
    const failing = carrying.filter((server) => fails(server, group)).map(({ name }) => name);
    return failing.length > 0 && failing.length * 2 >= carrying.length ? failing : null;
  }
}

function fails({ name, health }: ServerReading, group: GroupReading | null): boolean {
  if (health !== 'unchecked') return health === 'down';
  const instance = group?.instances.find(({ server }) => server === name);
  return instance?.state === 'unhealthy' || instance?.state === 'crash-looping';
}
