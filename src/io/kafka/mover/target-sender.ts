import type { Answer } from '../../../core/move/writer.ts';
import { type ByteRange, lengthOf } from '../messages/byte-range.ts';
import { type ProduceResponse, produceApi } from '../messages/produce.ts';
import { answerOf } from './answers.ts';
import type { Lease } from './lease.ts';
import type { MovedPartition } from './moved-partition.ts';
import type { Broker, MoverClock } from './ports.ts';
import type { Rate } from './rate.ts';
import type { MoverSettings } from './settings.ts';

/** What the sender tells about its partitions; whoever listens reads back what is doubted. */
export interface SenderListener {
  /** Nothing is sent while it is held. */
  mayTake(): boolean;
  answered(partition: MovedPartition): void;
  /** All partitions of the connection are in doubt, and it is over. `unanswered`: those of which something was sent and not answered. */
  lost(sender: TargetSender, unanswered: readonly MovedPartition[]): void;
  /** The sender itself has gone wrong. */
  failed(error: unknown): void;
}

/**
 * Sends the batches of its partitions over one connection: one of each partition in a request, several requests in flight. A
 * partition stays on its connection, so its answers come in the order of its requests.
 */
export class TargetSender {
  readonly partitions = new Set<MovedPartition>();
  readonly #broker: Broker;
  readonly #rate: Rate;
  readonly #clock: MoverClock;
  readonly #settings: MoverSettings;
  readonly #listener: SenderListener;
  #inFlight = 0;
  #isOver = false;
  #isWaiting = false;
  #throttledUntilMs = 0;
  sentBytes = 0;

  constructor(broker: Broker, rate: Rate, clock: MoverClock, settings: MoverSettings, listener: SenderListener) {
    this.#broker = broker;
    this.#rate = rate;
    this.#clock = clock;
    this.#settings = settings;
    this.#listener = listener;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Sends what may be sent now. */
  pump(): void {
    while (!this.#isOver && this.#listener.mayTake() && this.#inFlight < this.#settings.requestsPerConnection) {
      const nowMs = this.#clock.monotonic();
      const waitMs = Math.max(this.#rate.waitMs(nowMs), this.#throttledUntilMs - nowMs);
      if (waitMs > 0) {
        this.#wait(waitMs).catch((error) => this.#listener.failed(error));
        return;
      }
      if (nowMs >= this.#settings.sendBeforeMs()) return;
      const taken = this.#take(this.#rate.room(nowMs));
      if (taken.length === 0) return;
      this.#send(taken).catch((error) => this.#listener.failed(error));
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#broker.close();
  }

  #take(rateRoom: number): Taken[] {
    const taken: Taken[] = [];
    const nowMs = this.#clock.now();
    let room = Math.min(this.#settings.requestBytesMax, Math.max(rateRoom, 1));
    for (const partition of this.partitions) {
      // The first one is sent however large it is.
      const next = partition.take(nowMs, taken.length === 0 ? Number.POSITIVE_INFINITY : room);
      if (next === null) continue;
      taken.push({ partition, records: next.range, lease: next.lease });
      room -= lengthOf(next.range);
      if (room <= 0) break;
    }
    // Who was served goes to the end of the line.
    for (const { partition } of taken) {
      this.partitions.delete(partition);
      this.partitions.add(partition);
    }
    return taken;
  }

  async #send(taken: readonly Taken[]): Promise<void> {
    this.#inFlight += 1;
    const bytes = taken.reduce((sum, { records }) => sum + lengthOf(records), 0);
    this.#rate.take(bytes);
    const topics = [...new Set(taken.map(({ partition }) => partition.plan.targetTopic))].map((topic) => ({
      topic,
      partitions: taken
        .filter(({ partition }) => partition.plan.targetTopic === topic)
        .map(({ partition, records }) => ({ partition: partition.plan.partition, records })),
    }));
    const request = { transactionalId: null, acks: 'all', timeoutMs: produceTimeoutMs, topics } as const;
    const response = await this.#broker
      .call(produceApi, request, { sendBeforeMs: this.#settings.sendBeforeMs() })
      .catch((error) => (error instanceof Error ? error.message : String(error)));
    this.#inFlight -= 1;
    // Answered, or its connection is gone: nothing of it leaves any more.
    for (const { lease } of taken) lease?.end();
    if (typeof response === 'string') this.#lose(response);
    else this.#answered(taken, bytes, response);
  }

  #answered(taken: readonly Taken[], bytes: number, response: ProduceResponse): void {
    // What was given up is doubted already.
    if (this.#isOver) return;
    this.sentBytes += bytes;
    this.#throttledUntilMs = this.#clock.monotonic() + response.throttleMs;
    const answers = new Map(
      response.topics.flatMap(({ topic, partitions }) =>
        partitions.map((one) => [`${topic}-${one.partition}`, answerOf(one)]),
      ),
    );
    for (const { partition } of taken) {
      const { targetTopic, partition: number } = partition.plan;
      partition.answer(answers.get(`${targetTopic}-${number}`) ?? noAnswer);
    }
    this.pump();
    for (const { partition } of taken) this.#listener.answered(partition);
  }

  /** Nothing that is in flight is waited for any more. */
  giveUp(why: string): void {
    this.#lose(why);
  }

  /** After one request has failed nothing is known of those behind it either. */
  #lose(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const unanswered = [...this.partitions].filter(({ writer }) => writer.flights.length > 0);
    for (const partition of this.partitions) partition.lose(why);
    void this.#broker.close();
    this.#listener.lost(this, unanswered);
  }

  async #wait(ms: number): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await this.#clock.sleep(Math.min(ms, 1000));
    this.#isWaiting = false;
    this.pump();
  }
}

type Taken = { readonly partition: MovedPartition; readonly records: ByteRange; readonly lease: Lease | null };

const produceTimeoutMs = 10_000;
const noAnswer: Answer = { kind: 'unsettled', why: 'the target answered nothing for this partition' };
