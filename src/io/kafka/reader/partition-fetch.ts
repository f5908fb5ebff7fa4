import { PortError } from '../../../engine/ports.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { type ByteRange, lengthOf } from '../messages/byte-range.ts';
import { codeOf, errorName, kafkaError, noError } from '../messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../messages/fetch.ts';
import type { AbortedTransaction, FetchedPartition } from '../messages/fetch-response.ts';
import type { Isolation } from '../messages/isolation.ts';
import { askedAs, listOffsets, offsetAt } from '../messages/list-offsets.ts';
import type { BrokerPool } from './broker-pool.ts';
import type { Pace } from './pace.ts';

export type Wanted = {
  readonly topic: string;
  readonly partition: number;
  /** Offsets from … to, the latter not included. */
  readonly from: number;
  readonly to: number;
  readonly isolation: Isolation;
};

export type FetchLimits = {
  readonly fetchBytesMax: number;
  /** Without any answer for so long it is given up. */
  readonly patienceMs: number;
  /** How fast a broker may be read; without one: as fast as it answers. */
  readonly pace?: Pace;
};

/** What came of one request. */
export type Fetched<T> = {
  /** Null: nothing, as it was deleted. */
  readonly taken: T | null;
  /** Where the next one begins. */
  readonly next: number;
  readonly bytes: number;
  /** Not null: up to there it was deleted while it was read. */
  readonly goneTo: number | null;
};

/** Makes of an answer's bytes what is wanted. `next`: behind the last whole batch. Throws MalformedBytes. */
export type Take<T> = (
  records: ByteRange,
  from: number,
  aborted: readonly AbortedTransaction[],
) => { readonly taken: T; readonly next: number };

/** One partition, whoever leads it: lost connections and changes of leaders are got over. Throws PortError, which names the side. */
export class PartitionFetch<T> {
  readonly #pool: BrokerPool;
  readonly #wanted: Wanted;
  readonly #limits: FetchLimits;
  readonly #takeOf: Take<T>;
  #leader: number | null = null;

  constructor(pool: BrokerPool, wanted: Wanted, limits: FetchLimits, take: Take<T>) {
    this.#pool = pool;
    this.#wanted = wanted;
    this.#limits = limits;
    this.#takeOf = take;
  }

  async fetch(from: number): Promise<Fetched<T>> {
    const { patienceMs } = this.#limits;
    let failedAtMs: number | null = null;
    for (let pauseMs = 50; ; pauseMs = Math.min(1000, pauseMs * 2)) {
      const result = await this.#fetchOnce(from).catch((error: unknown) => {
        if (!(error instanceof PortError) || !error.retriable || this.#pool.signal.aborted) throw error;
        return error;
      });
      if (!(result instanceof PortError)) return result;
      failedAtMs ??= performance.now();
      if (performance.now() - failedAtMs > patienceMs) {
        const message = `${this.#name(from)}: given up after ${patienceMs / 1000} s: ${result.message}`;
        throw new PortError(result.code, message, { retriable: false, cause: result });
      }
      this.#leader = null;
      await pause(pauseMs, this.#pool.signal);
    }
  }

  async #fetchOnce(from: number): Promise<Fetched<T>> {
    const { topic, partition } = this.#wanted;
    const { fetchBytesMax, pace } = this.#limits;
    this.#leader ??= await this.#pool.leader(topic, partition);
    if (this.#leader === null) throw this.#stale(from, 'it has no leader');
    const leader = this.#leader;
    const came = await pace?.room(leader, fetchBytesMax, this.#pool.signal);
    let bytes = 0;
    try {
      const answer = await this.#ask(leader, from);
      bytes = answer.records === null ? 0 : lengthOf(answer.records);
      if (answer.errorCode === codeOf('OFFSET_OUT_OF_RANGE')) return await this.#outside(from);
      if (answer.errorCode !== noError) throw this.#refused(from, answer.errorCode);
      return this.#take(from, answer);
    } finally {
      came?.(bytes);
    }
  }

  async #ask(leader: number, from: number): Promise<FetchedPartition> {
    const { topic, partition, isolation } = this.#wanted;
    const { fetchBytesMax: bytesMax } = this.#limits;
    const broker = await this.#pool.broker(leader);
    const asked = { partition, currentLeaderEpoch: null, offset: from, lastFetchedEpoch: null, logStartOffset: null };
    const response = await broker.call(fetchApi, {
      ...wholeFetch,
      maxWaitMs: 500,
      bytesMin: 1,
      bytesMax,
      isolation,
      topics: [{ topic, partitions: [{ ...asked, bytesMax }] }],
    });
    const answer = response.topics[0]?.partitions[0];
    if (response.errorCode !== noError) throw this.#stale(from, errorName(response.errorCode));
    if (answer === undefined) throw this.#stale(from, 'the broker answered nothing');
    return answer;
  }

  #take(from: number, answer: FetchedPartition): Fetched<T> {
    const { to, isolation } = this.#wanted;
    const { records } = answer;
    if (records === null || lengthOf(records) === 0) throw this.#stale(from, `nothing came, though its end is ${to}`);
    try {
      const aborted = isolation === 'read_committed' ? (answer.abortedTransactions ?? []) : [];
      const { taken, next } = this.#takeOf(records, from, aborted);
      if (next === from) throw this.#stale(from, 'no whole batch came');
      return { taken, next, bytes: lengthOf(records), goneTo: null };
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.malformed(error, this.#name(from));
    }
  }

  /** What was to come next has been deleted meanwhile, or the log has become shorter. */
  async #outside(from: number): Promise<Fetched<T>> {
    const { topic, partition, to } = this.#wanted;
    const broker = await this.#pool.broker(this.#leader ?? -1);
    const asked = { partition, currentLeaderEpoch: null, timestamp: offsetAt.earliest };
    const isolation = 'read_uncommitted';
    const topics = [{ topic, partitions: [asked] }];
    const response = await broker.call(listOffsets, { replicaId: askedAs.consumer, isolation, topics });
    const answer = response.topics[0]?.partitions[0];
    if (answer === undefined || answer.errorCode !== noError || answer.offset === null)
      throw this.#stale(from, 'it does not tell where its log starts');
    if (answer.offset <= from) {
      const message = `${this.#name(from)}: the log has become shorter while it was read: ${to} was its end. Was there an unclean election, or was the topic made anew?`;
      throw new PortError('corrupt', message, { retriable: false });
    }
    const goneTo = Math.min(answer.offset, to);
    return { taken: null, next: goneTo, bytes: 0, goneTo };
  }

  #refused(from: number, code: number): PortError {
    const { remedy, meaning } = kafkaError(code);
    if (code === codeOf('TOPIC_AUTHORIZATION_FAILED')) {
      const { topic } = this.#wanted;
      return new PortError('denied', `${this.#name(from)}: ${meaning}. ${readRemedy(this.#pool, topic)}`, {
        retriable: false,
      });
    }
    const retriable = remedy === 'metadata' || remedy === 'again';
    return new PortError('refused', `${this.#name(from)}: ${errorName(code)}: ${meaning}`, { retriable });
  }

  #stale(from: number, why: string): PortError {
    return new PortError('refused', `${this.#name(from)}: ${why}`, { retriable: true });
  }

  /** `where`: topic, partition and offset. */
  malformed(error: MalformedBytes, where: string): PortError {
    const message = `${this.#pool.settings.side}, ${where}: ${error.message}`;
    return new PortError('corrupt', message, { retriable: false, cause: error });
  }

  #name(from: number): string {
    const { topic, partition } = this.#wanted;
    return `${topic}-${partition} of the ${this.#pool.settings.side}, from offset ${from}`;
  }
}

export function readRemedy({ settings }: BrokerPool, topic: string): string {
  const user = settings.sasl === null ? 'NAME' : settings.sasl.username;
  return `kafka-acls --add --allow-principal User:${user} --operation Read --operation Describe --topic '${topic}'`;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
