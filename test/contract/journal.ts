import fc from 'fast-check';
import { expect } from 'vitest';
import { type Draft, seal } from '../../src/core/journal/chain.ts';
import { type Entry, type EventBody, emptyHead, type Head } from '../../src/core/journal/entry.ts';
import { exportLine } from '../../src/core/journal/export.ts';
import { verifyChain } from '../../src/core/journal/verify.ts';
import type { JournalStore, LeaseStore, SampleStore } from '../../src/engine/ports.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { type Bringing, collectClauses, testClauses, type Write } from './clauses.ts';

export type OpenJournal = JournalStore & { readonly leases: LeaseStore; readonly samples: SampleStore };

/** A journal without entries, and any number of connections to it, as different controllers have them. */
export type JournalHarness = {
  readonly journal: OpenJournal;
  connect(): Promise<OpenJournal>;
  /** Closes all connections and removes what was stored. */
  close(): Promise<void>;
};

/** What every JournalStore, LeaseStore and SampleStore must do. `runs`: how many examples each property tries. */
export function journalContract(
  name: string,
  open: () => Promise<JournalHarness>,
  { runs }: { readonly runs: number },
): void {
  testClauses(`contract of a journal: ${name}`, journalClauses(open, runs), journalBringing(open));
}

export function journalClauses(open: () => Promise<JournalHarness>, runs: number) {
  return collectClauses<JournalHarness>(
    readingClauses,
    appendingClauses,
    racingClauses,
    (write) => appendProperty(write, open, runs),
    leaseClauses,
    leaseViewClauses,
    (write) => leaseProperty(write, open, runs),
    sampleClauses,
  );
}

export function journalBringing(open: () => Promise<JournalHarness>): Bringing<JournalHarness> {
  return { open, close: (harness) => harness.close() };
}

function draft(body: EventBody & Readonly<Record<string, unknown>>): Draft {
  return { body, actor: 'alice', atMs: 1_763_941_445_000, rules: 1 };
}

function sealed(head: Head, ...kinds: readonly string[]): { readonly entries: readonly Entry[]; readonly head: Head } {
  return seal(
    head,
    kinds.map((kind) => draft({ kind })),
    sha256,
  );
}

function readingClauses(write: Write<JournalHarness>): void {
  write('a journal without entries has no heads and no chains', async (harness) => {
    expect(await harness.journal.heads()).toEqual([]);
    expect(await harness.journal.read('nobody', 0)).toEqual([]);
  });

  write('entries come back exactly as they were sealed, so that their hashes still fit', async (harness) => {
    const { journal } = harness;
    const odd: unknown = JSON.parse(
      '{"__proto__":{"a":1},"":0,"nested":[[],{},[null,true,"x"]],"tiny":5e-324,"big":1e300}',
    );
    const drafts = [
      draft({ kind: 'text', text: 'line\nbreak "quoted" \\ \u0000 \u2028 \u{1f600} Grüße' }),
      draft({ kind: 'odd', odd, zero: -0, share: 0.1 + 0.2, large: Number.MAX_SAFE_INTEGER }),
      { body: { kind: 'x' }, actor: 'Ωmega "the" user\n', atMs: -1, rules: 7 },
    ];
    const { entries, head } = seal(emptyHead('rollout-query-1'), drafts, sha256);
    expect(await journal.append(emptyHead('rollout-query-1'), entries)).toBe('appended');
    const found = await journal.read('rollout-query-1', 0);
    expect(verifyChain(found, sha256)).toEqual([]);
    expect(found.map(exportLine)).toEqual(entries.map(exportLine));
    expect(await journal.heads()).toEqual([head]);
  });

  write('reading starts behind the sequence number that is already known', async (harness) => {
    const { journal } = harness;
    const { entries } = sealed(emptyHead('op'), 'a', 'b', 'c', 'd');
    await journal.append(emptyHead('op'), entries);
    expect((await journal.read('op', 2)).map(({ seq }) => seq)).toEqual([3, 4]);
    expect(await journal.read('op', 4)).toEqual([]);
    expect(await journal.read('op', 99)).toEqual([]);
  });

  write('chains do not see each other, whatever they are called', async (harness) => {
    const { journal } = harness;
    const names = ['op', 'OP', 'op ', 'öp', 'op%', "o'p", '\u{1f600}', '\uffee'];
    for (const operation of names) {
      const { entries } = sealed(emptyHead(operation), ...Array.from(operation));
      expect(await journal.append(emptyHead(operation), entries)).toBe('appended');
    }
    expect(new Set((await journal.heads()).map(({ operation }) => operation))).toEqual(new Set(names));
    for (const operation of names) {
      const found = await journal.read(operation, 0);
      expect(found.map(({ body }) => body.kind)).toEqual(Array.from(operation));
      expect(await journal.heads()).toContainEqual({ operation, seq: found.length, hash: found.at(-1)?.hash });
    }
  });

  write('every connection sees at once what another one has written', async (harness) => {
    const { journal, connect } = harness;
    const other = await connect();
    const first = sealed(emptyHead('op'), 'a');
    await journal.append(emptyHead('op'), first.entries);
    expect(await other.append(first.head, sealed(first.head, 'b').entries)).toBe('appended');
    expect((await journal.read('op', 0)).map(({ body }) => body.kind)).toEqual(['a', 'b']);
  });
}

function appendingClauses(write: Write<JournalHarness>): void {
  const written = async ({ journal }: JournalHarness) => (await journal.read('op', 0)).map(({ body }) => body.kind);

  write('an append on any head but the last one writes nothing', async (harness) => {
    const { journal } = harness;
    const first = sealed(emptyHead('op'), 'a', 'b');
    expect(await journal.append(emptyHead('op'), first.entries)).toBe('appended');
    const stale: readonly Head[] = [
      emptyHead('op'),
      { operation: 'op', seq: 1, hash: first.entries[0]?.hash ?? '' },
      { operation: 'op', seq: 2, hash: 'f'.repeat(64) },
      { operation: 'op', seq: 3, hash: first.head.hash },
    ];
    for (const head of stale) expect(await journal.append(head, sealed(head, 'lost', 'lost').entries)).toBe('conflict');
    const never: Head = { operation: 'never', seq: 1, hash: first.head.hash };
    expect(await journal.append(never, sealed(never, 'lost').entries)).toBe('conflict');
    expect(await written(harness)).toEqual(['a', 'b']);
    expect(await journal.heads()).toHaveLength(1);
    expect(await journal.append(first.head, sealed(first.head, 'c').entries)).toBe('appended');
    expect(await written(harness)).toEqual(['a', 'b', 'c']);
  });

  write('the same append twice is written once: after an error it may be tried again', async (harness) => {
    const { journal } = harness;
    const { entries } = sealed(emptyHead('op'), 'a', 'b');
    expect(await journal.append(emptyHead('op'), entries)).toBe('appended');
    expect(await journal.append(emptyHead('op'), entries)).toBe('conflict');
    expect(await written(harness)).toEqual(['a', 'b']);
  });

  write('an append of nothing only tells whether the head is still the same', async (harness) => {
    const { journal } = harness;
    expect(await journal.append(emptyHead('op'), [])).toBe('appended');
    expect(await journal.heads()).toEqual([]);
    const { entries, head } = sealed(emptyHead('op'), 'a');
    await journal.append(emptyHead('op'), entries);
    expect(await journal.append(emptyHead('op'), [])).toBe('conflict');
    expect(await journal.append(head, [])).toBe('appended');
  });

  write('entries that are not one run behind the expected head are refused as a mistake', async (harness) => {
    const { journal } = harness;
    const { entries } = sealed(emptyHead('op'), 'a', 'b', 'c');
    const other = sealed(emptyHead('other'), 'x').entries;
    for (const wrong of [entries.slice(1), entries.toReversed(), [...entries, ...entries], other]) {
      await expect(journal.append(emptyHead('op'), wrong)).rejects.toThrow('does not follow');
    }
    expect(await journal.heads()).toEqual([]);
  });

  write('a large group is one write', async (harness) => {
    const { journal } = harness;
    const { entries, head } = sealed(emptyHead('op'), ...Array.from({ length: 5000 }, (_, index) => `k${index}`));
    expect(await journal.append(emptyHead('op'), entries)).toBe('appended');
    expect(await journal.heads()).toEqual([head]);
    expect(verifyChain(await journal.read('op', 0), sha256)).toEqual([]);
  });
}

function racingClauses(write: Write<JournalHarness>): void {
  write('of all that append on one head at the same time, exactly one wins', async (harness) => {
    const { journal, connect } = harness;
    const connections = [journal, await connect(), await connect(), await connect()];
    let head = emptyHead('op');
    for (let round = 0; round < 25; round += 1) {
      const attempts = connections.map((_, index) => sealed(head, `${round}/${index}`, 'second'));
      const results = await Promise.all(
        connections.map((connection, index) => connection.append(head, attempts[index]?.entries ?? [])),
      );
      expect(results.filter((result) => result === 'appended')).toHaveLength(1);
      head = attempts[results.indexOf('appended')]?.head ?? head;
      expect(await journal.heads()).toEqual([head]);
    }
  });

  write('safety: appenders that try again until they win lose nothing and write nothing twice', async (harness) => {
    const { journal, connect } = harness;
    const appenders = [journal, await connect(), await connect()];
    await Promise.all(appenders.map((appender, index) => appendAll(appender, `appender ${index}`, 20)));
    const entries = await journal.read('op', 0);
    expect(verifyChain(entries, sha256)).toEqual([]);
    const kinds = entries.map(({ body }) => body.kind);
    for (let index = 0; index < appenders.length; index += 1) {
      const mine = kinds.filter((kind) => kind.startsWith(`appender ${index} `));
      expect(mine).toEqual(Array.from({ length: 20 }, (_, number) => `appender ${index} ${number}`));
    }
  });
}

function appendProperty(write: Write<JournalHarness>, open: () => Promise<JournalHarness>, runs: number): void {
  write(
    'property: under any order of appends on known, old and made-up heads, only those on the last one are written',
    async () => {
      const step = fc.record({
        connection: fc.nat({ max: 2 }),
        operation: fc.constantFrom('a', 'b', 'fleet'),
        /** How many entries ago the appender looked; -1: a head that never was. */
        behind: fc.integer({ min: -1, max: 3 }),
        count: fc.integer({ min: 1, max: 3 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
          await withHarness(open, async ({ journal, connect }) => {
            const connections = [journal, await connect(), await connect()];
            const model = new Map<string, Entry[]>();
            for (const { connection, operation, behind, count } of steps) {
              const chain = model.get(operation) ?? [];
              const known = headAt(operation, chain, Math.min(behind, chain.length));
              const { entries } = sealed(
                known,
                ...Array.from({ length: count }, (_, index) => `${chain.length}/${index}`),
              );
              const wins = behind === 0 || (behind > 0 && chain.length === 0);
              expect(await connections[connection]?.append(known, entries)).toBe(wins ? 'appended' : 'conflict');
              if (wins) model.set(operation, [...chain, ...entries]);
            }
            for (const [operation, chain] of model) expect(await journal.read(operation, 0)).toEqual(chain);
            expect(await journal.heads()).toHaveLength(model.size);
          });
        }),
        { numRuns: runs },
      );
    },
  );
}

async function appendAll(journal: JournalStore, name: string, count: number): Promise<void> {
  for (let number = 0; number < count; ) {
    const last = (await journal.read('op', 0)).at(-1);
    const head = last === undefined ? emptyHead('op') : { operation: 'op', seq: last.seq, hash: last.hash };
    if ((await journal.append(head, sealed(head, `${name} ${number}`).entries)) === 'appended') number += 1;
  }
}

function headAt(operation: string, chain: readonly Entry[], behind: number): Head {
  if (behind < 0) return { operation, seq: chain.length, hash: 'e'.repeat(64) };
  const entry = chain[chain.length - 1 - behind];
  return entry === undefined ? emptyHead(operation) : { operation, seq: entry.seq, hash: entry.hash };
}

async function withHarness(
  open: () => Promise<JournalHarness>,
  action: (harness: JournalHarness) => Promise<void>,
): Promise<void> {
  const harness = await open();
  try {
    await action(harness);
  } finally {
    await harness.close();
  }
}

function leaseViewClauses(write: Write<JournalHarness>): void {
  write(
    'who holds it is told without touching it, also when it has expired; nobody does once it is given back',
    async (harness) => {
      const { journal, connect } = harness;
      const other = await connect();
      expect(await other.leases.holderOf('op')).toBeNull();
      await journal.leases.acquire('op', 'a', 1000, 500);
      expect(await other.leases.holderOf('op')).toEqual({ holder: 'a', expiresAtMs: 1500 });
      expect(await journal.leases.acquire('op', 'b', 1499, 500)).toMatchObject({ held: false, holder: 'a' });
      expect(await journal.leases.acquire('op', 'b', 1500, 500)).toMatchObject({ held: true, fence: 2 });
      expect(await other.leases.holderOf('op')).toEqual({ holder: 'b', expiresAtMs: 2000 });
      await journal.leases.release('op', 'b');
      expect(await other.leases.holderOf('op')).toBeNull();
      expect(await other.leases.holderOf('another')).toBeNull();
    },
  );
}

function leaseClauses(write: Write<JournalHarness>): void {
  write('a free lease is taken, and renewed by its holder without a change of the fence', async (harness) => {
    const { leases } = harness.journal;
    expect(await leases.acquire('op', 'a', 1000, 500)).toEqual({ held: true, fence: 1, expiresAtMs: 1500 });
    expect(await leases.acquire('op', 'a', 1400, 500)).toEqual({ held: true, fence: 1, expiresAtMs: 1900 });
    expect(await leases.acquire('other', 'b', 1400, 500)).toEqual({ held: true, fence: 1, expiresAtMs: 1900 });
  });

  write(
    'while it lasts nobody else gets it, on any connection, and is told who holds it and until when',
    async (harness) => {
      const { journal, connect } = harness;
      const other = await connect();
      await journal.leases.acquire('op', 'a', 1000, 500);
      const refused = { held: false, holder: 'a', expiresAtMs: 1500 };
      expect(await other.leases.acquire('op', 'b', 1000, 500)).toEqual(refused);
      expect(await other.leases.acquire('op', 'b', 1499, 500)).toEqual(refused);
      expect(await journal.leases.acquire('op', 'a', 1499, 500)).toMatchObject({ held: true, fence: 1 });
    },
  );

  write(
    'when it has expired another one takes it with a higher fence, and the first one has lost it',
    async (harness) => {
      const { leases } = harness.journal;
      await leases.acquire('op', 'a', 1000, 500);
      expect(await leases.acquire('op', 'b', 1500, 500)).toEqual({ held: true, fence: 2, expiresAtMs: 2000 });
      expect(await leases.acquire('op', 'a', 1501, 500)).toEqual({ held: false, holder: 'b', expiresAtMs: 2000 });
      expect(await leases.acquire('op', 'a', 2000, 500)).toMatchObject({ held: true, fence: 3 });
    },
  );

  write('an expired lease that nobody took is still ours: it did not change hands', async (harness) => {
    const { leases } = harness.journal;
    await leases.acquire('op', 'a', 1000, 500);
    expect(await leases.acquire('op', 'a', 9000, 500)).toEqual({ held: true, fence: 1, expiresAtMs: 9500 });
  });

  write('given back it is free at once, and the fence goes on; only its holder can give it back', async (harness) => {
    const { leases } = harness.journal;
    await leases.release('op', 'a');
    await leases.acquire('op', 'a', 1000, 500);
    await leases.release('op', 'b');
    expect(await leases.acquire('op', 'b', 1001, 500)).toMatchObject({ held: false });
    await leases.release('op', 'a');
    expect(await leases.acquire('op', 'b', 1001, 500)).toMatchObject({ held: true, fence: 2 });
    await leases.release('op', 'b');
    expect(await leases.acquire('op', 'b', 1001, 500)).toMatchObject({ held: true, fence: 3 });
  });

  write('a caller whose clock is ahead takes it early: the fence tells the two apart', async (harness) => {
    const { leases } = harness.journal;
    await leases.acquire('op', 'a', 1000, 500);
    expect(await leases.acquire('op', 'b', 60_000, 500)).toMatchObject({ held: true, fence: 2 });
    expect(await leases.acquire('op', 'a', 1100, 500)).toMatchObject({ held: false, holder: 'b' });
  });

  write('of all that reach for a free lease at the same time, exactly one gets it', async (harness) => {
    const { journal, connect } = harness;
    const connections = [journal, await connect(), await connect(), await connect()];
    for (let round = 0; round < 10; round += 1) {
      const results = await Promise.all(
        connections.map(({ leases }, index) => leases.acquire('op', `holder ${index}`, round * 1000, 500)),
      );
      const won = results.filter((lease) => lease.held);
      expect(won).toEqual([{ held: true, fence: expect.any(Number), expiresAtMs: round * 1000 + 500 }]);
    }
  });
}

type LeaseStep =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'acquire'; readonly who: number; readonly operation: string; readonly ttlMs: number }
  | { readonly kind: 'release'; readonly who: number; readonly operation: string };

/** What one operation's lease should be; `holder` null: given back, or never taken. */
type Belief = { readonly holder: number | null; readonly fence: number; readonly untilMs: number };

function leaseProperty(write: Write<JournalHarness>, open: () => Promise<JournalHarness>, runs: number): void {
  const who = fc.nat({ max: 2 });
  const operation = fc.constantFrom('a', 'b');
  const step: fc.Arbitrary<LeaseStep> = fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 40 }) }),
    fc.record({ kind: fc.constant('acquire' as const), who, operation, ttlMs: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ kind: fc.constant('release' as const), who, operation }),
  );

  write('property: never two holders at one time, and the fence grows by one with each change of hands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await withHarness(open, async ({ journal, connect }) => {
          await followSchedule([journal, await connect(), await connect()], steps);
        });
      }),
      { numRuns: runs },
    );
  });
}

async function followSchedule(connections: readonly OpenJournal[], steps: readonly LeaseStep[]): Promise<void> {
  let nowMs = 1_000_000;
  const beliefs = new Map<string, Belief>();
  for (const step of steps) {
    if (step.kind === 'wait') {
      nowMs += step.ms;
      continue;
    }
    const leases = connections[step.who]?.leases;
    if (leases === undefined) throw new Error('no such connection');
    const before = beliefs.get(step.operation) ?? { holder: null, fence: 0, untilMs: 0 };
    if (step.kind === 'release') {
      await leases.release(step.operation, `holder ${step.who}`);
      if (before.holder === step.who) beliefs.set(step.operation, { ...before, holder: null });
      continue;
    }
    const lease = await leases.acquire(step.operation, `holder ${step.who}`, nowMs, step.ttlMs);
    const someoneElse = before.holder !== null && before.holder !== step.who && nowMs < before.untilMs;
    expect(lease.held).toBe(!someoneElse);
    if (!lease.held) continue;
    expect(lease.expiresAtMs).toBe(nowMs + step.ttlMs);
    expect(lease.fence).toBe(before.holder === step.who ? before.fence : before.fence + 1);
    beliefs.set(step.operation, { holder: step.who, fence: lease.fence, untilMs: lease.expiresAtMs });
  }
}

function sampleClauses(write: Write<JournalHarness>): void {
  write('a block is read back as it was put, and is null where there is none', async (harness) => {
    const { samples } = harness.journal;
    const large = `"quoted"\n\u0000${'é1,2,3\n'.repeat(100_000)}`;
    expect(await samples.read('op', '000001')).toBeNull();
    await samples.put('op', '000001', large);
    await samples.put('op', '000002', '');
    expect(await samples.read('op', '000001')).toBe(large);
    expect(await samples.read('op', '000002')).toBe('');
    expect(await samples.read('other', '000001')).toBeNull();
  });

  write('pruning keeps the newest blocks of one operation and tells how many went', async (harness) => {
    const { samples } = harness.journal;
    for (const block of ['3', '1', '2']) await samples.put('op', block, `samples ${block}`);
    await samples.put('other', '1', 'not to be touched');
    expect(await samples.prune('op', 5)).toBe(0);
    expect(await samples.prune('op', 2)).toBe(1);
    expect(await samples.read('op', '3')).toBeNull();
    expect(await samples.read('op', '1')).toBe('samples 1');
    expect(await samples.prune('op', 0)).toBe(2);
    expect(await samples.read('op', '2')).toBeNull();
    expect(await samples.read('other', '1')).toBe('not to be touched');
    expect(await samples.prune('nobody', 0)).toBe(0);
  });

  write('a block that is put again after a crash replaces what was there and is the newest', async (harness) => {
    const { samples } = harness.journal;
    for (const block of ['1', '2', '3']) await samples.put('op', block, 'before');
    await samples.put('op', '1', 'after');
    expect(await samples.prune('op', 1)).toBe(2);
    expect(await samples.read('op', '1')).toBe('after');
  });

  write('samples are no part of any chain: neither putting nor pruning changes a head', async (harness) => {
    const { journal } = harness;
    const { entries, head } = sealed(emptyHead('op'), 'a');
    await journal.append(emptyHead('op'), entries);
    await journal.samples.put('op', '1', 'x');
    await journal.samples.prune('op', 0);
    expect(await journal.heads()).toEqual([head]);
  });
}
