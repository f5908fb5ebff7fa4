import type { AdminState, BackendReading } from '../../core/observed/backend.ts';
import type { Random } from '../random.ts';
import { carriedWeight, clearCounters, type Hand, hungOf, readBackend, type Server } from './servers.ts';

/**
 * One backend of one balancer process. Traffic is computed when somebody looks or something changes: between two such moments
 * every rate is constant, so the counts are one Poisson draw per server and the failures one binomial draw.
 */
export class Balancer {
  readonly id: string;
  /** The lines that its configuration has now. */
  servers: readonly Server[];
  /** Those too that no reload has brought yet, or that one has taken away. */
  readonly lines: readonly Server[];
  reachable = true;
  /** While it cannot be reached: nobody refuses a call, and nobody answers it either. */
  mute = false;
  readonly counts: Counts = { originAttempts: 0, originFailures: 0, destinationAttempts: 0, destinationFailures: 0 };
  /** It reaches no server of the origin, whatever others reach. */
  losesOrigin = false;
  /** By how much the destination gets more than its weights say: clients kept by cookies, an algorithm that minds connections. */
  skew = 1;
  /** Requests that found no server at all. */
  unserved = 0;
  lastDestinationAttemptMs = Number.NEGATIVE_INFINITY;
  /** When somebody last gave the destination less by hand than it had; null: nobody has, or a reload or another hand undid it. */
  loweredAtMs: number | null = null;
  /** When each controller last got an answer from here. */
  readonly readAtMs = new Map<string, number>();
  /** The same while it had the lease: else nothing of it is written down. */
  readonly readLeasedAtMs = new Map<string, number>();
  readonly #byName = new Map<string, Server>();
  readonly #random: Random;
  readonly #conditions: Conditions;
  #process = 1;
  #atMs: number;

  constructor(id: string, servers: readonly Server[], conditions: Conditions, random: Random, nowMs: number) {
    this.id = id;
    this.lines = servers;
    this.servers = present(servers);
    this.#conditions = conditions;
    this.#random = random;
    this.#atMs = nowMs;
    for (const server of servers) this.#byName.set(server.name, server);
  }

  get process(): string {
    return `${this.id}/${this.#process}`;
  }

  server(name: string): Server | undefined {
    return this.#byName.get(name);
  }

  ofSlot(side: 'origin' | 'destination', slot: number): Server | undefined {
    return this.lines.find((server) => server.side === side && server.slot === slot);
  }

  read(nowMs: number): BackendReading {
    this.advance(nowMs);
    return readBackend(this.process, this.servers, this.#conditions.attemptMsMax);
  }

  attempts(names: readonly string[], nowMs: number): Record<string, number> {
    this.advance(nowMs);
    const counts: Record<string, number> = {};
    for (const name of names) {
      const server = this.#byName.get(name);
      if (server !== undefined) counts[name] = server.attempts;
    }
    return counts;
  }

  write(name: string, value: { weight?: number; admin?: AdminState }, nowMs: number): boolean {
    const server = this.#byName.get(name);
    if (!server?.present) return false;
    this.advance(nowMs);
    if (value.weight !== undefined) {
      server.weight = value.weight;
      server.isPutAside = false;
      server.weighedAtMs = nowMs;
      server.lowered = null;
    }
    if (value.admin !== undefined) {
      server.admin = value.admin;
      server.statedAtMs = nowMs;
      if (value.admin === 'ready') server.out = null;
    }
    return true;
  }

  /** Somebody's own hand; `write` is a controller's. */
  writeByHand(name: string, value: { weight?: number; admin?: AdminState }, nowMs: number): void {
    const before = this.weightedShare();
    const server = this.#byName.get(name);
    const isLess = server !== undefined && value.weight !== undefined && value.weight < server.weight;
    const lowered = isLess ? this.#handOver(server.weighedAtMs, server, nowMs) : null;
    const out = server === undefined ? null : this.#handOver(server.statedAtMs, server, nowMs);
    if (!this.write(name, value, nowMs)) return;
    if (server !== undefined) {
      server.handAtMs = nowMs;
      if (value.weight !== undefined) {
        server.isPutAside = value.weight === 0;
        server.lowered = lowered;
      }
      if (value.admin !== undefined && value.admin !== 'ready') server.out = out;
    }
    const after = this.weightedShare();
    if (after < before) this.loweredAtMs = nowMs;
    else if (after > before) this.loweredAtMs = null;
  }

  #handOver(writtenAtMs: number, { reloadedAtMs }: Server, atMs: number): Hand {
    const seen = [...this.readLeasedAtMs].filter(([, readAtMs]) => readAtMs > Math.max(writtenAtMs, reloadedAtMs));
    return { atMs, seenBy: new Set(seen.map(([by]) => by)) };
  }

  /** Share of the destination by weights and states alone, whatever its servers' health. */
  weightedShare(): number {
    let destination = 0;
    let both = 0;
    for (const { side, admin, weight } of this.servers) {
      if (side === 'other' || admin !== 'ready') continue;
      both += weight;
      if (side === 'destination') destination += weight;
    }
    return both === 0 ? 0 : destination / both;
  }

  /** A new process with the configuration's lines, weights and states and with counters at zero. */
  reload(nowMs: number): void {
    this.advance(nowMs);
    this.#process++;
    this.loweredAtMs = null;
    this.servers = present(this.lines);
    for (const server of this.lines) {
      clearCounters(server, true);
      server.weight = server.configuredWeight;
      server.admin = server.configuredAdmin;
      server.isPutAside = false;
      server.out = null;
      server.lowered = null;
      server.reloadedAtMs = nowMs;
    }
  }

  clearCounters(nowMs: number): void {
    this.advance(nowMs);
    for (const server of this.servers) clearCounters(server, false);
  }

  /** What counts for the next request. */
  weightOf(server: Server): number {
    const weight = carriedWeight(server);
    return server.side === 'destination' ? weight * this.skew : weight;
  }

  /** Share of the destination among the servers that take requests now; null: none does. */
  share(): number | null {
    let destination = 0;
    let both = 0;
    for (const server of this.servers) {
      if (server.side === 'other') continue;
      const weight = this.weightOf(server);
      both += weight;
      if (server.side === 'destination') destination += weight;
    }
    return both === 0 ? null : destination / both;
  }

  /** Whether a server of the origin is up, be it one that waits at weight 0. */
  hasOrigin(): boolean {
    return this.servers.some(
      ({ side, health, admin, configuredWeight }) =>
        side === 'origin' && health === 'up' && admin === 'ready' && configuredWeight > 0,
    );
  }

  /** Parts of this balancer's requests that go to the two groups now; what is left goes to other servers or to none. */
  parts(): { readonly origin: number; readonly destination: number } {
    let origin = 0;
    let destination = 0;
    let all = 0;
    for (const server of this.servers) {
      const weight = this.weightOf(server);
      all += weight;
      if (server.side === 'origin') origin += weight;
      else if (server.side === 'destination') destination += weight;
    }
    return all === 0 ? nothing : { origin: origin / all, destination: destination / all };
  }

  destinationInFlight(): number {
    let count = 0;
    for (const server of this.servers) {
      if (server.side === 'destination') count += server.inFlight + hungOf(server);
    }
    return count;
  }

  /** Brings the counters up to now. To be called before anything that changes a rate. */
  advance(nowMs: number): void {
    const seconds = (nowMs - this.#atMs) / 1000;
    if (seconds <= 0) return;
    this.#atMs = nowMs;
    let weights = 0;
    for (const server of this.servers) weights += this.weightOf(server);
    const rps = this.#conditions.rps();
    if (weights === 0) this.unserved += this.#random.poisson(rps * seconds);
    for (const server of this.servers) {
      const weight = this.weightOf(server);
      if (weight === 0 && server.inFlight === 0 && server.hung.length === 0) continue;
      this.#serve(server, weights === 0 ? 0 : (rps * weight) / weights, seconds, nowMs);
    }
  }

  #serve(server: Server, rps: number, seconds: number, nowMs: number): void {
    const arrived = this.#random.poisson(rps * seconds);
    const fate = this.#conditions.fate(server, rps);
    const hanging = fate.hangs > 0 ? this.#random.binomial(arrived, fate.hangs) : 0;
    const before = server.inFlight;
    const answerable = before + arrived - hanging;
    server.inFlight = Math.min(answerable, Math.floor(rps * requestSeconds));
    const ended = answerable - server.inFlight;
    let failed = this.#random.binomial(ended, fate.failure);
    server.attempts += arrived;
    server.answered += ended - failed;
    if (fate.refuses) server.refused += failed;
    else this.#answerWithFailure(server, failed, fate.manner);
    if (hanging > 0) server.hung.push({ endsAtMs: nowMs + this.#conditions.attemptMsMax, count: hanging });
    failed += this.#giveUp(server, nowMs);
    this.#note(server, arrived, failed, nowMs);
  }

  /** A part of the failures is in no counter: the server closed the connection without a word. */
  #answerWithFailure(server: Server, failed: number, manner: Manner): void {
    if (failed === 0 || manner === 'silent') return;
    if (manner === 'errors') {
      server.errors5xx += failed;
      return;
    }
    const silent = this.#random.binomial(failed, this.#conditions.silentFailures);
    const broken = this.#random.binomial(failed - silent, 0.2);
    server.brokenAnswers += broken;
    server.errors5xx += failed - silent - broken;
  }

  #giveUp(server: Server, nowMs: number): number {
    if (server.hung.length === 0) return 0;
    let failed = 0;
    for (const group of server.hung) if (group.endsAtMs <= nowMs) failed += group.count;
    if (failed > 0) server.hung = server.hung.filter((group) => group.endsAtMs > nowMs);
    server.errors5xx += failed;
    return failed;
  }

  #note(server: Server, arrived: number, failed: number, nowMs: number): void {
    if (server.side === 'origin') {
      this.counts.originAttempts += arrived;
      this.counts.originFailures += failed;
    } else if (server.side === 'destination') {
      this.counts.destinationAttempts += arrived;
      this.counts.destinationFailures += failed;
      if (arrived > 0) this.lastDestinationAttemptMs = nowMs;
    }
  }
}

/** What truly went to the two groups since the balancer began; never read by the product. */
export type Counts = {
  originAttempts: number;
  originFailures: number;
  destinationAttempts: number;
  destinationFailures: number;
};

/** What decides over the requests of this moment. */
export type Conditions = {
  readonly attemptMsMax: number;
  /** Part of the failures that shows in no counter but the identity's. */
  readonly silentFailures: number;
  rps(): number;
  fate(server: Server, rps: number): Fate;
};
export type Fate = {
  readonly failure: number;
  readonly hangs: number;
  /** Nothing listens: every failure is a refused connection. */
  readonly refuses: boolean;
  readonly manner: Manner;
};
/** How a build fails: answers of 500 and above, connections closed without a word, or some of each. */
export type Manner = 'mixed' | 'errors' | 'silent';

function present(lines: readonly Server[]): readonly Server[] {
  return lines.filter((server) => server.present);
}

const requestSeconds = 0.05;
const nothing = { origin: 0, destination: 0 };
