// A process of its own that copies one topic with Drover's mover; what to copy is its argument, as JSON. Says `ready`, copies when it
// is told `go`, says `done SECONDS`, and ends when nobody talks to it any more.
import { join } from 'node:path';
import { systemClock } from '../../src/io/clock/system.ts';
import { moverSettings } from '../../src/io/kafka/child/mover-run.ts';
import { PartitionLedger } from '../../src/io/kafka/ledger/partition-ledger.ts';
import { SegmentFolder } from '../../src/io/kafka/ledger/segment-folder.ts';
import { MovedPartition } from '../../src/io/kafka/mover/moved-partition.ts';
import { Mover } from '../../src/io/kafka/mover/mover.ts';
import type { MoverSettings } from '../../src/io/kafka/mover/settings.ts';
import { clusterAt } from './client.ts';
import { keyOf } from './ledger-key.ts';
import { onceTold, type Task, taskOf } from './task.ts';

const settings = ({ inFlightMax }: Task): MoverSettings => ({
  ...moverSettings,
  partitionsPerBroker: null,
  window: { inFlightMax, expirationMs: 86_400_000 },
  rate: null,
  sendBeforeMs: () => Number.POSITIVE_INFINITY,
});

const task = taskOf(process.argv[2]);
const [source, target] = [clusterAt(task.source), clusterAt(task.target)];
const partitions = task.ends.map((end, partition) => partitionOf(task, partition, end));
const clock = {
  now: systemClock.now,
  monotonic: systemClock.monotonic,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms, signal ?? new AbortController().signal),
};
// What it tells beside its end shows in the writers, which are looked at.
const tell = () => undefined;
const mover = new Mover({ source, target, clock, settings: settings(task), tell }, partitions);
await onceTold(async () => {
  await mover.run();
  for (const { plan, isDone, writer } of partitions)
    if (!isDone && task.isCounted) throw new Error(`${plan.topic}-${plan.partition}: ${JSON.stringify(writer.phase)}`);
});
await mover.stop();
for (const { ledger } of partitions) ledger.close();
await Promise.all([source.close(), target.close()]);

function partitionOf(task: Task, partition: number, end: number): MovedPartition {
  const { topic, folder, isCounted } = task;
  const start = { source: task.start, target: task.start };
  const ledger = new PartitionLedger(
    new SegmentFolder(join(folder, String(partition))),
    keyOf(topic, partition),
    start,
  );
  const producerId = 2n ** 62n + BigInt(partition);
  const plan = { topic, partition, targetTopic: topic, producerId, start, end: isCounted ? end : null };
  const { window, recordBytesMax } = settings(task);
  return new MovedPartition(plan, ledger, window, recordBytesMax);
}
