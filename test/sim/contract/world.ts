import type { OperationPorts } from '../../../src/engine/operation-ports.ts';
import type { Backend, Group } from '../../../src/engine/ports.ts';
import { Controller, epochMs } from '../../../src/sim/controller.ts';
import { Random } from '../../../src/sim/random.ts';
import { drawScenario, type Scenario } from '../../../src/sim/scenario.ts';
import { Schedule } from '../../../src/sim/schedule.ts';
import { Durable } from '../../../src/sim/stores.ts';
import { World } from '../../../src/sim/world/world.ts';
import { type VirtualTime, virtualTime } from './virtual-time.ts';

export const edge = 'edge';

/** A simulated world in which nothing goes wrong by itself, as its controllers see it. */
export type QuietWorld = {
  readonly world: World;
  readonly durable: Durable;
  readonly time: VirtualTime;
  /** From now on the disk takes nothing more. */
  fillDisk(): void;
  /** Another controller process; virtual time goes on while one of its calls is waited for. */
  controller(): OperationPorts;
};

export type Changes = Partial<Pick<Scenario, 'origin' | 'destination' | 'balancers' | 'faults'>>;

const none = {
  size: { min: 0, max: 0, desired: 0 },
  capacityRps: 1e9,
  resizable: true,
  startMs: [1000, 3000],
} as const;

export function openWorld(changes: Changes): QuietWorld {
  const scenario: Scenario = {
    ...drawScenario(1),
    origin: none,
    destination: none,
    balancers: [{ id: edge, portion: 1, originWeights: [], putAside: {}, others: 0 }],
    load: { baseRps: 0, amplitude: 0, periodMs: 1, phase: 0 },
    // Only what a test breaks fails: builds differ by their ratios alone.
    baseline: 1,
    ratio: 0,
    faults: {},
    ...changes,
  };
  const random = new Random(scenario.seed).fork('contract');
  const schedule = new Schedule();
  const world = new World(scenario, schedule, random.fork('world'));
  world.ratios.set('origin-1', 0);
  const durable = new Durable();
  const time = virtualTime(schedule);
  let controllers = 0;
  let isFull = false;
  return {
    world,
    durable,
    time,
    fillDisk() {
      isFull = true;
    },
    controller() {
      controllers += 1;
      const { ports } = new Controller(`controller ${controllers}`, {
        world,
        durable,
        operation: 'op',
        random: random.fork(`controller ${controllers}`),
        onWrite: () => undefined,
        onRead: () => undefined,
        suffered: () => undefined,
        crashes: () => false,
        diskFull: () => isFull,
        stalledUntilMs: () => 0,
        wallMs: () => epochMs + schedule.nowMs,
      });
      return inVirtualTime(ports, time);
    },
  };
}

/** Every call but the clock's, which is what moves on: whoever sleeps says how much time passes. */
function inVirtualTime(ports: OperationPorts, { during }: VirtualTime): OperationPorts {
  const { journal, leases, samples, marker } = ports;
  return {
    ...ports,
    journal: {
      append: (expected, entries) => during(journal.append(expected, entries)),
      read: (operation, afterSeq) => during(journal.read(operation, afterSeq)),
      heads: () => during(journal.heads()),
      close: () => during(journal.close()),
    },
    leases: {
      acquire: (operation, holder, nowMs, ttlMs) => during(leases.acquire(operation, holder, nowMs, ttlMs)),
      release: (operation, holder) => during(leases.release(operation, holder)),
      holderOf: (operation) => during(leases.holderOf(operation)),
    },
    samples: {
      put: (operation, block, text) => during(samples.put(operation, block, text)),
      read: (operation, block) => during(samples.read(operation, block)),
      prune: (operation, keepBlocks) => during(samples.prune(operation, keepBlocks)),
    },
    marker: {
      read: (operation) => during(marker.read(operation)),
      write: (operation, who) => during(marker.write(operation, who)),
      remove: (operation) => during(marker.remove(operation)),
    },
    backends: Object.fromEntries(
      Object.entries(ports.backends).map(([id, backend]) => [id, backendInVirtualTime(backend, during)]),
    ),
    origin: groupInVirtualTime(ports.origin, during),
    destination: groupInVirtualTime(ports.destination, during),
  };
}

function backendInVirtualTime(backend: Backend, during: VirtualTime['during']): Backend {
  return {
    read: (signal) => during(backend.read(signal)),
    attempts: (servers, signal) => during(backend.attempts(servers, signal)),
    setWeights: (weights, signal) => during(backend.setWeights(weights, signal)),
    setStates: (states, signal) => during(backend.setStates(states, signal)),
  };
}

function groupInVirtualTime(group: Group, during: VirtualTime['during']): Group {
  return {
    read: (signal) => during(group.read(signal)),
    resize: (size, signal) => during(group.resize(size, signal)),
  };
}
