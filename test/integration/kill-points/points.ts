import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Journal, World } from '../../../src/cli/context.ts';
import type { BackendReading } from '../../../src/core/observed/backend.ts';
import type { BackMarker } from '../../../src/engine/operation-ports.ts';
import type { Backend, Group } from '../../../src/engine/ports.ts';

/** A moment of a rollout: right before or after one thing that it does to its journal or to the world. */
export type Point = {
  readonly when: 'before' | 'after';
  /** What is done, with everything that it says. */
  readonly what: string;
  /** The same is done several times: which of them, from 1. */
  readonly nth: number;
};

/** What this process does to itself at a point: it dies with nothing that could be tidied up, or stops until somebody wakes it. */
export type Fate = { readonly at: Point; readonly signal: 'SIGKILL' | 'SIGSTOP' };

/** Every point is written to `log` when it is reached. */
export function pointsTo(log: string, fate: Fate | null): Reach {
  const counts = new Map<string, number>();
  const reach = (when: Point['when'], what: string, nth: number) => {
    appendFileSync(log, `${JSON.stringify({ when, what, nth } satisfies Point)}\n`);
    if (fate === null) return;
    const { at, signal } = fate;
    if (at.when === when && at.what === what && at.nth === nth) process.kill(process.pid, signal);
  };
  return async (what, act) => {
    const nth = (counts.get(what) ?? 0) + 1;
    counts.set(what, nth);
    reach('before', what, nth);
    const result = await act();
    reach('after', what, nth);
    return result;
  };
}

export type Reach = <T>(what: string, act: () => Promise<T>) => Promise<T>;

/** The same world, which passes a point before and after everything that it writes. */
export function withPoints(world: World, reach: Reach): World {
  return {
    ...world,
    async openJournal(path, options) {
      const journal = await world.openJournal(path, options);
      return options.readOnly ? journal : journalWithPoints(journal, reach);
    },
    openBackends: (balancer, traffic) =>
      world
        .openBackends(balancer, traffic)
        .map((one) => ({ ...one, backend: backendWithPoints(one.id, one.backend, reach) })),
    openGroup(service, side, options) {
      const { group, close } = world.openGroup(service, side, options);
      return { group: groupWithPoints(`${service.name}.${side}`, group, reach), close };
    },
    startBalancer: (config, name, stateDirectory, signal) =>
      reach(`start ${name}`, () => world.startBalancer(config, name, stateDirectory, signal)),
    openMarker: (stateDirectory) => markerWithPoints(world.openMarker(stateDirectory), reach),
  };
}

function journalWithPoints(journal: Journal, reach: Reach): Journal {
  let isTaken = false;
  return {
    append: (expected, entries) =>
      reach(`append ${expected.operation}: ${entries.map(({ body }) => body.kind).join(' + ')}`, () =>
        journal.append(expected, entries),
      ),
    read: (operation, afterSeq) => journal.read(operation, afterSeq),
    heads: () => journal.heads(),
    close: () => journal.close(),
    leases: {
      // Renewing comes as often as time passes, and changes nothing.
      acquire(operation, holder, nowMs, ttlMs) {
        const acquire = () => journal.leases.acquire(operation, holder, nowMs, ttlMs);
        if (isTaken) return acquire();
        isTaken = true;
        return reach(`take the lease of ${operation}`, acquire);
      },
      release: (operation, holder) =>
        reach(`release the lease of ${operation}`, () => journal.leases.release(operation, holder)),
      holderOf: (operation) => journal.leases.holderOf(operation),
    },
    samples: {
      put: (operation, block, samples) =>
        reach(`store samples of ${operation}`, () => journal.samples.put(operation, block, samples)),
      read: (operation, block) => journal.samples.read(operation, block),
      prune: (operation, keepBlocks) => journal.samples.prune(operation, keepBlocks),
    },
  };
}

/** Named by what it changes: where a reading was given up for something more urgent, what stays as it is is written as well. */
function backendWithPoints(id: string, backend: Backend, reach: Reach): Backend {
  let seen: BackendReading['servers'] = [];
  const changes = <T>(wanted: Readonly<Record<string, T>>, is: (server: BackendReading['servers'][number]) => T) => {
    const changed = Object.entries(wanted).filter(([name, value]) =>
      seen.every((server) => server.name !== name || is(server) !== value),
    );
    return JSON.stringify(Object.fromEntries(changed));
  };
  return {
    async read(signal) {
      const reading = await backend.read(signal);
      seen = reading.servers;
      return reading;
    },
    attempts: (servers, signal) => backend.attempts(servers, signal),
    setWeights: (weights, signal) =>
      reach(`weights at ${id}: ${changes(weights, ({ weight }) => weight)}`, () => backend.setWeights(weights, signal)),
    setStates: (states, signal) =>
      reach(`states at ${id}: ${changes(states, ({ admin }) => admin)}`, () => backend.setStates(states, signal)),
  };
}

function groupWithPoints(name: string, group: Group, reach: Reach): Group {
  return {
    read: (signal) => group.read(signal),
    resize: (size, signal) => reach(`size of ${name}: ${JSON.stringify(size)}`, () => group.resize(size, signal)),
  };
}

function markerWithPoints(marker: BackMarker, reach: Reach): BackMarker {
  return {
    read: (operation) => marker.read(operation),
    write: (operation, who) => reach(`marker of ${operation}`, () => marker.write(operation, who)),
    remove: (operation) => reach(`no marker of ${operation}`, () => marker.remove(operation)),
  };
}

/** The points of a log, in order; none where nothing was written yet. */
export function pointsIn(log: string): Point[] {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  return lines.map((line) => JSON.parse(line) as Point);
}
