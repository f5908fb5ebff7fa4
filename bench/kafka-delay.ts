import { setTimeout as sleep } from 'node:timers/promises';
import { tool } from '../test/integration/kafka/lab/java.ts';
import { produce } from '../test/integration/kafka/lab/kcat.ts';
import { run } from '../test/integration/kafka/lab/running.ts';
import { createTopic, deleteTopic } from '../test/integration/kafka/lab/tools.ts';
import type { Bench, Say } from './frame/bench.ts';
import { describeSpread, type Spread, spreadOf } from './frame/spread.ts';
import { table } from './frame/table.ts';
import { topicConfigs } from './kafka/fill.ts';
import { follow } from './kafka/follow.ts';
import { type Lab, labVersion, openLab } from './kafka/lab.ts';
import { endsOf } from './kafka/offsets.ts';
import { Tail } from './kafka/tail.ts';

const p99MsMax = 8;
const partitions = 12;
const whos = ['mover', 'MirrorMaker 2'] as const;
type Who = (typeof whos)[number];

/** How long after the source a record is on the target, while it is followed. */
export const bench: Bench = {
  about:
    'delay of the mover and of MirrorMaker 2 while they follow: from a record on the source to the same one on the target',
  options: {
    runs: { about: 'of each', otherwise: 3 },
    seconds: { about: 'that are counted of a run; 5 s before them are not', otherwise: 15 },
    rate: { about: 'records per second of 1 KiB', otherwise: 5000 },
  },
  cases: [],
  run: async (asked, say) => {
    const lab = await openLab();
    try {
      say(
        `two clusters of one broker each, Apache Kafka ${labVersion}; ${partitions} partitions, lz4; ProducerPerformance, linger 0, acks all; MirrorMaker 2 with linger 0\n` +
          'one process consumes both sides alike, and notes by one clock when it got each record: the delay is the difference',
      );
      const found: Record<Who, Spread[]> = { mover: [], 'MirrorMaker 2': [] };
      for (let turn = 0; turn < asked.number('runs'); turn++)
        for (const who of turn % 2 === 0 ? whos : whos.toReversed()) {
          const topic = `delay-${turn}`;
          const delays = await measure(lab, who, topic, asked.number('rate'), asked.number('seconds'));
          found[who].push(spreadOf(delays));
          say(`run ${turn + 1}, ${who}: ${delays.length} records, p99 ${found[who].at(-1)?.p99.toFixed(1)} ms`);
        }
      sayTable(found, say);
      const p99 = spreadOf(found.mover.map((spread) => spread.p99));
      const promised = `p99 of the delay at ${asked.number('rate')} records/s ≤ ${p99MsMax} ms`;
      return [{ promised, found: `${p99.median.toFixed(1)} ms`, met: p99.median <= p99MsMax }];
    } finally {
      await lab.close();
    }
  },
};

function sayTable(found: Readonly<Record<Who, readonly Spread[]>>, say: Say): void {
  const lines = whos.map((who) => {
    const of = (value: (spread: Spread) => number) => describeSpread(spreadOf(found[who].map(value)));
    return [who, of(({ median }) => median), of(({ p99 }) => p99), of(({ largest }) => largest)];
  });
  say(`\n${table(['who', 'p50, ms', 'p99, ms', 'longest, ms'], lines)}`);
}

/** Milliseconds for each record that came after the first seconds. */
async function measure(lab: Lab, who: Who, topic: string, rate: number, seconds: number): Promise<number[]> {
  for (const [cluster, broker] of [
    [lab.source, lab.from],
    [lab.target, lab.to],
  ] as const) {
    await createTopic(cluster, topic, { partitions, configs: topicConfigs });
    await endsOf(broker, topic, partitions);
  }
  const stop = await follow(lab, who === 'mover' ? 'mover' : 'MirrorMaker 2', topic, partitions);
  const open: Tail[] = [];
  try {
    for (const cluster of [lab.source, lab.target]) open.push(await Tail.open(cluster.bootstrap(), topic, partitions));
    const [source, target] = open;
    if (source === undefined || target === undefined) throw new Error('no tails');
    for (let partition = 0; partition < partitions; partition++)
      await produce(lab.source, topic, [{ key: null, value: 'the first one' }], { partition });
    await until('the first records are copied', () => target.records === partitions);
    const startedMs = performance.now();
    await perform(lab, topic, rate, (warmSeconds + seconds) * rate);
    await until('all records are copied', () => target.records === source.records);
    return delaysOf(source.arrivals, target.arrivals, startedMs + warmSeconds * 1000);
  } finally {
    await Promise.all(open.map((tail) => tail.close()));
    await stop();
    for (const cluster of [lab.source, lab.target]) await deleteTopic(cluster, topic);
  }
}

/** What has to be compiled is compiled by then. */
const warmSeconds = 5;

async function perform({ source }: Lab, topic: string, rate: number, records: number): Promise<void> {
  const settings = { 'bootstrap.servers': source.bootstrap(), 'linger.ms': 0, 'compression.type': 'lz4', acks: 'all' };
  const args = [
    ...['--topic', topic, '--num-records', `${records}`, '--record-size', '1024', '--throughput', `${rate}`],
    ...['--command-property', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)],
  ];
  const timeLimitMs = (records / rate) * 4000 + 60_000;
  await run(tool(source, 'org.apache.kafka.tools.ProducerPerformance', args), { timeLimitMs });
}

function delaysOf(source: readonly number[][], target: readonly number[][], fromMs: number): number[] {
  return source.flatMap((arrivals, partition) =>
    arrivals.flatMap((atMs, offset) => {
      const copiedMs = target[partition]?.[offset];
      if (copiedMs === undefined) throw new Error(`offset ${offset} of partition ${partition} was not copied`);
      return atMs < fromMs ? [] : [copiedMs - atMs];
    }),
  );
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const untilMs = performance.now() + 180_000; !condition(); await sleep(20))
    if (performance.now() > untilMs) throw new Error(`not within three minutes: ${what}`);
}
