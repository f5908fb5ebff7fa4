import type { AdminState } from '../../../src/core/observed/backend.ts';
import type { Balancer } from '../../../src/sim/world/balancer.ts';
import type { BackendHarness, Ledger } from '../../contract/backend.ts';
import { edge, openWorld, type QuietWorld } from './world.ts';

/** The simulator's balancer in front of three servers, as a controller's port shows it. */
export async function openSimulated(putAside: Readonly<Record<number, AdminState>> = {}): Promise<BackendHarness> {
  const quiet = openWorld({
    origin: { size: { min: 3, max: 3, desired: 3 }, capacityRps: 1e9, resizable: true, startMs: [1000, 3000] },
    balancers: [{ id: edge, portion: 1, originWeights: [100, 100, 100], putAside, others: 0 }],
  });
  const { world, time } = quiet;
  const balancer = world.balancers.get(edge);
  const backend = quiet.controller().backends[edge];
  if (balancer === undefined || backend === undefined) throw new Error('this world has no balancer');
  world.ratios.set('failing', 1);
  return {
    backend,
    servers: balancer.servers.map(({ name }) => name),
    traffic: (requests) => traffic(quiet, balancer, requests),
    async behave(name, behaviour) {
      const instance = world.origin.at(balancer.server(name)?.slot ?? -1);
      if (instance === undefined) throw new Error(`nothing runs behind ${name}`);
      world.advance();
      instance.answers = behaviour !== 'refuse';
      instance.build = behaviour === 'answer' ? 'origin-1' : 'failing';
      world.manners.set('failing', behaviour === 'close' ? 'silent' : 'errors');
    },
    async restart() {
      balancer.reload(world.schedule.nowMs);
    },
    async kill() {
      balancer.reachable = false;
    },
    async freeze() {
      balancer.reachable = false;
      balancer.mute = true;
      return async () => {
        balancer.reachable = true;
        balancer.mute = false;
      };
    },
    signalAfter: (ms) => time.signalAfter(ms),
    close: async () => undefined,
  };
}

/** A second's load in ten parts, and then as many parts as are still missing. Users' books are not the servers' counters. */
async function traffic({ world, time }: QuietWorld, balancer: Balancer, requests: number): Promise<Ledger> {
  world.advance();
  const before = { users: usersOf(balancer), servers: booksOf(balancer) };
  for (;;) {
    const { answered, failed } = since(before.users, usersOf(balancer));
    if (answered + failed >= requests) break;
    world.loadRps = requests;
    await time.pass(100);
    world.advance();
  }
  world.loadRps = 0;
  await time.pass(1);
  world.advance();
  const books = booksOf(balancer);
  const servers = Object.fromEntries(
    Object.entries(before.servers).map(([name, was]) => [name, since(was, books[name] ?? was)]),
  );
  return { servers, users: since(before.users, usersOf(balancer)) };
}

type Book = { readonly answered: number; readonly failed: number };

function usersOf({ counts, unserved }: Balancer): Book {
  const failed = counts.originFailures + counts.destinationFailures;
  return { answered: counts.originAttempts + counts.destinationAttempts - failed, failed: failed + unserved };
}

function booksOf({ servers }: Balancer): Readonly<Record<string, Book>> {
  return Object.fromEntries(
    servers.map(({ name, attempts, answered, refused, inFlight }) => {
      return [name, { answered, failed: attempts - answered - refused - inFlight }];
    }),
  );
}

function since(before: Book, now: Book): Book {
  return { answered: now.answered - before.answered, failed: now.failed - before.failed };
}
