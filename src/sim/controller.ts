import type { AdminState, BackendReading } from '../core/observed/backend.ts';
import type { GroupReading } from '../core/observed/group.ts';
import { unknown } from '../core/observed/reading.ts';
import type { OperationPorts } from '../engine/operation-ports.ts';
import { type Backend, type Group, PortError } from '../engine/ports.ts';
import type { CrashPoint, Landing } from './calls.ts';
import { ControllerProcess, type PointsOf } from './controller-process.ts';
import type { FaultName } from './faults.ts';
import { sha256 } from './hash.ts';
import { PastCounters } from './late-counters.ts';
import type { Random } from './random.ts';
import { expectServers, refuseSize, refuseWeights } from './refusals.ts';
import type { Durable } from './stores.ts';
import type { Balancer } from './world/balancer.ts';
import type { Side } from './world/servers.ts';
import type { World } from './world/world.ts';

/** A write of a controller at the moment it takes effect in the world, for the checkers. */
export type Write = {
  readonly by: string;
  readonly issuedAtMs: number;
  /** Length of the operation's durable chain when the call was made. */
  readonly issuedSeq: number;
  /** Whether its sender held the lease when the call was made. */
  readonly leased: boolean;
  readonly stray: boolean;
  /** Cut off in the middle: a server may have for a moment what was meant for several. */
  readonly partly: boolean;
} & (
  | { readonly kind: 'weights'; readonly balancer: Balancer; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'states'; readonly balancer: Balancer; readonly values: Readonly<Record<string, AdminState>> }
  | {
      readonly kind: 'resize';
      readonly side: Side;
      readonly size: { readonly min?: number; readonly desired?: number };
    }
);

/** What a controller was told of a balancer or a group, for the checkers. */
export type Reading = { readonly by: Controller; readonly leased: boolean } & (
  | { readonly kind: 'backend'; readonly balancer: Balancer; readonly reading: BackendReading }
  | { readonly kind: 'group'; readonly side: Side; readonly reading: GroupReading }
);

export type Surroundings = {
  readonly world: World;
  readonly durable: Durable;
  readonly operation: string;
  readonly random: Random;
  /** Called before the write changes anything, and again after. */
  readonly onWrite: (write: Write, moment: 'before' | 'after') => void;
  readonly onRead: (reading: Reading) => void;
  readonly suffered: (fault: FaultName) => void;
  readonly crashes: (point: CrashPoint) => boolean;
  readonly diskFull: () => boolean;
  readonly stalledUntilMs: () => number;
  /** What the clock of the controllers' machine shows. */
  readonly wallMs: () => number;
};

/** Wall clock of the simulated world at its beginning. */
export const epochMs = 1_790_000_000_000;

/** One controller process: the ports that its engine gets, its death and its pauses. */
export class Controller {
  readonly holder: string;
  readonly ports: OperationPorts;
  readonly #around: Surroundings;
  readonly #machine: ControllerProcess<CrashPoint>;

  constructor(holder: string, around: Surroundings) {
    this.holder = holder;
    this.#around = around;
    const { world } = around;
    this.#machine = new ControllerProcess(holder, {
      ...around,
      schedule: world.schedule,
      strikes: (fault) => this.#strikes(fault),
      note: (text) => world.note(text),
      lateMsMax: world.scenario.timing.callMs,
    });
    this.ports = this.#makePorts();
  }

  get alive(): boolean {
    return this.#machine.alive;
  }

  set alive(alive: boolean) {
    this.#machine.alive = alive;
  }

  get pausedUntilMs(): number {
    return this.#machine.pausedUntilMs;
  }

  set pausedUntilMs(atMs: number) {
    this.#machine.pausedUntilMs = atMs;
  }

  #strikes(fault: FaultName): boolean {
    const { world, random, suffered } = this.#around;
    const rate = world.scenario.faults[fault];
    if (rate === undefined || world.healed || !random.chance(rate)) return false;
    suffered(fault);
    return true;
  }

  #makePorts(): OperationPorts {
    const { world, durable } = this.#around;
    const backends: Record<string, Backend> = {};
    for (const balancer of world.balancers.values()) backends[balancer.id] = this.#backend(balancer);
    return {
      clock: this.#machine.clock('sleep'),
      journal: this.#machine.journal(['journal.append/before', 'journal.append/after']),
      leases: this.#machine.leases('lease.acquire'),
      samples: {
        put: (operation, block, samples) =>
          this.#machine.local('samples', ['samples.put/before', 'samples.put/after'], () => {
            this.#machine.refuseWhenFull();
            durable.putSamples(operation, block, samples);
          }),
        read: (operation, block) =>
          this.#machine.local('samples', [null, null], () => durable.readSamples(operation, block)),
        prune: (operation, keep) =>
          this.#machine.local('samples', [null, null], () => durable.pruneSamples(operation, keep)),
      },
      backends,
      origin: this.#group('origin'),
      destination: this.#group('destination'),
      marker: {
        read: (operation) =>
          this.#machine.local('marker', ['marker.read', null], () => {
            durable.markerReadAtMs.set(this.holder, world.schedule.nowMs);
            return durable.marker.get(operation) ?? null;
          }),
        write: (operation, who) =>
          this.#machine.local('marker', ['marker.write/before', 'marker.write/after'], () => {
            // Whoever was first stays; the file is there before its first byte is.
            if (durable.marker.has(operation)) return;
            if (this.#around.diskFull() && this.#around.random.chance(0.5)) durable.marker.set(operation, '');
            this.#machine.refuseWhenFull();
            durable.marker.set(operation, who);
          }),
        remove: (operation) => this.#machine.local('marker', [null, null], () => void durable.marker.delete(operation)),
      },
      sha256,
      holder: this.holder,
      timing: world.scenario.timing,
      tell: () => {},
    };
  }

  #backend(balancer: Balancer): Backend {
    const nowMs = (): number => this.#around.world.schedule.nowMs;
    const past = new PastCounters();
    return {
      read: (signal) =>
        this.#at(balancer, 'reading', signal, ['backend.read', null], false, () => {
          this.#garble(balancer.id);
          balancer.readAtMs.set(this.holder, nowMs());
          if (this.#isLeased()) balancer.readLeasedAtMs.set(this.holder, nowMs());
          const reading = balancer.read(nowMs());
          const late = this.#strikes('counters-late') ? past.instead('late', reading) : null;
          const twice = this.#strikes('counters-twice') ? past.instead('twice', reading) : null;
          past.note(reading, nowMs());
          const told = late ?? twice ?? reading;
          this.#around.onRead({ by: this, leased: this.#isLeased(), kind: 'backend', balancer, reading: told });
          return told;
        }),
      attempts: (servers, signal) =>
        this.#at(balancer, 'counting at', signal, ['backend.attempts', null], false, () => {
          expectServers(balancer, servers);
          return balancer.attempts(servers, nowMs());
        }),
      setWeights: (values, signal) => {
        const issued = this.#issue();
        const points = ['backend.setWeights/before', 'backend.setWeights/after'] as const;
        return this.#at(balancer, 'weights at', signal, points, true, (landing) => {
          expectServers(balancer, Object.keys(values));
          refuseWeights(balancer, values);
          this.#write({ ...issued, kind: 'weights', balancer, values: part(values, landing), ...landing });
        });
      },
      setStates: (values, signal) => {
        const issued = this.#issue();
        const points = ['backend.setStates/before', 'backend.setStates/after'] as const;
        return this.#at(balancer, 'states at', signal, points, true, (landing) => {
          expectServers(balancer, Object.keys(values));
          this.#write({ ...issued, kind: 'states', balancer, values: part(values, landing), ...landing });
        });
      },
    };
  }

  #group(side: Side): Group {
    const { world } = this.#around;
    const fleet = world.fleet(side);
    const look = (): GroupReading => byWallClock(fleet.read());
    let older = look();
    let olderAtMs = world.schedule.nowMs;
    return {
      read: (signal) =>
        this.#remote(`reading the ${side}`, signal, ['group.read', null], false, () => {
          this.#garble(`the ${side}`);
          const reading = look();
          const nowMs = world.schedule.nowMs;
          const stale = nowMs - olderAtMs <= staleMsMax && this.#strikes('stale-read');
          const answer = stale ? older : reading;
          if (nowMs - olderAtMs >= staleMsMax / 2) [older, olderAtMs] = [reading, nowMs];
          this.#around.onRead({ by: this, leased: this.#isLeased(), kind: 'group', side, reading: answer });
          return this.#strikes('reading-missing') ? { ...answer, build: unknown('the image was not told') } : answer;
        }),
      resize: (size, signal) => {
        const issued = this.#issue();
        const points = ['group.resize/before', 'group.resize/after'] as const;
        return this.#remote(`resizing the ${side}`, signal, points, true, (landing) => {
          refuseSize(fleet, size);
          this.#write({ ...issued, kind: 'resize', side, size, ...landing });
        });
      },
    };
  }

  #issue(): Pick<Write, 'by' | 'issuedAtMs' | 'issuedSeq' | 'leased'> {
    const { world, durable, operation } = this.#around;
    const { nowMs } = world.schedule;
    // Nobody knows how long he has slept before he has looked at a clock.
    const hasJustWoken = this.pausedUntilMs === nowMs;
    return {
      by: this.holder,
      issuedAtMs: nowMs,
      issuedSeq: durable.head(operation).seq,
      leased: hasJustWoken || this.#isLeased(),
    };
  }

  #isLeased(): boolean {
    const { durable, operation, wallMs } = this.#around;
    return durable.leaseHolder(operation, wallMs()) === this.holder;
  }

  #write(write: Write): void {
    const { world, onWrite } = this.#around;
    world.advance();
    onWrite(write, 'before');
    applyWrite(world, write);
    onWrite(write, 'after');
    world.changed();
  }

  #reach(balancer: Balancer): void {
    if (balancer.reachable) return;
    throw new PortError('unreachable', `${balancer.id} does not answer`, { retriable: true });
  }

  #garble(what: string): void {
    if (!this.#strikes('reading-missing')) return;
    throw new PortError('protocol', `the reply of ${what} makes no sense`, { retriable: true });
  }

  /** A call to a balancer: while that cannot be reached it refuses the connection, or takes it and says nothing. */
  #at<T>(
    balancer: Balancer,
    doing: string,
    signal: AbortSignal,
    points: Points,
    writes: boolean,
    perform: (landing: Landing) => T,
  ): Promise<T> {
    const reach = (landing: Landing): T => {
      this.#reach(balancer);
      return perform(landing);
    };
    const hangs = (): boolean => balancer.mute && !balancer.reachable;
    return this.#remote(`${doing} ${balancer.id}`, signal, points, writes, reach, hangs);
  }

  #remote<T>(
    what: string,
    signal: AbortSignal,
    points: Points,
    writes: boolean,
    perform: (landing: Landing) => T,
    hangs = (): boolean => false,
  ): Promise<T> {
    const glance = points[0] === 'backend.attempts';
    return this.#machine.remote({ what, signal, points, writes, glance, hangs, perform });
  }
}

type Points = PointsOf<CrashPoint>;

const staleMsMax = 30_000;

/** The world counts from its own beginning; a provider tells the time of day. */
function byWallClock(reading: GroupReading): GroupReading {
  const instances = reading.instances.map((one) => ({ ...one, startedAtMs: epochMs + one.startedAtMs }));
  return { ...reading, instances };
}

/** A balancer takes its commands one by one: one that is cut off in the middle has done the first of them. */
function part<T>(values: Readonly<Record<string, T>>, landing: Landing): Readonly<Record<string, T>> {
  if (!landing.partly) return values;
  const entries = Object.entries(values);
  return Object.fromEntries(entries.slice(0, Math.ceil(entries.length / 2)));
}

function applyWrite(world: World, write: Write): void {
  const { nowMs } = world.schedule;
  const stray = write.stray ? ' (late)' : '';
  if (write.kind === 'resize') {
    world.note(`${write.by} resizes the ${write.side} to ${JSON.stringify(write.size)}${stray}`);
    world.fleet(write.side).resize(write.size);
    return;
  }
  const { balancer } = write;
  world.note(`${write.by} writes ${write.kind} at ${balancer.id}: ${JSON.stringify(write.values)}${stray}`);
  for (const [name, value] of Object.entries(write.values)) {
    balancer.write(name, typeof value === 'number' ? { weight: value } : { admin: value }, nowMs);
    const server = balancer.server(name);
    if (write.stray && server !== undefined) server.strayAtMs = nowMs;
  }
}
