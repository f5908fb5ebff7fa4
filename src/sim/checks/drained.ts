import type { BackendReading } from '../../core/observed/backend.ts';
import type { Balancer } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import type { Report } from './violation.ts';

/**
 * Who says that the last request has left the destination has been told so twice by every balancer: counted here from the
 * counters that each controller was given, whatever it made of them.
 */
export class DrainedChecks {
  readonly #world: World;
  readonly #report: Report;
  /** By controller and balancer. */
  readonly #told = new Map<string, Map<Balancer, Told>>();

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  onBackendRead(holder: string, balancer: Balancer, { process, servers }: BackendReading): void {
    let attempts = 0;
    for (const { name, counters } of servers)
      if (balancer.server(name)?.side === 'destination') attempts += counters.attempts;
    const rows = this.#told.get(holder) ?? new Map<Balancer, Told>();
    this.#told.set(holder, rows);
    const before = rows.get(balancer);
    // Of counters that came late, or were cleared, nobody can say more than that they show nothing new.
    const most = before?.process === process ? before.most : Number.NEGATIVE_INFINITY;
    const isQuiet = attempts === before?.attempts || (before !== undefined && attempts === most);
    rows.set(balancer, { process, attempts, most: Math.max(most, attempts), quiet: isQuiet ? before.quiet + 1 : 0 });
  }

  onDrained(): void {
    const balancers = [...this.#world.balancers.values()];
    const unquiet = [...this.#told].map(([holder, rows]) => ({
      holder,
      ids: balancers.filter((one) => (rows.get(one)?.quiet ?? 0) < readingsMin).map(({ id }) => id),
    }));
    if (unquiet.some(({ ids }) => ids.length === 0)) return;
    const last = unquiet.at(-1);
    this.#report(
      'drained is drained',
      `the journal says so, and in the last ${readingsMin} readings of ${last?.ids.join(', ')} the destination was still given requests`,
    );
  }
}

type Told = { readonly process: string; readonly attempts: number; readonly most: number; readonly quiet: number };

const readingsMin = 2;
