import { plantedParts, testPlanted, type Wrong } from '../../contract/clauses.ts';
import {
  type JournalHarness,
  journalBringing,
  journalClauses,
  journalContract,
  type OpenJournal,
} from '../../contract/journal.ts';
import { openWorld } from './world.ts';

journalContract('simulated', open, { runs: 60 });

/** Each connection is a controller of its own. */
async function open(): Promise<JournalHarness> {
  const { controller } = openWorld({});
  const connect = async (): Promise<OpenJournal> => {
    const { journal, leases, samples } = controller();
    return { ...journal, leases, samples };
  };
  return { journal: await connect(), connect, close: async () => undefined };
}

const wrong: readonly Wrong<OpenJournal>[] = [
  {
    wrong: 'the head is looked at first, and what was expected is not compared again when it is written',
    clause: 'of all that append on one head at the same time, exactly one wins',
    as: (journal) => ({
      async append(expected, entries) {
        const isSame = !(await journal.heads()).some(
          (head) => head.operation === expected.operation && head.hash !== expected.hash,
        );
        await journal.append(expected, entries);
        return isSame ? 'appended' : 'conflict';
      },
    }),
  },
  {
    wrong: 'an append on an old head is taken',
    clause: 'an append on any head but the last one writes nothing',
    as: () => ({ append: async () => 'appended' as const }),
  },
  {
    wrong: 'entries that do not follow are left out instead of refused',
    clause: 'entries that are not one run behind the expected head are refused as a mistake',
    as: (journal) => ({
      append: (expected, entries) => journal.append(expected, entries).catch(() => 'conflict' as const),
    }),
  },
  {
    wrong: 'the fence stays where it is when the lease changes hands',
    clause: 'when it has expired another one takes it with a higher fence, and the first one has lost it',
    as: ({ leases }) => ({
      leases: {
        async acquire(operation, holder, nowMs, ttlMs) {
          const lease = await leases.acquire(operation, holder, nowMs, ttlMs);
          return lease.held ? { ...lease, fence: 1 } : lease;
        },
        release: (operation, holder) => leases.release(operation, holder),
        holderOf: (operation) => leases.holderOf(operation),
      },
    }),
  },
  {
    wrong: 'a lease can be given back by anybody',
    clause: 'given back it is free at once, and the fence goes on; only its holder can give it back',
    as: ({ leases }) => ({
      leases: {
        acquire: (operation, holder, nowMs, ttlMs) => leases.acquire(operation, holder, nowMs, ttlMs),
        async release(operation) {
          for (const holder of ['a', 'b']) await leases.release(operation, holder);
        },
        holderOf: (operation) => leases.holderOf(operation),
      },
    }),
  },
  {
    wrong: 'who looks takes it away from its holder',
    clause: 'who holds it is told without touching it, also when it has expired; nobody does once it is given back',
    as: ({ leases }) => ({
      leases: {
        acquire: (operation, holder, nowMs, ttlMs) => leases.acquire(operation, holder, nowMs, ttlMs),
        release: (operation, holder) => leases.release(operation, holder),
        async holderOf(operation) {
          const found = await leases.holderOf(operation);
          if (found !== null) await leases.release(operation, found.holder);
          return found;
        },
      },
    }),
  },
  {
    wrong: 'pruning takes the newest',
    clause: 'pruning keeps the newest blocks of one operation and tells how many went',
    as: ({ samples }) => ({
      samples: { ...samples, prune: (operation, keep) => samples.prune(operation, keep === 2 ? 0 : keep) },
    }),
  },
];

testPlanted<JournalHarness>(
  'contract of a journal',
  journalClauses(open, 20),
  journalBringing(open),
  plantedParts(wrong, (harness, mistaken) => ({
    ...harness,
    journal: mistaken(harness.journal),
    connect: async () => mistaken(await harness.connect()),
  })),
);
