import type { Target } from '../../core/rollout/events.ts';
import type { Write } from '../controller.ts';
import type { FaultName } from '../faults.ts';
import type { Balancer } from '../world/balancer.ts';
import type { World } from '../world/world.ts';
import type { Chain } from './chain.ts';
import type { LastServerChecks } from './last-server.ts';
import { type Actor, stillGives } from './promptness.ts';
import { knowledgeMs, type Vantage } from './vantage.ts';
import type { Report } from './violation.ts';

/**
 * A way back to an origin that cannot carry everything: it takes no more than that, it asks for what is missing, and it goes on
 * once there is room. Goes by the declared capacity, and only where a controller has long been able to know.
 */
export class WayBackChecks {
  readonly #world: World;
  readonly #chain: Chain;
  readonly #vantage: Vantage;
  readonly #lastServer: LastServerChecks;
  readonly #report: Report;
  /** Since when each controller has read all balancers without a break, and when it last read each. */
  readonly #reading = new Map<string, { sinceMs: number; readonly lastMs: Map<string, number> }>();
  readonly #isJudged: boolean;
  readonly #past: Moment[] = [];
  /** What a controller has put on the origin that this cannot carry, before the journal says why it did. */
  #unexplained: { readonly atMs: number; readonly text: string } | null = null;
  #originRpsBefore = 0;
  /** When the traffic was last moved by somebody else, or not where the weights say. */
  #disturbedMs = Number.NEGATIVE_INFINITY;

  constructor(world: World, chain: Chain, vantage: Vantage, lastServer: LastServerChecks, report: Report) {
    this.#world = world;
    this.#chain = chain;
    this.#vantage = vantage;
    this.#lastServer = lastServer;
    this.#report = report;
    const { faults, plan } = world.scenario;
    this.#isJudged = plan.origin.capacityRps !== null && !confusing.some((fault) => fault in faults);
  }

  /** After each change of the world. */
  look(): void {
    if (!this.#isJudged) return;
    const { nowMs } = this.#world.schedule;
    this.#past.push({ atMs: nowMs, able: this.#vantage.ableSomewhere, rps: this.#world.loadRps });
    if (this.#isDisturbed()) this.#disturbedMs = nowMs;
    // One that is older says what was so when the time begins.
    while ((this.#past[1]?.atMs ?? nowMs) <= nowMs - this.#spanMs()) this.#past.shift();
  }

  onBackPerformed(all: boolean): void {
    const unexplained = this.#unexplained;
    if (all || unexplained === null || unexplained.atMs < this.#world.schedule.nowMs - performedMs) return;
    this.#report('the way back spares the origin', unexplained.text);
  }

  onBackendRead(by: Actor, leased: boolean, balancer: Balancer): void {
    if (!this.#isJudged) return;
    const { nowMs } = this.#world.schedule;
    const sinceMs = Math.max(this.#readSince(by, leased, balancer), this.#chain.back?.atMs ?? nowMs);
    if (this.#chain.back === null || this.#chain.isAllBack || this.#chain.end !== null) return;
    if (nowMs - sinceMs < this.#countedMs() || unwritable.some((fault) => fault in this.#world.scenario.faults)) return;
    this.#makesRoom(by);
    this.#goesOn(by);
  }

  #readSince(by: Actor, leased: boolean, balancer: Balancer): number {
    const { schedule, balancers, scenario } = this.#world;
    const { nowMs } = schedule;
    const row = this.#reading.get(by.holder) ?? { sinceMs: nowMs, lastMs: new Map<string, number>() };
    this.#reading.set(by.holder, row);
    const gapMsMax = scenario.timing.pollMs + 2 * scenario.timing.callMs + passMs;
    const isBroken = [...balancers.keys()].some((id) => (row.lastMs.get(id) ?? row.sinceMs) < nowMs - gapMsMax);
    if (!leased || isBroken) row.sinceMs = nowMs;
    row.lastMs.set(balancer.id, nowMs);
    return row.sinceMs;
  }

  onWrite(write: Write, moment: 'before' | 'after'): void {
    if (write.kind === 'resize' || !this.#isJudged) return;
    const rps = this.#world.rpsOf('origin');
    if (moment === 'before') {
      this.#originRpsBefore = rps;
      return;
    }
    if (rps < this.#originRpsBefore * 1.03 || write.stray || !this.#knows(write) || this.#pressesOn(write)) return;
    const { able, capacityRps, leastRps } = this.#known();
    const share = rps / this.#world.loadRps;
    if (able * capacityRps * scatter >= leastRps * share) return;
    const text = `${write.by} leaves the origin ${Math.round(rps)} requests/s by ${write.kind} at ${write.balancer.id}, and it has had at most ${able} instances of ${Math.round(capacityRps)} for ${this.#spanMs() / 1000} s`;
    if (this.#chain.back === null) this.#unexplained = { atMs: this.#world.schedule.nowMs, text };
    else if (!this.#chain.isAllBack) this.#report('the way back spares the origin', text);
  }

  /** What is left at the destination is left for want of room, so there has to be asked for room. */
  #makesRoom(by: Actor): void {
    const target = this.#chain.targets.at(-1)?.target;
    const { resizable, size } = this.#world.scenario.origin;
    if (target === undefined || !resizable || this.#carrying(target).size === 0) return;
    const { capacityRps, leastRps } = this.#known();
    const needed = Math.min(size.max, Math.ceil((leastRps * roomAtLeast) / capacityRps));
    const asked = target.origin?.min ?? 0;
    if (asked >= needed) return;
    this.#report(
      'the way back makes room',
      `${by.holder} leaves a part at the destination and wants ${asked} instances of the origin, though ${Math.round(leastRps)} requests/s have long needed ${needed}`,
    );
  }

  #goesOn(by: Actor): void {
    const { nowMs } = this.#world.schedule;
    const { roomSinceMs } = this.#vantage;
    if (roomSinceMs === null || nowMs - roomSinceMs < this.#spanMs()) return;
    const sinceMs = nowMs - this.#spanMs();
    const left = [...this.#world.balancers.values()].filter((one) => one.reachable && stillGives(one, sinceMs));
    if (left.length === 0) return;
    this.#report(
      'the way back goes on',
      `${by.holder} still leaves the destination something at ${left.map(({ id }) => id).join(', ')}, ${Math.round((nowMs - roomSinceMs) / 1000)} s after the origin could carry everything`,
    );
  }

  /** It has just read what it builds on, and for so long that it knows the load. Who leaves what fails minds no capacity. */
  #knows({ by, issuedAtMs }: TrafficWrite): boolean {
    const knownMs = issuedAtMs - this.#spanMs();
    const hasRead = [...this.#world.balancers.values()].every(
      ({ readAtMs }) => (readAtMs.get(by) ?? 0) >= issuedAtMs - passMs,
    );
    if (!hasRead || this.#lastServer.isAllAsked || this.#lastServer.failedMs >= knownMs) return false;
    return (
      this.#disturbedMs < knownMs && (this.#reading.get(by)?.sinceMs ?? issuedAtMs) <= issuedAtMs - this.#countedMs()
    );
  }

  #isDisturbed(): boolean {
    const { nowMs } = this.#world.schedule;
    return [...this.#world.balancers.values()].some(
      ({ skew, servers }) =>
        skew !== 1 ||
        servers.some(({ handAtMs, reloadedAtMs, strayAtMs }) => Math.max(handAtMs, reloadedAtMs, strayAtMs) === nowMs),
    );
  }

  /** Where nothing makes room for as long as a group may take to settle, one server more is taken all the same. */
  #pressesOn({ issuedSeq }: TrafficWrite): boolean {
    const { targets, entries, back } = this.#chain;
    const index = targets.findLastIndex(({ seq }) => seq <= issuedSeq);
    const [last, before] = [targets[index], targets[index - 1]];
    if (last === undefined || before === undefined || back === null || last.seq <= back.seq) return false;
    const atMs = ({ seq }: { readonly seq: number }) => entries[seq - 1]?.atMs ?? 0;
    if (atMs(last) - atMs(before) < this.#world.scenario.plan.policy.settleMsMax) return false;
    return this.#carrying(before.target).size - this.#carrying(last.target).size <= 1;
  }

  /** Servers of the destination to which a target gives traffic. */
  #carrying({ traffic }: Target): ReadonlySet<string> {
    const names = new Set<string>();
    for (const [id, servers] of Object.entries(traffic)) {
      const balancer = this.#world.balancers.get(id);
      for (const [name, { admin, weight }] of Object.entries(servers))
        if (balancer?.server(name)?.side === 'destination' && admin === 'ready' && weight > 0) names.add(name);
    }
    return names;
  }

  /** The most that the origin has been, and the least load, over the time in which a controller may not know better. */
  #known(): { readonly able: number; readonly capacityRps: number; readonly leastRps: number } {
    const capacityRps = this.#world.scenario.plan.origin.capacityRps ?? Number.POSITIVE_INFINITY;
    const able = Math.max(...this.#past.map((one) => one.able));
    return { able, capacityRps, leastRps: Math.min(...this.#past.map((one) => one.rps)) };
  }

  /** Two windows of traffic: then it knows the load by itself. */
  #countedMs(): number {
    return 2 * this.#world.scenario.timing.pollMs + 5000;
  }

  #spanMs(): number {
    return knowledgeMs(this.#world);
  }
}

type TrafficWrite = Exclude<Write, { readonly kind: 'resize' }>;
type Moment = { readonly atMs: number; readonly able: number; readonly rps: number };

/** Counts of 15 s scatter, and weights are whole numbers. */
const scatter = 1.2;
/** The rule says a fifth more than the load that is seen. */
const roomAtLeast = 1.1;
/** The first effects of a way back are there so long before it is journalled. */
const performedMs = 5000;

/** The readings of one pass come within this. */
const passMs = 1000;

/** What keeps a controller from knowing the load, or makes it two that go back. */
const confusing: readonly FaultName[] = [
  'counters-cleared',
  'counters-late',
  'counters-twice',
  'second-controller',
  'weights-by-hand',
];
/** Where it cannot write down what it wants. */
const unwritable: readonly FaultName[] = ['disk-full', 'journal-stalls'];
