import type { Position } from '../../core/move/ledger-lines.ts';
import { PartitionLedger } from '../../io/kafka/ledger/partition-ledger.ts';
import type { SegmentFiles } from '../../io/kafka/ledger/segment-files.ts';
import type { MoverEvent } from '../../io/kafka/mover/events.ts';
import { MovedPartition } from '../../io/kafka/mover/moved-partition.ts';
import { Mover } from '../../io/kafka/mover/mover.ts';
import type { Ledger } from '../../io/kafka/mover/ports.ts';
import type { MoverSettings } from '../../io/kafka/mover/settings.ts';
import type { Mutation } from './mutation.ts';
import type { SimProcess } from './process.ts';
import { dayMs, type KafkaScenario } from './scenario.ts';
import type { SimCluster, WireWatch } from './world/cluster.ts';

/** One process with a mover in it. */
export type MoverRun = {
  readonly process: SimProcess;
  readonly mover: Mover;
  readonly partitions: readonly MovedPartition[];
  /** What it has told. */
  readonly events: readonly MoverEvent[];
  /** That of the process itself: another one may hold it by now. */
  leaseUntilMs: number;
  hasEnded: boolean;
  /** Of the hold that was asked for last and not resumed. */
  hold: { isSettled: boolean } | null;
};

export type Plans = readonly { readonly start: Position; readonly end: number | null; readonly files: SegmentFiles }[];

export function startMover(
  process: SimProcess,
  scenario: KafkaScenario,
  clusters: { readonly source: SimCluster; readonly target: SimCluster },
  plans: Plans,
  mutation: Mutation | null,
  wire: { readonly source: WireWatch; readonly target: WireWatch },
): MoverRun {
  const ledgers: Ledger[] = plans.map(({ start, files }, number) => {
    const ledger = new PartitionLedger(files, { ...ledgerKey, partition: number }, start, scenario.segmentBytesMax);
    return mutation?.ledger?.(ledger) ?? ledger;
  });
  const nowMs = process.clock.monotonic();
  const events: MoverEvent[] = [];
  const settings: MoverSettings = {
    window: { inFlightMax: scenario.inFlightMax, expirationMs: dayMs },
    connectionsPerBroker: scenario.connectionsPerBroker,
    requestsPerConnection: 4,
    requestBytesMax: scenario.requestBytesMax,
    fetchBytesMax: 4 * scenario.partitionBytesMax,
    heldBytesMax: scenario.heldBytesMax,
    partitionBytesMax: scenario.partitionBytesMax,
    recordBytesMax: 16 * 1024 * 1024,
    rate: scenario.rate,
    lateMsMax: scenario.deadlineMs,
    refusedMsMax: 2000,
    partitionsPerBroker: scenario.partitionsPerBroker ?? null,
    sendBeforeMs: () => run.leaseUntilMs,
  };
  const changed = mutation?.settings?.(settings) ?? settings;
  const partitions = plans.map(({ start, end }, partition) => {
    const ledger = ledgers[partition];
    if (ledger === undefined) throw new Error(`there is no ledger of partition ${partition}`);
    const producerId = 2n ** 62n + BigInt(partition);
    const plan = { topic: 'orders', partition, targetTopic: 'orders', producerId, start, end };
    const moved = new MovedPartition(plan, ledger, changed.window, changed.recordBytesMax);
    mutation?.partition?.(moved);
    return moved;
  });
  const source = clusters.source.port(process, wire.source);
  const target = clusters.target.port(process, wire.target);
  const world = {
    source: mutation?.source?.(source) ?? source,
    target: mutation?.target?.(target, ledgers, process) ?? target,
    clock: process.clock,
    settings: changed,
    tell: (event: MoverEvent) => void events.push(event),
  };
  const mover = new Mover(world, partitions);
  const run: MoverRun = { process, mover, partitions, events, ...beginning, leaseUntilMs: nowMs + scenario.leaseMs };
  return run;
}

/** How each of its partitions stands. */
export function endsOf({ partitions, mover }: MoverRun): string[] {
  return partitions.map((partition) => {
    const { phase, settled } = partition.writer;
    const stopped = mover.stopped.get(partition);
    const how = stopped === undefined ? phase.kind : `stopped (${stopped})`;
    const what = phase.kind === 'damaged' ? ` ${JSON.stringify(phase.damage)}` : '';
    return `${partition.plan.partition} ${how}${what} at ${settled.source} → ${settled.target}`;
  });
}

const beginning = { hasEnded: false, hold: null } as const;

export const ledgerKey = { sourceCluster: 'A', sourceTopicId: 'orders', targetCluster: 'B', targetTopicId: 'orders' };
