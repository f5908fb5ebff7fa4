import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { verifyStore } from '../../src/cli/journal/verify.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { emptyHead } from '../../src/core/journal/entry.ts';
import { startJudge } from '../../src/core/judge/judge.ts';
import type { RolloutEvent } from '../../src/core/rollout/events.ts';
import { blocksMax, collectSamples, pruneEvery } from '../../src/engine/samples.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { openSqliteJournal } from '../../src/io/journal/sqlite.ts';
import { freshDirectory, removeDirectories } from './journal/files.ts';

/** Samples go, chains stay whole: on a real SQLite journal, by what a controller does by itself. */
afterEach(removeDirectories);

const counted = { origin: { attempts: 0, failures: 0 }, destination: { attempts: 0, failures: 0 } };
const rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 1, objective: null };
const checkpoint: RolloutEvent = {
  kind: 'checkpoint',
  judge: startJudge(rules, 1),
  samples: null,
  seen: { originRpsPerInstanceMax: null, share: null, loadRps: null, restarts: 0, counted },
};

test('a day of checkpoints is kept, what is older is pruned by itself, and the journal verifies before and after', async () => {
  const journal = await openSqliteJournal(join(await freshDirectory(), 'journal.db'), { readOnly: false });
  const collector = collectSamples({ samples: journal.samples, sha256 }, 'op');
  let head = emptyHead('op');
  const store = async () => {
    const tally = { attempts: head.seq, failures: 0 };
    collector.add({
      'edge/web': {
        fromMs: head.seq,
        toMs: head.seq + 1,
        origin: tally,
        destination: tally,
        destinationOpen: 0,
        originHosts: [],
      },
    });
    const body = await collector.seal(checkpoint, head.seq + 1);
    const sealed = seal(head, [{ body, actor: 'drover', atMs: head.seq, rules: 1 }], sha256);
    expect(await journal.append(head, sealed.entries)).toBe('appended');
    head = sealed.head;
    await collector.appended();
  };
  while (head.seq < blocksMax + pruneEvery - 1) await store();
  expect(await verifyStore(journal, [head.hash], sha256)).toMatchObject({
    findings: [],
    samples: { intact: blocksMax + pruneEvery - 1, pruned: 0 },
  });
  await store();
  expect(await verifyStore(journal, [head.hash], sha256)).toMatchObject({
    findings: [],
    entries: blocksMax + pruneEvery,
    samples: { intact: blocksMax, pruned: pruneEvery },
  });
  await journal.close();
});

test('a controller killed in the middle of pruning, again and again, has pruned all of it or nothing', async () => {
  const path = join(await freshDirectory(), 'journal.db');
  const keep = 20;
  for (let round = 0; round < 8; round++) {
    const pruner = spawn(process.execPath, [join(import.meta.dirname, 'journal', 'pruner.ts'), path, String(keep)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = 0;
    pruner.stdout.on('data', () => {
      told += 1;
    });
    while (told < 4 && pruner.exitCode === null) await sleep(2);
    // It has just said that it prunes.
    const before = told;
    while (told === before && pruner.exitCode === null) await new Promise(setImmediate);
    pruner.kill('SIGKILL');
    await once(pruner, 'exit');
    const journal = await openSqliteJournal(path, { readOnly: false });
    const { findings, samples, entries } = await verifyStore(journal, [], sha256);
    expect(findings).toEqual([]);
    expect((samples?.intact ?? 0) + (samples?.pruned ?? 0)).toBe(entries);
    // Kept are the newest of them, without a gap.
    const isThere = await Promise.all(
      Array.from({ length: entries }, async (_, index) => (await journal.samples.read('op', `${index + 1}`)) !== null),
    );
    const oldest = isThere.indexOf(true);
    expect(isThere.slice(oldest)).not.toContain(false);
    expect(isThere.length - oldest).toBeGreaterThanOrEqual(Math.min(keep, entries));
    await journal.close();
  }
});
