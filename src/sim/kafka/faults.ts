import { batchEnd, batchHeaderBytes } from '../../io/kafka/bytes/batch.ts';
import { encodedBatch } from '../../io/kafka/bytes/encode-batch.ts';
import type { Random } from '../random.ts';
import type { Feed } from './feed.ts';
import type { FaultName, KafkaScenario } from './scenario.ts';
import type { ClusterFaults, SimCluster } from './world/cluster.ts';
import type { Fate } from './world/connection.ts';
import type { SimPartition } from './world/partition.ts';

/** Which faults strike when. After the world is healed none does. */
export class Faults {
  readonly struck: Partial<Record<FaultName, number>> = {};
  readonly #scenario: KafkaScenario;
  readonly #randoms = new Map<FaultName, Random>();
  readonly #random: Random;
  isHealed = false;

  constructor(scenario: KafkaScenario, random: Random) {
    this.#scenario = scenario;
    this.#random = random;
  }

  randomOf(name: FaultName): Random {
    const known = this.#randoms.get(name) ?? this.#random.fork(name);
    this.#randoms.set(name, known);
    return known;
  }

  /** Whether a fault of this name strikes now. */
  strikes(name: FaultName): boolean {
    const chance = this.#scenario.faults[name];
    if (chance === undefined || this.isHealed || !this.randomOf(name).chance(chance)) return false;
    this.note(name);
    return true;
  }

  note(name: FaultName): void {
    this.struck[name] = (this.struck[name] ?? 0) + 1;
  }

  /** Calls `strike` again and again, as often as the scenario says. */
  now(name: FaultName, cluster: { after(ms: number, run: () => void): unknown }, strike: () => void): void {
    const meanMs = this.#scenario.faults[name];
    if (meanMs === undefined || this.isHealed) return;
    cluster.after(this.randomOf(name).exponential(meanMs), () => {
      if (this.isHealed) return;
      this.note(name);
      strike();
      this.now(name, cluster, strike);
    });
  }

  ofCluster(): ClusterFaults {
    return {
      fate: () => this.#fate(),
      throttleMs: () => (this.strikes('throttled') ? this.randomOf('throttled').integer(1, 2000) : 0),
      spoil: (bytes) => {
        if (bytes.length <= batchHeaderBytes || !this.strikes('bit-flip')) return;
        const random = this.randomOf('bit-flip');
        // What the checksum of the first batch covers: of the rest nothing would notice, in any client.
        const at = random.integer(21, Math.min(bytes.length, batchEnd(bytes, 0), 200) - 1);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
      },
    };
  }

  #fate(): Fate {
    if (this.strikes('cut-before')) return { kind: 'cut-before' };
    if (this.strikes('cut-after')) return { kind: 'cut-after' };
    if (this.strikes('late-answer'))
      return { kind: 'late-answer', ms: Math.round(this.randomOf('late-answer').spread(50, 20_000)) };
    if (!this.strikes('stalled')) return { kind: 'fair' };
    const random = this.randomOf('stalled');
    return { kind: 'stalled', ms: Math.round(random.spread(20, stalledMsMax)), isGivenUp: random.chance(0.6) };
  }
}

/** A request is performed so long after its connection was given up at most: what a successor waits for covers it. */
export const stalledMsMax = 10_000;

/** What happens to brokers and logs, now and then. */
export function planWorldFaults(
  faults: Faults,
  { schedule }: SimCluster,
  clusters: readonly SimCluster[],
  feeds: readonly Feed[],
): void {
  const [source, target] = clusters;
  if (source === undefined || target === undefined) return;
  const pick = (name: FaultName) => faults.randomOf(name).pick(clusters);
  faults.now('broker-crash', schedule, () => {
    const [cluster, random] = [pick('broker-crash'), faults.randomOf('broker-crash')];
    cluster.crash(random.pick(cluster.plan.nodeIds), Math.round(random.spread(500, 12_000)));
  });
  faults.now('broker-stands-still', schedule, () => {
    const [cluster, random] = [pick('broker-stands-still'), faults.randomOf('broker-stands-still')];
    cluster.standStill(random.pick(cluster.plan.nodeIds), Math.round(random.spread(100, 15_000)));
  });
  faults.now('leader-moves', schedule, () => {
    const cluster = pick('leader-moves');
    cluster.moveLeader(faults.randomOf('leader-moves').pick(cluster.partitions));
  });
  faults.now('follower-stops', schedule, () => stopFollower(pick('follower-stops'), faults));
  faults.now('unclean-target', schedule, () => electUncleanly(target, faults, 'unclean-target'));
  faults.now('unclean-source', schedule, () => electUncleanly(source, faults, 'unclean-source'));
  faults.now('foreign-write', schedule, () => writeForeign(faults.randomOf('foreign-write').pick(target.partitions)));
  faults.now('compaction', schedule, () => faults.randomOf('compaction').pick(feeds).compact());
  faults.now('retention', schedule, () => faults.randomOf('retention').pick(feeds).retain());
}

/** What it does not get is not committed; and where the network is to blame, connections to the leader may go with it. */
function stopFollower(cluster: SimCluster, faults: Faults): void {
  const random = faults.randomOf('follower-stops');
  const { replicas, leaderId } = random.pick(cluster.partitions);
  for (const replica of replicas)
    if (replica.nodeId !== leaderId) replica.stoppedUntilMs = cluster.schedule.nowMs + random.spread(200, 8000);
  if (leaderId === null || random.chance(0.5)) return;
  cluster.schedule.after(random.integer(50, 1500), () => cluster.cutConnections(leaderId));
}

/** A follower falls behind until it is not in sync; then all others are gone, and it leads. */
function electUncleanly(cluster: SimCluster, faults: Faults, name: FaultName): void {
  const partition = faults.randomOf(name).pick(cluster.partitions);
  const { leaderId } = partition;
  const behind = partition.replicas.find(({ nodeId }) => nodeId !== leaderId);
  if (behind === undefined || leaderId === null) return;
  behind.stoppedUntilMs = cluster.schedule.nowMs + 9000;
  cluster.schedule.after(5000, () => {
    if (faults.isHealed) return;
    for (const nodeId of cluster.plan.nodeIds) if (nodeId !== behind.nodeId) cluster.crash(nodeId, 8000, behind.nodeId);
  });
}

function writeForeign(partition: SimPartition): void {
  const { leader } = partition;
  if (leader === null || leader.leads === null) return;
  const section = Uint8Array.from([12, 0, 0, 0, 1, 0, 0]);
  const appender = { producerId: 77n, producerEpoch: 0, baseSequence: 0 };
  const head = { codec: 'none', appender, baseTimestamp: 1n, maxTimestamp: 1n, recordCount: 1 } as const;
  partition.append(leader, encodedBatch(head, section));
}
