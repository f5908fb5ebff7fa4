import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Desk, RunningCommand } from './copy-command.ts';
import type { Cluster } from './lab/cluster.ts';
import { digest, produce } from './lab/kcat.ts';
import { createTopic } from './lab/tools.ts';

/** A copy of what `giveMiddle` gives takes some fifteen seconds at it, so that there is a middle. */
export const slowly = '500kB/s';

/** 40,000 records for each partition, in batches of 200. */
export async function giveMiddle(source: Cluster, topic: string, partitions: number): Promise<void> {
  await createTopic(source, topic, { partitions });
  const records = Array.from({ length: 40_000 }, (_, index) => ({
    key: `key ${index}`,
    value: `value ${index} `.repeat(8),
  }));
  for (let partition = 0; partition < partitions; partition += 1)
    await produce(source, topic, records, { partition, properties: { 'batch.num.messages': '200' } });
}

export async function expectSame(source: Cluster, target: Cluster, topic: string, partitions: number): Promise<void> {
  for (let partition = 0; partition < partitions; partition += 1)
    expect(await digest(target, topic, partition)).toEqual(await digest(source, topic, partition));
}

type Status = {
  readonly topics: readonly string[];
  readonly offsets: number;
  readonly offsetsDone: number;
  readonly isSettled: boolean | null;
  readonly held: object | null;
};

export async function statusOf(desk: Desk, topic: string): Promise<Status> {
  const { text } = await desk.drover('kafka', 'status', '--json').ended;
  const copies: readonly { readonly status: Status }[] = JSON.parse(text).copies;
  const found = copies.findLast(({ status }) => status.topics.includes(topic));
  return found?.status ?? { topics: [topic], offsets: 1, offsetsDone: 0, isSettled: null, held: null };
}

/** Of the offsets that are to be copied. */
export async function shareDone(desk: Desk, topic: string): Promise<number> {
  const { offsets, offsetsDone } = await statusOf(desk, topic);
  return offsets === 0 ? 0 : offsetsDone / offsets;
}

/** `running`: has to go on meanwhile. */
export async function until(condition: () => Promise<boolean>, running?: RunningCommand): Promise<void> {
  const endsAtMs = performance.now() + 90_000;
  while (!(await condition())) {
    if (running !== undefined && running.child.exitCode !== null) {
      const { code, text, errors } = await running.ended;
      throw new Error(`it has ended (${code}): ${errors}${text}`);
    }
    if (performance.now() > endsAtMs) throw new Error('it does not come');
    await sleep(100);
  }
}
