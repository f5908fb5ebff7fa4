import type { Write } from '../controller.ts';
import type { FaultName } from '../faults.ts';
import type { Balancer } from '../world/balancer.ts';
import { carriedWeight, type Server } from '../world/servers.ts';
import type { World } from '../world/world.ts';
import { knowledgeMs } from './vantage.ts';
import type { Report } from './violation.ts';

/**
 * Nothing takes the last servers away that a balancer's users have: going back to an origin that is down helps nobody. Somebody
 * may ask for just that, and a destination that fails as much as it serves is left all the same. What is written blind is
 * excused: whoever got no answer did not know. Where the origin is up it has its weights first, whoever asks and whatever fails.
 */
export class LastServerChecks {
  /** An operator has asked for everything back. */
  isAllAsked = false;
  /** When the destination last failed as much as it served. */
  failedMs = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  readonly #report: Report;
  /** When a server of the origin was last up at each balancer. */
  readonly #originUpMs = new Map<Balancer, number>();
  readonly #failures: { readonly atMs: number; readonly attempts: number; readonly failures: number }[] = [];
  #before: readonly Server[] = [];

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  /** After each change of the world. */
  look(): void {
    const { nowMs } = this.#world.schedule;
    let attempts = 0;
    let failures = 0;
    for (const balancer of this.#world.balancers.values()) {
      if (balancer.hasOrigin()) this.#originUpMs.set(balancer, nowMs);
      attempts += balancer.counts.destinationAttempts;
      failures += balancer.counts.destinationFailures;
    }
    this.#failures.push({ atMs: nowMs, attempts, failures });
    while ((this.#failures[0]?.atMs ?? nowMs) < nowMs - failingMs) this.#failures.shift();
    const first = this.#failures[0] ?? { attempts, failures };
    const isFailing =
      attempts - first.attempts >= 10 && (failures - first.failures) / (attempts - first.attempts) >= 0.4;
    if (isFailing) this.failedMs = nowMs;
  }

  onWrite(write: Write, moment: 'before' | 'after'): void {
    if (write.kind === 'resize') return;
    const carrying = write.balancer.servers.filter((server) => server.side !== 'other' && carriedWeight(server) > 0);
    if (moment === 'before') this.#before = carrying;
    else if (carrying.length === 0 && this.#before.some(({ side }) => side === 'destination')) {
      this.#tookLast(write);
      this.#leftWaiting(write);
    }
  }

  /** No hand and no reload has taken the weight of late from what is up, and no call was cut off in the middle. */
  #leftWaiting({ balancer, by, issuedAtMs, stray, partly }: TrafficWrite): void {
    if (stray || partly || blinding.some((fault) => fault in this.#world.scenario.faults)) return;
    const knownMs = issuedAtMs - knowledgeMs(this.#world);
    const waiting = balancer.servers.filter(
      ({ side, health, checked, admin, configuredWeight, isPutAside, handAtMs, strayAtMs, reloadedAtMs }) =>
        side === 'origin' &&
        (health === 'up' || !checked) &&
        admin === 'ready' &&
        configuredWeight > 0 &&
        !isPutAside &&
        Math.max(handAtMs, strayAtMs, reloadedAtMs) < knownMs,
    );
    if (waiting.length === 0) return;
    const names = (servers: readonly Server[]) => servers.map(({ name }) => name).join(', ');
    this.#report(
      'the way back leaves no gap',
      `${by} takes ${names(this.#before)} away at ${balancer.id}, and ${names(waiting)} of the origin is up there without a weight`,
    );
  }

  #tookLast(write: TrafficWrite): void {
    const { balancer, by, issuedAtMs, stray } = write;
    const { faults, timing } = this.#world.scenario;
    if (stray || this.isAllAsked || blinding.some((fault) => fault in faults)) return;
    const knownMs = issuedAtMs - knowledgeMs(this.#world);
    if (this.failedMs >= knownMs || (this.#originUpMs.get(balancer) ?? knownMs) >= knownMs) return;
    const readAtMs = balancer.readAtMs.get(by);
    if (readAtMs === undefined || readAtMs < issuedAtMs - 2 * timing.callMs) return;
    const names = this.#before.map(({ name }) => name).join(', ');
    this.#report(
      'the way back leaves users a server',
      `${by} takes ${names} away at ${balancer.id}, and no server of the origin has been up there for ${Math.round((issuedAtMs - (this.#originUpMs.get(balancer) ?? 0)) / 1000)} s`,
    );
  }
}

type TrafficWrite = Exclude<Write, { readonly kind: 'resize' }>;

/** Failures of this long tell whether a destination fails. */
const failingMs = 20_000;

/** Where answers go missing, what is read now and then is not what is known when it counts. */
export const blinding: readonly FaultName[] = [
  'call-lost',
  'call-unanswered',
  'call-late',
  'call-throttled',
  'reading-missing',
];
