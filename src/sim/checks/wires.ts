import type { BackendReading } from '../../core/observed/backend.ts';
import type { GroupReading } from '../../core/observed/group.ts';
import type { RolloutEvent } from '../../core/rollout/events.ts';
import type { Balancer } from '../world/balancer.ts';
import { hungOf, type Server } from '../world/servers.ts';
import type { World } from '../world/world.ts';
import type { Chain } from './chain.ts';
import { type Actor, answeredWithinMs, type PromptnessChecks, stoodBy } from './promptness.ts';
import type { Report } from './violation.ts';

/**
 * A destination whose instances do not stay up, or whose requests hang, is left at once, and one that does not stay up before it
 * carries anything when that has lasted, unless somebody holds it. Goes by the world's own books at the
 * moment at which a controller that holds the lease was told: what it was told is in them, so it knows, and its next step is the
 * way back. From that moment it has the rest of its reading, one call to the balancers and an entry: by then the journal says
 * `back-performed`, and where nothing limits it the traffic is gone. Not in worlds whose disk gives trouble.
 */
export class WireChecks {
  readonly #world: World;
  readonly #chain: Chain;
  readonly #promptness: PromptnessChecks;
  readonly #report: Report;
  /** Restarts of each instance as each controller was last told, and how many it has seen with these builds, and of that before or since the drill began. */
  readonly #restarts = new Map<string, { readonly byInstance: Map<string, number>; total: number }>();
  /** Since when each controller has been told, without a break, that something of the destination does not stay up. */
  readonly #loopingSince = new Map<string, number>();
  #builds = '';
  #isPreparing = true;
  /** Attempts of each server at earlier readings, by controller and balancer; oldest first. */
  readonly #past = new Map<string, Past[]>();

  constructor(world: World, chain: Chain, promptness: PromptnessChecks, report: Report) {
    this.#world = world;
    this.#chain = chain;
    this.#promptness = promptness;
    this.#report = report;
  }

  onEvent(event: RolloutEvent): void {
    if (event.kind === 'builds-changed') this.#beginAnew();
    // What ended while capacity was waited for says nothing of what carries.
    if (event.kind === 'stage-entered' && this.#isPreparing) {
      this.#isPreparing = false;
      this.#beginAnew();
    }
  }

  onDestinationRead(by: Actor, leased: boolean, told: GroupReading): void {
    // What ended to run another build was deployed.
    const builds = this.#world.destination.buildsRunning();
    if (builds !== this.#builds) this.#beginAnew();
    this.#builds = builds;
    const restarts = this.#countRestarts(by, told);
    const { instances } = this.#world.destination;
    const looping = instances.filter(({ id, state }) => state === 'crash-looping' && isToldOf(told, id));
    const loopingMs = this.#loopingMs(by, told);
    if (!leased || !this.#isForward()) return;
    if (!this.#isCarrying()) {
      const isLasting = loopingMs >= loopingMsMax + this.#world.scenario.timing.callMs || restarts >= restartsMax;
      if (looping.length === 0 || !isLasting || this.#chain.heldAt(Number.POSITIVE_INFINITY)) return;
    } else if (looping.length === 0 && restarts < restartsMax) return;
    const names = looping.map(({ id }) => id).join(', ');
    this.#owed(
      by,
      'crash loops are answered',
      names === '' ? `that destination instances ended ${restarts} times` : `that ${names} does not stay up`,
    );
  }

  onBackendRead(by: Actor, leased: boolean, balancer: Balancer, told: BackendReading): void {
    const { faults } = this.#world.scenario;
    // It begins anew with its counting when somebody else's entries are of another time.
    if ('clock-steps' in faults && 'second-controller' in faults) return;
    const late = this.#late(by.holder, balancer, told);
    if (late === null || !leased || !this.#isCarrying()) return;
    const isWorse =
      late.destination.late * late.origin.attempts > 12 * (late.origin.late + 1) * late.destination.attempts;
    if (late.destination.late < lateMin || !isWorse) return;
    const what = `that at least ${late.destination.late} requests at the destination of ${balancer.id} hang`;
    this.#owed(by, 'hung requests are answered', what);
  }

  #owed(by: Actor, check: 'crash loops are answered' | 'hung requests are answered', what: string): void {
    const { faults, timing } = this.#world.scenario;
    if ('disk-full' in faults || 'journal-stalls' in faults) return;
    const { schedule } = this.#world;
    const sinceMs = schedule.nowMs;
    // Whoever else writes to the chain costs another pass.
    const againMs = 'second-controller' in faults ? timing.pollMs + timing.callMs : 0;
    const withinMs = answeredWithinMs(this.#world) + againMs;
    const why = `${by.holder} was told ${withinMs} ms ago ${what}`;
    schedule.after(withinMs, () => {
      if (stoodBy(by, sinceMs) && this.#chain.back === null && this.#chain.end === null)
        this.#report(check, `${why}, and has not gone back`);
    });
    this.#promptness.expectCut(by, false, withinMs, why);
  }

  /** Something is intended, and nobody has gone back. */
  #isForward(): boolean {
    return this.#chain.targets.length > 0 && this.#chain.back === null && this.#chain.end === null;
  }

  /** The destination is to carry something, and nobody has gone back. */
  #isCarrying(): boolean {
    if (!this.#isForward()) return false;
    const traffic = this.#chain.targets.at(-1)?.target.traffic ?? {};
    return Object.entries(traffic).some(([id, servers]) =>
      Object.entries(servers).some(
        ([name, { admin, weight }]) =>
          this.#world.balancers.get(id)?.server(name)?.side === 'destination' && admin === 'ready' && weight > 0,
      ),
    );
  }

  #loopingMs({ holder }: Actor, told: GroupReading): number {
    const { nowMs } = this.#world.schedule;
    if (!told.instances.some(({ state }) => state === 'crash-looping')) this.#loopingSince.delete(holder);
    else if (!this.#loopingSince.has(holder)) this.#loopingSince.set(holder, nowMs);
    return nowMs - (this.#loopingSince.get(holder) ?? nowMs);
  }

  #beginAnew(): void {
    for (const seen of this.#restarts.values()) seen.total = 0;
  }

  #countRestarts({ holder }: Actor, told: GroupReading): number {
    const seen = this.#restarts.get(holder) ?? { byInstance: new Map<string, number>(), total: 0 };
    this.#restarts.set(holder, seen);
    for (const { id, restarts } of told.instances) {
      seen.total += Math.max(0, restarts - (seen.byInstance.get(id) ?? restarts));
      seen.byInstance.set(id, restarts);
    }
    return seen.total;
  }

  /** Requests that are certainly older than ten seconds, and the attempts since; null: nobody has looked for so long. */
  #late(holder: string, balancer: Balancer, told: BackendReading): Record<Side, LateSide> | null {
    const { nowMs } = this.#world.schedule;
    const key = `${holder} ${balancer.id}`;
    const attempts = new Map(balancer.servers.map((server) => [server, server.attempts]));
    const before = this.#pastOf(key, balancer, told);
    if (before === null) return null;
    const base = before.findLast(({ atMs }) => atMs <= nowMs - lateAfterMs);
    const kept = before.filter(({ atMs }) => atMs >= (base?.atMs ?? 0));
    const isSoon = nowMs - (kept.at(-1)?.atMs ?? 0) < spacingMs;
    this.#past.set(key, isSoon ? kept : [...kept, { atMs: nowMs, process: told.process, attempts }]);
    if (base === undefined) return null;
    const sums = { origin: { late: 0, attempts: 0 }, destination: { late: 0, attempts: 0 } };
    for (const server of balancer.servers) {
      if (server.side === 'other') continue;
      const since = server.attempts - (base.attempts.get(server) ?? 0);
      sums[server.side].attempts += since;
      sums[server.side].late += Math.max(0, server.inFlight + hungOf(server) - since);
    }
    return sums;
  }

  /** Readings of the same counters as now; null: it was told others than there are, or cannot tell these from late ones. */
  #pastOf(key: string, balancer: Balancer, told: BackendReading): readonly Past[] | null {
    const past = (this.#past.get(key) ?? []).filter(({ process }) => process === told.process);
    const isTrue = told.servers.every(({ name, counters }) => balancer.server(name)?.attempts === counters.attempts);
    const last = past.at(-1);
    const hasFallen = balancer.servers.some((server) => server.attempts < (last?.attempts.get(server) ?? 0));
    const sum = (attempts: Iterable<number>) => [...attempts].reduce((total, count) => total + count, 0);
    const isClearlyLess =
      2 * sum(balancer.servers.map((server) => server.attempts)) < sum(last?.attempts.values() ?? []);
    if (isTrue && !hasFallen) return past;
    this.#past.delete(key);
    return isTrue && isClearlyLess ? [] : null;
  }
}

type Side = 'origin' | 'destination';
type LateSide = { readonly late: number; readonly attempts: number };
type Past = { readonly atMs: number; readonly process: string; readonly attempts: ReadonlyMap<Server, number> };

const restartsMax = 3;
/** Without traffic, where the ends themselves were not seen. */
const loopingMsMax = 30_000;
const lateAfterMs = 10_000;
/** The rule says 10 of them, at ten times the origin's rate; here a little more, for what is counted to the millisecond. */
const lateMin = 12;
const spacingMs = 500;

function isToldOf(told: GroupReading, id: string): boolean {
  return told.instances.some((one) => one.id === id && one.state === 'crash-looping');
}
