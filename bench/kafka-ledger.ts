import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../src/sim/random.ts';
import type { Asked, Bench, Say } from './frame/bench.ts';
import { closing } from './frame/closing.ts';
import type { Goal } from './frame/goals.ts';
import { describeSpread, spreadOf } from './frame/spread.ts';
import { table } from './frame/table.ts';
import { labVersion, openLab } from './kafka/lab.ts';
import { keyOf } from './kafka/ledger-key.ts';
import { memoryOfCopy } from './kafka/memory.ts';
import { restarts } from './kafka/restart.ts';
import { writeLedger } from './kafka/synthetic-ledger.ts';

const restartSecondsMax = 2;
const memoryMibMax = 400;
const batchBytesMax = 12;
/** By how much the second half of a copy may need more than the first, and still be called flat. */
const growthMax = 1.1;
const partitions = 64;

/** What a copy keeps on its own disk and in its memory, and how soon it goes on after a terabyte. */
export const bench: Bench = {
  about:
    'ledger bytes per TB copied, restart to the first copied byte with the ledger of a TB, memory with 64 partitions',
  options: {
    'batch-kib': { about: 'of a stored batch, of which the terabyte of the restart was made', otherwise: 64 },
    times: { about: 'restarts', otherwise: 5 },
    megabytes: { about: 'of records in the copy whose memory is watched', otherwise: 2000 },
    seed: { about: 'of checksums and records', otherwise: 1 },
  },
  cases: ['bytes', 'restart', 'memory'],
  run: async (asked, say) => {
    const goals: Goal[] = [];
    if (asked.cases.includes('bytes')) goals.push(bytes(asked, say));
    if (asked.cases.includes('restart')) goals.push(await restart(asked, say));
    if (asked.cases.includes('memory')) goals.push(...(await memory(asked, say)));
    return goals;
  },
};

function bytes(asked: Asked, say: Say): Goal {
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-ledger-'));
  const close = closing(async () => rmSync(folder, { recursive: true, force: true }));
  try {
    const random = new Random(asked.number('seed'));
    const lines = [16, 64, 256, 1024].map((kib) => {
      const size = writeLedger(join(folder, `${kib}`), keyOf('bytes', kib), batches, kib * 2, random);
      const perBatch = size / batches;
      const perTb = ((10 ** 12 / (kib * 1024)) * perBatch) / 1e6;
      return { kib, perBatch, perTb };
    });
    const cells = lines.map(({ kib, perBatch, perTb }) => [
      `${kib} KiB`,
      perBatch.toFixed(2),
      `${perTb.toFixed(0)} MB`,
    ]);
    say(`ledgers of ${batches} batches without holes, two records to a KiB, whole segments with their heads\n`);
    say(table(['stored batch', 'bytes per batch', 'per TB'], cells));
    const worst = Math.max(...lines.map(({ perBatch }) => perBatch));
    const promised = `a batch takes at most ${batchBytesMax} bytes`;
    return { promised, found: worst.toFixed(2), met: worst <= batchBytesMax };
  } finally {
    void close();
  }
}

const batches = 300_000;

async function restart(asked: Asked, say: Say): Promise<Goal> {
  const lab = await openLab();
  try {
    const batchesOfEach = Math.round(10 ** 12 / (asked.number('batch-kib') * 1024) / partitions);
    const wish = { partitions, batchesOfEach, times: asked.number('times'), seed: asked.number('seed') };
    const { found, ledgerBytes } = await restarts(lab, wish, say);
    const seconds = (of: (one: (typeof found)[number]) => number) => describeSpread(spreadOf(found.map(of)), 2);
    say(
      `ledger of ${partitions} partitions, ${partitions * batchesOfEach} batches, ${(ledgerBytes / 1e6).toFixed(0)} MB, made for this; Apache Kafka ${labVersion}; seconds from the start of the process`,
    );
    say(`until the ledgers are open: ${seconds(({ readySeconds }) => readySeconds)}`);
    say(`until the first record is on the target: ${seconds(({ firstSeconds }) => firstSeconds)}`);
    const slowest = spreadOf(found.map(({ firstSeconds }) => firstSeconds)).largest;
    const promised = `restart to the first copied byte ≤ ${restartSecondsMax} s with a terabyte in the ledger`;
    return { promised, found: `${slowest.toFixed(2)} s`, met: slowest <= restartSecondsMax };
  } finally {
    await lab.close();
  }
}

async function memory(asked: Asked, say: Say): Promise<Goal[]> {
  const lab = await openLab();
  try {
    const found = await memoryOfCopy(lab, partitions, asked.number('megabytes') * 1e6, asked.number('seed'));
    const { firstHalfMib, secondHalfMib, peakMib, seconds } = found;
    const halves = `${firstHalfMib.toFixed(0)} MiB, then ${secondHalfMib.toFixed(0)} MiB`;
    say(
      `${partitions} partitions, lz4, in ${seconds.toFixed(1)} s: at most resident ${peakMib.toFixed(0)} MiB; by halves ${halves}`,
    );
    const isFlat = secondHalfMib <= firstHalfMib * growthMax;
    return [
      { promised: `memory ≤ ${memoryMibMax} MiB`, found: `${peakMib.toFixed(0)} MiB`, met: peakMib <= memoryMibMax },
      { promised: `memory flat: its second half ≤ ${growthMax} of its first`, found: halves, met: isFlat },
    ];
  } finally {
    await lab.close();
  }
}
