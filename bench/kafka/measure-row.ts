import { createTopic, deleteTopic } from '../../test/integration/kafka/lab/tools.ts';
import type { Say } from '../frame/bench.ts';
import { requireSameBatches, requireSameCounts } from './copied.ts';
import { fill, topicConfigs } from './fill.ts';
import type { Lab } from './lab.ts';
import { endsOf } from './offsets.ts';
import type { Row } from './rows.ts';
import { storedBatches } from './stored.ts';
import { type Turn, turnOfMirrorMaker, turnOfOurs } from './turns.ts';

export type RowTurns = {
  readonly row: Row;
  /** Of records, before compression. */
  readonly bytes: number;
  /** Mean of the stored batches of a partition. */
  readonly batchKib: number;
  readonly turns: readonly Readonly<Record<Who, Turn>>[];
};

type Who = 'several' | 'one' | 'relay' | 'mirrorMaker';
const order: readonly Who[] = ['mirrorMaker', 'several', 'relay', 'one'];
const names: Readonly<Record<Who, string>> = {
  several: 'mover',
  one: 'mover, one in flight',
  relay: 'relay',
  mirrorMaker: 'MirrorMaker 2',
};

/** The same data copied by all of them, again and again, in one order and then in the other. Every copy is looked at. */
export async function measureRow(
  lab: Lab,
  row: Row,
  wish: { readonly bytes: number; readonly runs: number; readonly seed: number },
  say: Say,
): Promise<RowTurns> {
  const topic = row.name;
  const bytes = await fill(lab.source, row, topic, wish.bytes, wish.seed);
  const ends = await endsOf(lab.from, topic, row.partitions);
  const batchKib = meanKib(await storedBatches(lab.from, topic, 0, ends[0] ?? 0));
  const turns: Record<Who, Turn>[] = [];
  for (let run = 0; run < wish.runs; run++) {
    const turn: Partial<Record<Who, Turn>> = {};
    for (const who of run % 2 === 0 ? order : order.toReversed()) {
      await createTopic(lab.target, topic, { partitions: row.partitions, configs: topicConfigs });
      await endsOf(lab.to, topic, row.partitions);
      const measured = await copyBy(lab, row, ends, who);
      say(`${topic}, run ${run + 1}, ${names[who]}: ${describeTurn(measured, bytes)}`);
      turn[who] = measured;
      await deleteTopic(lab.target, topic);
    }
    const { several, one, relay, mirrorMaker } = turn;
    if (several === undefined || one === undefined || relay === undefined || mirrorMaker === undefined)
      throw new Error('somebody had no turn');
    turns.push({ several, one, relay, mirrorMaker });
  }
  await deleteTopic(lab.source, topic);
  return { row, bytes, batchKib, turns };
}

async function copyBy(lab: Lab, row: Row, ends: readonly number[], who: Who): Promise<Turn> {
  if (who === 'mirrorMaker') {
    const turn = await turnOfMirrorMaker(lab, row.name, ends, row);
    await requireSameCounts(lab, row.name, ends);
    return turn;
  }
  const turn = await turnOfOurs(who === 'relay' ? 'relay' : 'mover', lab, row.name, ends, who === 'one' ? 1 : 5);
  await requireSameBatches(lab, row.name, ends);
  return turn;
}

function describeTurn({ seconds, cpuSeconds, targetCpuSeconds, peakMib }: Turn, bytes: number): string {
  const rate = `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
  return `${rate}, ${cpuSeconds.toFixed(2)} CPU-s, target's broker ${targetCpuSeconds.toFixed(2)} CPU-s, ${peakMib.toFixed(0)} MiB`;
}

function meanKib(batches: readonly { readonly bytes: number }[]): number {
  return batches.reduce((sum, { bytes }) => sum + bytes, 0) / Math.max(1, batches.length) / 1024;
}
