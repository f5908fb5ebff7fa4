import type { Broker, Cluster, Leader } from '../../../io/kafka/mover/ports.ts';
import type { Random } from '../../random.ts';
import type { Schedule } from '../../schedule.ts';
import type { SimProcess } from '../process.ts';
import { type BrokerEnd, type Fate, type Late, type Line, SimConnection } from './connection.ts';
import { type NodesView, type PartitionPlan, type Replica, SimPartition } from './partition.ts';
import { type BrokerView, handle, type Place, writtenBy } from './requests.ts';

type Node = { readonly id: number; isUp: boolean; standsUntilMs: number; readonly connections: Set<SimConnection> };

export type ClusterPlan = {
  readonly name: 'source' | 'target';
  readonly nodeIds: readonly number[];
  readonly partitions: readonly PartitionPlan[];
  readonly latencyMs: number;
  /** How long it takes until those who ask learn of a new leader, and until an old one does. */
  readonly metadataLagMs: number;
  /** Who is not heard of for so long leads no more. */
  readonly sessionMs: number;
  readonly deadlineMs: number;
};

/** What happens to requests and answers; a world without faults answers `fair`, 0 and nothing. */
export type ClusterFaults = {
  fate(): Fate;
  throttleMs(): number;
  spoil(bytes: Uint8Array): void;
};

/** Sees what one process sends and is answered. */
export type WireWatch = Pick<Line, 'sending'> & {
  /** `nodeId`: the broker that answers. */
  answering(request: Uint8Array, response: Uint8Array, nodeId: number): void;
};

export type ClusterWatch = {
  appending(place: Place, sent: Uint8Array, base: number): void;
  elected(partition: SimPartition): void;
  /** A request that writes is performed, and the process that sent it does not wait for it any more. */
  arrivedLate(process: SimProcess, partition: SimPartition, late: Late): void;
  happened(text: string): void;
};

type Told = { readonly leaderId: number | null; readonly epoch: number; readonly inSync: readonly number[] };

export class SimCluster implements NodesView {
  readonly plan: ClusterPlan;
  readonly schedule: Schedule;
  readonly partitions: readonly SimPartition[];
  readonly #startMs: number;
  readonly #random: Random;
  readonly #faults: ClusterFaults;
  readonly #watch: ClusterWatch;
  readonly #nodes: ReadonlyMap<number, Node>;
  readonly #told = new Map<SimPartition, Told>();

  constructor(
    plan: ClusterPlan,
    world: { readonly schedule: Schedule; readonly startMs: number; readonly random: Random },
    faults: ClusterFaults,
    watch: ClusterWatch,
  ) {
    this.plan = plan;
    [this.schedule, this.#startMs, this.#random] = [world.schedule, world.startMs, world.random];
    [this.#faults, this.#watch] = [faults, watch];
    this.#nodes = new Map(
      plan.nodeIds.map((id) => [id, { id, isUp: true, standsUntilMs: 0, connections: new Set<SimConnection>() }]),
    );
    this.partitions = plan.partitions.map((one) => new SimPartition(one, this));
    for (const partition of this.partitions) this.#tell(partition);
    this.#everyQuarter();
  }

  wallMs(): number {
    return this.#startMs + this.schedule.nowMs;
  }

  isLively(nodeId: number): boolean {
    const node = this.#nodes.get(nodeId);
    return node?.isUp === true && this.schedule.nowMs >= node.standsUntilMs;
  }

  /** The cluster as one process reaches it. */
  port(process: SimProcess, wire: WireWatch): Cluster {
    return {
      connect: (nodeId) => this.#connect(process, nodeId, wire),
      leaders: (topics) => this.#leaders(process, topics),
    };
  }

  /** kill -9, and a start after `downMs`. `next`: who leads then where it led; null: who is in sync, if anybody is. */
  crash(nodeId: number, downMs: number, next: number | null = null): void {
    const node = this.#nodes.get(nodeId);
    if (node === undefined || !node.isUp) return;
    this.#watch.happened(`broker ${nodeId} of the ${this.plan.name} dies for ${downMs} ms`);
    node.isUp = false;
    for (const connection of node.connections) connection.cut('the broker closed it');
    node.connections.clear();
    for (const { replica } of this.#replicasOn(nodeId)) {
      replica.leads = null;
      replica.waiters = [];
    }
    this.schedule.after(Math.min(this.plan.sessionMs, downMs), () => this.#replace(nodeId, next));
    this.schedule.after(downMs, () => this.#start(node));
  }

  /** What was on its way to it is lost, and so are its answers. */
  cutConnections(nodeId: number): void {
    const node = this.#nodes.get(nodeId);
    for (const connection of node?.connections ?? []) connection.cut('the connection was reset');
    node?.connections.clear();
  }

  standStill(nodeId: number, ms: number): void {
    const node = this.#nodes.get(nodeId);
    if (node === undefined || !node.isUp) return;
    this.#watch.happened(`broker ${nodeId} of the ${this.plan.name} stands still for ${ms} ms`);
    node.standsUntilMs = this.schedule.nowMs + ms;
    if (ms > this.plan.sessionMs) this.schedule.after(this.plan.sessionMs, () => this.#replace(nodeId, null));
    this.schedule.after(ms, () => this.#takeOffice(nodeId));
    this.schedule.after(ms + this.plan.metadataLagMs, () => this.#depose(nodeId));
  }

  /** Another one in sync leads from now on; the old one goes on leading until it hears of it. */
  moveLeader(partition: SimPartition): void {
    const old = partition.leaderId;
    const others = [...partition.inSync].filter((id) => id !== old && this.isLively(id));
    const [next] = others;
    if (old === null || next === undefined) return;
    this.#elect(partition, this.#random.pick(others));
    this.schedule.after(this.#lagMs(), () => this.#depose(old));
  }

  /** Everybody in the office that they should have, and nothing that is behind for good. */
  heal(): void {
    for (const partition of this.partitions) for (const replica of partition.replicas) replica.stoppedUntilMs = 0;
  }

  expireProducers(): void {
    for (const { replicas, plan } of this.partitions)
      for (const { producers } of replicas) producers.expire(this.wallMs(), plan.expirationMs);
  }

  #everyQuarter(): void {
    this.schedule.after(250, () => {
      for (const partition of this.partitions) {
        for (const replica of partition.replicas) partition.pull(replica);
        partition.shrink(lagMsMax);
      }
      this.#everyQuarter();
    });
  }

  #start(node: Node): void {
    node.isUp = true;
    this.#watch.happened(`broker ${node.id} of the ${this.plan.name} is there again`);
    for (const { partition, replica } of this.#replicasOn(node.id))
      replica.producers.restart(this.wallMs(), partition.plan.expirationMs);
    this.#takeOffice(node.id);
  }

  /** What nobody leads, a broker that was in sync does. */
  #takeOffice(nodeId: number): void {
    if (!this.isLively(nodeId)) return;
    for (const { partition, replica } of this.#replicasOn(nodeId)) {
      const isVacant = partition.leaderId === null || (partition.leaderId === nodeId && replica.leads === null);
      if (isVacant && partition.inSync.has(nodeId)) this.#elect(partition, nodeId);
    }
  }

  /** Somebody else leads what the broker led. */
  #replace(nodeId: number, next: number | null): void {
    for (const { partition } of this.#replicasOn(nodeId)) {
      if (partition.leaderId !== nodeId || this.isLively(nodeId)) continue;
      const inSync = [...partition.inSync].find((id) => id !== nodeId && this.isLively(id));
      const chosen = next !== null && partition.replicaOn(next) !== null && this.isLively(next) ? next : inSync;
      if (chosen !== undefined) this.#elect(partition, chosen);
      else {
        partition.leaderId = null;
        this.#tell(partition);
      }
    }
  }

  #elect(partition: SimPartition, nodeId: number): void {
    const isUnclean = !partition.inSync.has(nodeId);
    partition.elect(nodeId);
    const { topic, number } = partition.plan;
    const how = isUnclean ? ', uncleanly' : '';
    this.#watch.happened(`${topic}-${number} is led by broker ${nodeId} in epoch ${partition.epoch}${how}`);
    this.#watch.elected(partition);
    this.schedule.after(this.#lagMs(), () => this.#tell(partition));
  }

  /** It hears what it leads no more. */
  #depose(nodeId: number): void {
    if (!this.isLively(nodeId)) return;
    for (const { partition, replica } of this.#replicasOn(nodeId))
      if (replica.leads !== null && (partition.leaderId !== nodeId || replica.leads !== partition.epoch))
        partition.deposed(replica);
  }

  #tell(partition: SimPartition): void {
    const { leaderId, epoch, inSync } = partition;
    this.#told.set(partition, { leaderId, epoch, inSync: [...inSync] });
  }

  #lagMs(): number {
    return Math.round(this.#random.between(0, this.plan.metadataLagMs));
  }

  #replicasOn(nodeId: number): { readonly partition: SimPartition; readonly replica: Replica }[] {
    return this.partitions.flatMap((partition) => {
      const replica = partition.replicaOn(nodeId);
      return replica === null ? [] : [{ partition, replica }];
    });
  }

  #latencyMs(): number {
    return Math.round(this.#random.between(0.5, 1.5) * this.plan.latencyMs);
  }

  #connect(process: SimProcess, nodeId: number, wire: WireWatch): Promise<Broker> {
    const node = this.#nodes.get(nodeId);
    return new Promise((resolve, reject) => {
      const label = `broker ${nodeId} of the ${this.plan.name}`;
      const open = (): void => {
        if (node === undefined || !node.isUp) {
          reject(new Error(`${label}: connection refused`));
          return;
        }
        if (this.schedule.nowMs < node.standsUntilMs) {
          process.after(connectMsMax, () => reject(new Error(`${label}: not connected within ${connectMsMax} ms`)));
          return;
        }
        const { deadlineMs } = this.plan;
        const arrivedLate = (frame: Uint8Array, late: Late) => {
          for (const { topic, number } of writtenBy(frame))
            for (const partition of this.partitions)
              if (partition.plan.topic === topic && partition.plan.number === number) {
                partition.noteLate(late.isTooLate);
                this.#watch.arrivedLate(process, partition, late);
              }
        };
        const { sending } = wire;
        const answering = (request: Uint8Array, response: Uint8Array) => wire.answering(request, response, nodeId);
        const line = { schedule: this.schedule, process, label, deadlineMs, sending, answering };
        const connection = new SimConnection(
          { ...line, latencyMs: () => this.#latencyMs(), fate: () => this.#faults.fate(), arrivedLate },
          this.#brokerEnd(node),
        );
        node.connections.add(connection);
        resolve(connection);
      };
      process.after(2 * this.#latencyMs(), open);
    });
  }

  #brokerEnd(node: Node): BrokerEnd {
    const view: BrokerView = {
      schedule: this.schedule,
      wallMs: () => this.wallMs(),
      throttleMs: () => this.#faults.throttleMs(),
      spoil: (bytes) => this.#faults.spoil(bytes),
      appending: (place, sent, base) => this.#watch.appending(place, sent, base),
      placeOf: (topic, number) => {
        const partition = this.partitions.find(({ plan }) => plan.topic === topic && plan.number === number);
        const replica = partition?.replicaOn(node.id);
        return partition === undefined || replica === undefined || replica === null ? null : { partition, replica };
      },
    };
    return {
      get isUp() {
        return node.isUp;
      },
      get standsUntilMs() {
        return node.standsUntilMs;
      },
      handle: (frame, reply) => handle(view, frame, reply),
    };
  }

  #leaders(process: SimProcess, topics: readonly string[]): Promise<ReadonlyMap<string, readonly Leader[]>> {
    return new Promise((resolve, reject) => {
      process.after(2 * this.#latencyMs(), () => {
        if (![...this.#nodes.keys()].some((id) => this.isLively(id))) {
          reject(new Error(`no broker of the ${this.plan.name} can be reached`));
          return;
        }
        resolve(new Map(topics.map((topic) => [topic, this.#toldOf(topic)])));
      });
    });
  }

  #toldOf(topic: string): Leader[] {
    return [...this.#told].flatMap(([{ plan, replicas }, { leaderId, epoch, inSync }]) => {
      if (plan.topic !== topic || leaderId === null) return [];
      const { number: partition } = plan;
      return [
        { topicId: topic, partition, nodeId: leaderId, epoch, replicas: replicas.map(({ nodeId }) => nodeId), inSync },
      ];
    });
  }
}

const lagMsMax = 3000;
const connectMsMax = 3000;
