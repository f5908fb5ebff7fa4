import { setTimeout as sleep } from 'node:timers/promises';
import { createTopic } from '../../test/integration/kafka/lab/tools.ts';
import { requireSameBatches } from './copied.ts';
import { fill, topicConfigs } from './fill.ts';
import type { Lab } from './lab.ts';
import { endsOf, sumOf } from './offsets.ts';
import { peakMib, residentMib } from './process-use.ts';
import { startCopying } from './programs.ts';

export type Memory = {
  readonly seconds: number;
  readonly peakMib: number;
  /** At most, until half of the records were copied, and from then on. */
  readonly firstHalfMib: number;
  readonly secondHalfMib: number;
};

/** A copy of many partitions, watched. */
export async function memoryOfCopy(lab: Lab, partitions: number, bytes: number, seed: number): Promise<Memory> {
  const { source, target, from, to } = lab;
  const topic = 'memory';
  const row = { codec: 'lz4', storedKib: 64, recordBytes: 1024, tasks: 1, goal: null, isUsual: false } as const;
  await fill(source, { ...row, name: topic, partitions }, topic, bytes, seed);
  await createTopic(target, topic, { partitions, configs: topicConfigs });
  await endsOf(to, topic, partitions);
  const ends = await endsOf(from, topic, partitions);
  const addresses = { source: source.bootstrap(), target: target.bootstrap() };
  const copying = await startCopying('mover', target, {
    ...addresses,
    topic,
    start: 0,
    ends,
    isCounted: true,
    inFlightMax: 5,
  });
  copying.go();
  let isDone = false;
  const done = copying.done.finally(() => {
    isDone = true;
  });
  const halves: [number[], number[]] = [[residentMib(copying.pid)], [residentMib(copying.pid)]];
  while (!isDone) {
    const copied = sumOf(await endsOf(to, topic, partitions));
    halves[copied * 2 < sumOf(ends) ? 0 : 1].push(residentMib(copying.pid));
    await sleep(50);
  }
  const seconds = await done;
  const [firstHalfMib, secondHalfMib] = [Math.max(...halves[0]), Math.max(...halves[1])];
  const most = peakMib(copying.pid);
  await copying.close();
  await requireSameBatches(lab, topic, ends);
  return { seconds, peakMib: most, firstHalfMib, secondHalfMib };
}
