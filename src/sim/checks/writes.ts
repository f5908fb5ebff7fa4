import type { Write } from '../controller.ts';
import type { Durable } from '../stores.ts';
import type { Balancer } from '../world/balancer.ts';
import { carriedWeight, type Server } from '../world/servers.ts';
import type { World } from '../world/world.ts';
import type { Chain } from './chain.ts';
import type { Vantage } from './vantage.ts';
import { knowledgeMs } from './vantage.ts';
import type { Report } from './violation.ts';

type TrafficWrite = Exclude<Write, { readonly kind: 'resize' }>;
type Resize = Extract<Write, { readonly kind: 'resize' }>;

/** Judges every write of a controller by what it does to the world. */
export class WriteChecks {
  /** When somebody took the way back outside the chain: the marker, or an offline `back`. */
  backOutsideMs: number | null = null;
  /** The marker, and when each controller last looked for it. */
  readonly #durable: Pick<Durable, 'marker' | 'markerReadAtMs'>;
  readonly #world: World;
  readonly #chain: Chain;
  readonly #vantage: Vantage;
  readonly #report: Report;
  /** The last write at each balancer, and how things stood before it. */
  readonly #begun = new Map<
    string,
    Pick<TrafficWrite, 'by' | 'kind' | 'issuedAtMs'> & { readonly standing: Standing }
  >();
  #before: Standing = { share: 0, carrying: new Map() };

  constructor(
    world: World,
    chain: Chain,
    vantage: Vantage,
    durable: Pick<Durable, 'marker' | 'markerReadAtMs'>,
    report: Report,
  ) {
    this.#world = world;
    this.#durable = durable;
    this.#chain = chain;
    this.#vantage = vantage;
    this.#report = report;
  }

  onWrite(write: Write, moment: 'before' | 'after'): void {
    if (write.kind === 'resize') {
      if (moment === 'before') this.#resize(write);
      return;
    }
    if (moment === 'before') {
      this.#ours(write);
      this.#out(write);
      this.#lowered(write);
      this.#before = standingOf(write.balancer);
      this.#intent(write);
      return;
    }
    const after = standingOf(write.balancer);
    const first = this.#begun.get(write.balancer.id);
    const isSecondHalf =
      first !== undefined &&
      first.by === write.by &&
      first.kind !== write.kind &&
      write.issuedAtMs - first.issuedAtMs <= this.#world.scenario.timing.callMs;
    this.#begun.set(write.balancer.id, { ...write, standing: this.#before });
    // States and weights of one effect are two commands: what the first one has taken the second may give back in part.
    if (isSecondHalf && !rises(first.standing, after)) return;
    if (rises(this.#before, after)) this.#raise(write, after);
  }

  #raise(write: TrafficWrite, after: Standing): void {
    const { balancer, by } = write;
    const what = `${by} raises the destination at ${balancer.id} from ${percent(this.#before.share)} to ${percent(after.share)}`;
    const backMs = earliest(this.#chain.back?.atMs ?? null, this.#markerSeenMs(by));
    // A command that is late may still do what a target wanted that another one has taken the place of.
    const isOutdated = (this.#chain.targets.at(-1)?.seq ?? 0) > write.issuedSeq;
    if (backMs !== null && write.issuedAtMs > backMs && !isOutdated) {
      this.#report('no raise after a way back', `${what} after the way back was taken`);
    }
    if (this.#chain.heldAt(write.issuedSeq))
      this.#report('no raise while held', `${what} although the operation is held`);
    if (!write.leased) this.#report('no raise without the lease', `${what} without the lease`);
    if (write.stray) return;
    this.#againstHand(write, what);
    const knownMs = write.issuedAtMs - knowledgeMs(this.#world);
    if (this.#vantage.reserveHeldMs < knownMs) {
      const able = this.#vantage.originAble();
      const need = this.#vantage.reserveRps();
      this.#report('reserve', `${what} while ${able} origin instances cannot carry ${Math.round(need)} requests/s`);
    }
    if (!write.partly) this.#capacity(what, balancer, after, knownMs);
  }

  /** Since when a controller knows of the marker; null: it cannot know. */
  #markerSeenMs(by: string): number | null {
    const readAtMs = this.#durable.markerReadAtMs.get(by);
    return this.backOutsideMs === null || readAtMs === undefined || readAtMs < this.backOutsideMs ? null : readAtMs;
  }

  /** A share that somebody lowered by hand where it had been confirmed is somebody's way back: it is not raised again. */
  #againstHand({ balancer, by, issuedAtMs }: TrafficWrite, what: string): void {
    const { loweredAtMs } = balancer;
    const readAtMs = balancer.readAtMs.get(by);
    if (loweredAtMs === null || readAtMs === undefined || readAtMs <= loweredAtMs || issuedAtMs < readAtMs) return;
    const confirmedAtMs = this.#chain.confirmedAtMs.get(balancer.id);
    const retargeted = this.#chain.retargeted.get(balancer.id);
    const wasConfirmed = confirmedAtMs !== undefined && confirmedAtMs <= loweredAtMs;
    const { faults, timing } = this.#world.scenario;
    // A target that was decided before anybody could see it may still be written; a pause makes that any time.
    const decidedMs = faults.pause === undefined ? loweredAtMs + 2 * timing.callMs + 1000 : Number.POSITIVE_INFINITY;
    const wasOverruled =
      confirmedAtMs === undefined &&
      retargeted !== undefined &&
      retargeted.confirmedAtMs !== null &&
      retargeted.confirmedAtMs <= loweredAtMs &&
      retargeted.atMs > decidedMs;
    if (wasConfirmed || wasOverruled)
      this.#report('no raise against a hand', `${what}, which somebody had lowered by hand`);
  }

  #capacity(what: string, balancer: Balancer, after: Standing, knownMs: number): void {
    const up = [...after.carrying.keys()].filter((server) => (this.#vantage.lastUpMs.get(server) ?? -1) >= knownMs);
    if (up.length === 0) {
      this.#report('capacity before traffic', `${what} though none of its servers was healthy of late`);
    }
    if (this.#vantage.healthChangedMs >= knownMs) return;
    let total = 0;
    for (const server of balancer.servers) total += carriedWeight(server);
    for (const [server, weight] of after.carrying) {
      if (server.health !== 'up') continue;
      const rps = (this.#world.loadRps * weight) / total;
      if (rps <= this.#world.scenario.destination.capacityRps * 1.1) continue;
      this.#report(
        'capacity before traffic',
        `${what}: ${server.name} gets ${Math.round(rps)} requests/s, more than it carries`,
      );
    }
  }

  #ours(write: TrafficWrite): void {
    const asFound = this.#chain.asFound?.backends[write.balancer.id];
    for (const name of Object.keys(write.values)) {
      const server = write.balancer.server(name);
      const found = asFound?.[name];
      if (server === undefined || server.side === 'other') {
        this.#report(
          'only what is ours',
          `${write.by} writes ${name} at ${write.balancer.id}, which is in neither group`,
        );
      } else if (found !== undefined && found.admin !== 'ready') {
        this.#report(
          'only what is ours',
          `${write.by} writes ${name} at ${write.balancer.id}, found in ${found.admin}`,
        );
      }
    }
  }

  /** Whoever has read that somebody took a server out does not put it back, but as it was found after a way back. */
  #out({ kind, values, balancer, by, issuedAtMs, stray }: TrafficWrite): void {
    if (kind !== 'states' || stray || this.#chain.back !== null) return;
    const readAtMs = balancer.readAtMs.get(by) ?? Number.NEGATIVE_INFINITY;
    for (const [name, value] of Object.entries(values)) {
      const server = balancer.server(name);
      if (server === undefined || server.out === null) continue;
      const { atMs, seenBy } = server.out;
      const isRead = readAtMs > atMs && issuedAtMs >= readAtMs;
      // Where the drill wanted it in maint nobody can tell whose maint it is.
      const toMs = atMs + knowledgeMs(this.#world);
      const isKnown = isRead && (seenBy.has(by) || !this.#chain.drills);
      if (value === 'ready' && isKnown && !this.#chain.wantedInMaint(balancer.id, name, atMs, toMs))
        this.#report(
          'what is taken out stays out',
          `${by} puts ${name} back at ${balancer.id}, which somebody took out`,
        );
    }
  }

  /** Nor what somebody has lowered, of whom nobody has said since that it may go on. */
  #lowered({ kind, values, balancer, by, issuedAtMs, stray }: TrafficWrite): void {
    if (kind !== 'weights' || stray) return;
    const readAtMs = balancer.readAtMs.get(by) ?? Number.NEGATIVE_INFINITY;
    for (const [name, value] of Object.entries(values)) {
      const server = balancer.server(name);
      if (server === undefined || server.side !== 'destination' || value <= server.weight) continue;
      const { lowered } = server;
      const isKnown = lowered?.seenBy.has(by) === true && readAtMs > lowered.atMs && issuedAtMs >= readAtMs;
      if (isKnown && this.#chain.resumedAtMs < lowered.atMs)
        this.#report('no raise against a hand', `${by} raises ${name} at ${balancer.id}, which somebody has lowered`);
    }
  }

  /** A value is the target's, or belongs to the way back: less for the destination, the origin as found. */
  #intent(write: TrafficWrite): void {
    const { balancer, by, issuedSeq } = write;
    const targets = this.#chain.targetAt(issuedSeq)?.traffic[balancer.id];
    for (const [name, value] of Object.entries(write.values)) {
      const server = balancer.server(name);
      const target = targets?.[name];
      const intended = write.kind === 'weights' ? target?.weight : target?.admin;
      if (server === undefined || value === intended) continue;
      if (this.#belongsToWayBack(balancer, server, value)) {
        this.#marked(`${by} writes ${JSON.stringify(value)} to ${name} at ${balancer.id}, which is a way back`);
        continue;
      }
      this.#report(
        'no effect without its intent',
        `${by} writes ${JSON.stringify(value)} to ${name} at ${balancer.id}; the journal's entry ${issuedSeq} and those before say ${JSON.stringify(intended ?? null)}`,
      );
    }
  }

  /** Only a disk that is full or answers nobody may cost the marker: the way back does not wait for it. */
  #marked(what: string): void {
    const { faults } = this.#world.scenario;
    if (this.#durable.marker.size > 0 || 'disk-full' in faults || 'journal-stalls' in faults) return;
    this.#report('the marker comes first', `${what}, and there is no marker yet`);
  }

  #belongsToWayBack(balancer: Balancer, server: Server, value: number | string): boolean {
    if (server.side === 'destination') return value === 'maint' || value === 0;
    const found = this.#chain.asFound?.backends[balancer.id]?.[server.name];
    return found !== undefined && (value === found.weight || value === found.admin);
  }

  #resize(write: Resize): void {
    const fleet = this.#world.fleet(write.side);
    if (!this.#world.scenario[write.side].resizable) {
      this.#report('only what is ours', `${write.by} resizes the ${write.side}, which has no provider`);
    }
    const intended = this.#chain.targetAt(write.issuedSeq)?.[write.side] ?? null;
    if (intended === null || (write.size.min !== undefined && write.size.min !== intended.min)) {
      this.#report(
        'no effect without its intent',
        `${write.by} resizes the ${write.side} to ${JSON.stringify(write.size)}; the journal says ${JSON.stringify(intended)}`,
      );
    }
    if ((write.size.desired ?? fleet.size.desired) < fleet.size.desired) this.#shrink(write, write.size.desired ?? 0);
  }

  #shrink(write: Resize, desired: number): void {
    const world = this.#world;
    const { nowMs } = world.schedule;
    const limit = `${write.by} shrinks the ${write.side} to ${desired}`;
    if (write.side === 'origin') {
      const needed = world.rpsOf('origin') / world.scenario.origin.capacityRps;
      if (desired < Math.floor(needed))
        this.#report('nothing shrinks under traffic', `${limit}, its traffic needs ${needed.toFixed(1)}`);
      return;
    }
    const idleSinceMs = this.#vantage.destinationIdleSinceMs;
    if (idleSinceMs === null) {
      this.#report(
        'nothing shrinks under traffic',
        `${limit} while ${Math.round(world.rpsOf('destination'))} requests/s go there`,
      );
      return;
    }
    let inFlight = 0;
    for (const balancer of world.balancers.values()) inFlight += balancer.destinationInFlight();
    if (inFlight === 0 || nowMs - idleSinceMs >= world.scenario.plan.policy.drainMsMax - 1000) return;
    this.#report('nothing shrinks under traffic', `${limit} while ${inFlight} of its requests are under way`);
  }
}

/** What the weights and states of a balancer give the destination, whatever its servers' health. */
type Standing = { readonly share: number; readonly carrying: ReadonlyMap<Server, number> };

function standingOf(balancer: Balancer): Standing {
  const carrying = new Map<Server, number>();
  for (const server of balancer.servers) {
    if (server.side === 'destination' && server.admin === 'ready' && server.weight > 0)
      carrying.set(server, server.weight);
  }
  return { share: balancer.share() ?? 0, carrying };
}

/** A server that begins to carry or a share that grows; a weight that only follows the origin's is not a raise. */
function rises(before: Standing, after: Standing): boolean {
  if (after.share > before.share + 0.002) return true;
  for (const server of after.carrying.keys()) if (!before.carrying.has(server)) return true;
  return false;
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
