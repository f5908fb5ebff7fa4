import type { ServerCounters } from '../../../src/core/observed/backend.ts';
import { systemClock } from '../../../src/io/clock/system.ts';
import type { Behaviour } from '../../contract/backend.ts';
import { type HaproxyHarness, openHaproxy } from '../haproxy-harness.ts';
import { type Controller, servers, startController } from './controller.ts';
import type { Fault, Outcome, Setting } from './fault.ts';
import { type BookedServer, type Books, bookedServer, type Manner } from './servers.ts';
import { openUsers, type Users } from './users.ts';

/** Where a fault is played: real HAProxies, servers that keep books, users with a ledger, and a controller that looks on and acts. */
export type Scene = {
  readonly haproxies: readonly HaproxyHarness[];
  readonly users: Users;
  readonly controller: Controller;
  /** Both servers of a side, at every HAProxy, do this from the next request on. */
  does(side: 'origin' | 'destination', manner: Manner): void;
  behaves(side: 'origin' | 'destination', behaviour: Behaviour): Promise<void>;
  /** Until the controller has begun and ended so many passes more. */
  passes(count: number): Promise<void>;
  /** Asks until the controller has taken the way back to its end, and then a little more. */
  untilBack(): Promise<void>;
  until(isSo: () => boolean, what: string): Promise<void>;
  books(side: 'origin' | 'destination'): Books;
  /** Requests that the servers have, and have not ended. */
  busy(): number;
  /** Requests that the balancers have given to servers, and that have not ended, as last read. */
  open(): number;
  /** The sum of a counter over all servers, at the end. */
  noteCounter(name: string, counter: keyof ServerCounters): void;
  note(name: string, value: number): void;
};

/** `open` has, while it is played, what ends everything that was started for it. */
export async function playFault(fault: Fault, open = new Set<() => Promise<void>>()): Promise<Outcome> {
  const closing: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closing.toReversed()) await close();
  };
  open.add(closeAll);
  try {
    const { scene, outcome } = await openScene(fault.setting ?? {}, (close) => void closing.push(close));
    await fault.play(scene);
    return await outcome();
  } finally {
    await closeAll();
    open.delete(closeAll);
  }
}

type Opened = { readonly scene: Scene; readonly outcome: () => Promise<Outcome> };

async function openScene(setting: Setting, onClose: (close: () => Promise<void> | void) => void): Promise<Opened> {
  const haproxies: HaproxyHarness[] = [];
  for (let at = 0; at < (setting.haproxies ?? 1); at++) {
    const haproxy = await openFront(setting);
    onClose(haproxy.close);
    haproxies.push(haproxy);
  }
  const users = openUsers(haproxies[0]?.url ?? '');
  onClose(users.close);
  const booked = haproxies.flatMap(({ upstreams }) => upstreams.map(bookedServer));
  await setting.before?.(users, doesOf(booked), () => busyOf(booked));
  const backends = Object.fromEntries(
    haproxies.map(({ backend }, at) => [at === 0 ? 'edge' : `edge-${at + 1}`, backend]),
  );
  const controller = await startController({ backends, objective: setting.objective ?? 0.01 });
  onClose(controller.stop);
  const notes: Record<string, number> = {};
  const counters: Record<string, keyof ServerCounters> = {};
  const scene = sceneOf({ haproxies, users, controller, booked, notes, counters });
  await scene.passes(1);
  return {
    scene,
    async outcome() {
      await controller.settle();
      for (const [name, counter] of Object.entries(counters)) notes[name] = sumOf(controller, counter);
      return outcomeOf(users, booked, controller, notes);
    },
  };
}

/** Configured as before a rollout; as it runs every server carries the same. */
async function openFront({ lines = [], defaults = [], server = '' }: Setting): Promise<HaproxyHarness> {
  const front = await openHaproxy({
    names: servers,
    process: { defaults },
    backend: ['balance roundrobin', ...lines],
    server: (name) => `weight ${name.startsWith('old') ? 100 : 0} ${server}`,
  });
  await front.backend.setWeights({ 'new-1': 100, 'new-2': 100 }, AbortSignal.timeout(20_000));
  return front;
}

type Parts = Pick<Scene, 'haproxies' | 'users' | 'controller'> & {
  readonly booked: readonly BookedServer[];
  readonly notes: Record<string, number>;
  readonly counters: Record<string, keyof ServerCounters>;
};

function sceneOf({ haproxies, users, controller, booked, notes, counters }: Parts): Scene {
  const until = async (isSo: () => boolean, what: string) => {
    const endsAt = performance.now() + 30_000;
    while (!isSo()) {
      if (performance.now() > endsAt) throw new Error(`in 30 s it did not come to this: ${what}`);
      await systemClock.sleep(20, never);
    }
  };
  return {
    haproxies,
    users,
    controller,
    until,
    does: doesOf(booked),
    books: (side) => booksOf(booked, side),
    busy: () => busyOf(booked),
    open: () => sumOf(controller, 'scur'),
    noteCounter(name, counter) {
      counters[name] = counter;
    },
    async behaves(side, behaviour) {
      const upstreams = haproxies.flatMap((haproxy) => haproxy.upstreams);
      for (const upstream of upstreams) if (sideOf(upstream.name) === side) await upstream.behave(behaviour);
    },
    passes(count) {
      const first = controller.passes();
      return until(() => controller.passes() >= first + count, 'the controller looks');
    },
    async untilBack() {
      await users.askUntil(() => controller.decided.at(-1) === 'rolled-back', 'rolled back');
      await users.ask(20);
    },
    note(name, value) {
      notes[name] = value;
    },
  };
}

function doesOf(booked: readonly BookedServer[]): Scene['does'] {
  return (side, manner) => {
    for (const server of booked) if (sideOf(server.name) === side) server.does(manner);
  };
}

function sumOf(controller: Controller, counter: keyof ServerCounters): number {
  let sum = 0;
  for (const { reading } of Object.values(controller.seen().backends)) {
    if (reading.known) for (const { counters } of reading.value.servers) sum += counters[counter];
  }
  return sum;
}

const never = new AbortController().signal;

function outcomeOf(
  { ledger }: Users,
  booked: readonly BookedServer[],
  controller: Controller,
  notes: Outcome['notes'],
) {
  const how: Record<string, number> = {};
  for (const line of ledger) how[line.how] = (how[line.how] ?? 0) + 1;
  const ended = (end: string) => ledger.filter((line) => line.end === end).length;
  return {
    users: {
      asked: ledger.length,
      answered: ended('answered'),
      failed: ended('failed'),
      left: ended('left'),
      how,
    },
    books: { origin: booksOf(booked, 'origin'), destination: booksOf(booked, 'destination') },
    counted: controller.counted(),
    decided: [...controller.decided],
    notes,
  };
}

function booksOf(booked: readonly BookedServer[], side: 'origin' | 'destination'): Books {
  const sum = { taken: 0, answered: 0, failed: 0 };
  for (const { name, books } of booked) {
    if (sideOf(name) !== side) continue;
    sum.taken += books.taken;
    sum.answered += books.answered;
    sum.failed += books.failed;
  }
  return sum;
}

function busyOf(booked: readonly BookedServer[]): number {
  return booked.reduce((sum, { books }) => sum + books.taken - books.answered - books.failed, 0);
}

function sideOf(server: string): 'origin' | 'destination' {
  return server.startsWith('old') ? 'origin' : 'destination';
}
