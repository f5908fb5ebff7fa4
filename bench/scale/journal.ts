import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { rolloutRules } from '../../src/core/rollout/events.ts';
import { createInbox } from '../../src/engine/inbox.ts';
import { runOperation } from '../../src/engine/operation.ts';
import type { OperationPorts } from '../../src/engine/operation-ports.ts';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { SteadyProvider, sha256 } from './service.ts';

type OpenJournal = Awaited<ReturnType<typeof openSqliteJournal>>;

/** A real journal in a file, in the directory of temporary files unless `directory` says otherwise; gone afterwards. */
async function withJournal<T>(use: (journal: OpenJournal) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-bench-journal-'));
  const journal = await openSqliteJournal(join(directory, 'journal.db'), { readOnly: false });
  try {
    return await use(journal);
  } finally {
    await journal.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Entries per second, each durable before the next is sealed. */
export function appendsPerSecond(count: number): Promise<number> {
  return withJournal(async (journal) => {
    let head = emptyHead('bench');
    const began = performance.now();
    for (let index = 0; index < count; index++) {
      const body = { kind: 'held', by: 'drover', why: `entry ${index}, as long as most entries are in a real rollout` };
      const sealed = seal(head, [{ body, actor: 'bench', atMs: index, rules: rolloutRules }], sha256);
      if ((await journal.append(head, sealed.entries)) !== 'appended') throw new Error('somebody else appends');
      head = sealed.head;
    }
    return (count * 1000) / (performance.now() - began);
  });
}

/**
 * Two operations in one process on one journal: at one of them every call to the balancer hangs. Answers with the milliseconds
 * from the request for a way back of the other until its balancer had the command.
 */
export function backBesideHanging(hangs: boolean): Promise<number> {
  return withJournal(async (journal) => {
    const stop = new AbortController();
    const [one, other] = [new SteadyProvider(14, Date.now), new SteadyProvider(14, Date.now)];
    const inbox = createInbox();
    const running = [
      runOperation(await portsOf(journal, 'one', one), 'one', inbox, stop.signal),
      runOperation(await portsOf(journal, 'other', other), 'other', createInbox(), stop.signal),
    ];
    await sleep(1500);
    other.hangs = hangs;
    await sleep(1000);
    const askedMs = performance.now();
    inbox.push({ kind: 'back', by: 'bench', reason: null, all: false });
    while (one.takenAtMs === null) await sleep(1);
    const tookMs = performance.now() - askedMs;
    stop.abort();
    await Promise.all(running);
    return tookMs;
  });
}

async function portsOf(journal: OpenJournal, operation: string, service: SteadyProvider): Promise<OperationPorts> {
  const head = emptyHead(operation);
  const drafts = service.entries().map((body) => ({ body, actor: 'bench', atMs: Date.now(), rules: rolloutRules }));
  await journal.append(head, seal(head, drafts, sha256).entries);
  return {
    clock: {
      now: Date.now,
      monotonic: () => performance.now(),
      sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    },
    journal,
    leases: journal.leases,
    samples: journal.samples,
    backends: service.backends,
    origin: service.origin,
    destination: service.destination,
    marker: { read: async () => null, write: async () => undefined, remove: async () => undefined },
    sha256,
    holder: `${operation}-bench`,
    timing: { pollMs: 200, callMs: 2000, leaseMs: 15_000 },
    tell: () => undefined,
  };
}
