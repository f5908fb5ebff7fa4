import { PortError } from '../../../engine/ports.ts';
import { batchEnd, hasAppendTime, magicOf } from '../bytes/batch.ts';
import { legacyContents } from '../bytes/legacy.ts';
import { MalformedBytes } from '../bytes/malformed.ts';
import { recordContents } from '../bytes/rebuild.ts';
import type { RecordContent } from '../bytes/records.ts';
import { lengthOf } from '../messages/byte-range.ts';
import { codeOf, errorName, kafkaError, noError } from '../messages/error-codes.ts';
import { fetchApi, wholeFetch } from '../messages/fetch.ts';
import type { FetchedPartition } from '../messages/fetch-response.ts';
import type { Isolation } from '../messages/isolation.ts';
import { askedAs, listOffsets, offsetAt } from '../messages/list-offsets.ts';
import type { BrokerPool } from './broker-pool.ts';
import { type BatchItem, itemsOf } from './source-items.ts';

export type Wanted = {
  readonly topic: string;
  readonly partition: number;
  /** Offsets from … to, the latter not included. */
  readonly from: number;
  readonly to: number;
  readonly isolation: Isolation;
};

/** Records one after the other, as many as came together; without any where offsets hold none. */
export type Piece = {
  readonly records: readonly RecordContent[];
  /** Everything before it is accounted for. */
  readonly next: number;
  /** As they came over the network. */
  readonly bytes: number;
  /** Whether times are those of the append; null: no records, or messages of before it could be told. */
  readonly hasAppendTime: boolean | null;
  /** Offsets that were deleted while they were read. */
  readonly goneTo: number | null;
};

export type RecordLimits = {
  readonly fetchBytesMax: number;
  /** What a batch may become when it is decompressed. */
  readonly recordBytesMax: number;
  /** Without any answer for so long it is given up. */
  readonly patienceMs: number;
};

type Fetched = {
  readonly items: BatchItem[];
  readonly next: number;
  readonly bytes: number;
  readonly goneTo: number | null;
};

/**
 * The records of one partition, in order, up to an end that was known before. One fetch is ahead of what was taken, so that
 * memory holds two answers at most. Lost connections and changes of leaders are got over; throws PortError.
 */
export class PartitionRecords {
  readonly #pool: BrokerPool;
  readonly #wanted: Wanted;
  readonly #limits: RecordLimits;
  #next: number;
  #leader: number | null = null;
  #ahead: Promise<Fetched> | null = null;
  #here: BatchItem[] = [];
  #fetched: Omit<Fetched, 'items'>;

  constructor(pool: BrokerPool, wanted: Wanted, limits: RecordLimits) {
    this.#pool = pool;
    this.#wanted = wanted;
    this.#limits = limits;
    this.#next = wanted.from;
    this.#fetched = { next: wanted.from, bytes: 0, goneTo: null };
  }

  /** Null: the end. */
  async next(): Promise<Piece | null> {
    const item = this.#here.shift();
    if (item !== undefined) return this.#pieceOf(item);
    if (this.#fetched.next >= this.#wanted.to) return null;
    const { items, ...fetched } = await (this.#ahead ?? this.#fetch());
    this.#ahead = null;
    this.#fetched = fetched;
    this.#here = items;
    this.#next = fetched.next;
    if (fetched.next < this.#wanted.to) this.#fetchAhead();
    const { bytes, goneTo } = fetched;
    const next = items[0]?.from ?? fetched.next;
    return { records: [], next, bytes, hasAppendTime: null, goneTo };
  }

  #fetchAhead(): void {
    this.#ahead = this.#fetch();
    // Whoever takes it gets its error; until then nobody has to.
    this.#ahead.catch(() => undefined);
  }

  #pieceOf(item: BatchItem): Piece {
    const { from, to, bytes, at, form } = item;
    const { topic, partition } = this.#wanted;
    try {
      const contents =
        form === 'legacy' ? messagesOf(item, this.#limits) : recordContents(bytes, at, this.#limits.recordBytesMax);
      const records = contents.filter(({ offset }) => offset >= from && offset < to);
      const isOfAppend = form === 'legacy' ? null : hasAppendTime(bytes, at);
      const next = this.#here[0]?.from ?? this.#fetched.next;
      return { records, next, bytes: 0, hasAppendTime: isOfAppend, goneTo: null };
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.#malformed(error, `${topic}-${partition}, batch at offset ${from}`);
    }
  }

  async #fetch(): Promise<Fetched> {
    const { patienceMs } = this.#limits;
    const from = this.#next;
    const giveUpMs = performance.now() + patienceMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(1000, pauseMs * 2)) {
      const result = await this.#fetchOnce(from).catch((error: unknown) => {
        if (!(error instanceof PortError) || !error.retriable || this.#pool.signal.aborted) throw error;
        return error;
      });
      if (!(result instanceof PortError)) return result;
      if (performance.now() > giveUpMs) {
        const message = `${this.#name(from)}: given up after ${patienceMs / 1000} s: ${result.message}`;
        throw new PortError(result.code, message, { retriable: false, cause: result });
      }
      this.#leader = null;
      await pause(pauseMs, this.#pool.signal);
    }
  }

  async #fetchOnce(from: number): Promise<Fetched> {
    const { topic, partition, isolation } = this.#wanted;
    const { fetchBytesMax: bytesMax } = this.#limits;
    this.#leader ??= await this.#pool.leader(topic, partition);
    if (this.#leader === null) throw this.#stale(from, 'it has no leader');
    const broker = await this.#pool.broker(this.#leader);
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
    if (answer.errorCode === codeOf('OFFSET_OUT_OF_RANGE')) return await this.#outside(from);
    if (answer.errorCode !== noError) throw this.#refused(from, answer.errorCode);
    return this.#take(from, answer);
  }

  #take(from: number, answer: FetchedPartition): Fetched {
    const { to, isolation } = this.#wanted;
    const { records } = answer;
    if (records === null || lengthOf(records) === 0) throw this.#stale(from, `nothing came, though its end is ${to}`);
    try {
      const aborted = isolation === 'read_committed' ? (answer.abortedTransactions ?? []) : [];
      const items = itemsOf(records, { from, to }, aborted);
      const next = items.at(-1)?.to ?? from;
      if (next === from) throw this.#stale(from, 'no whole batch came');
      const batches = items.flatMap((item) => (item.kind === 'batch' ? [item] : []));
      return { items: batches, next, bytes: lengthOf(records), goneTo: null };
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.#malformed(error, this.#name(from));
    }
  }

  /** What was to come next has been deleted meanwhile, or the log has become shorter. */
  async #outside(from: number): Promise<Fetched> {
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
    return { items: [], next: goneTo, bytes: 0, goneTo };
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

  #malformed(error: MalformedBytes, where: string): PortError {
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

function messagesOf({ bytes, at, end }: BatchItem, { recordBytesMax }: RecordLimits): RecordContent[] {
  const contents: RecordContent[] = [];
  for (let place = at; place < end && magicOf(bytes, place) < 2; place = batchEnd(bytes, place))
    contents.push(...legacyContents(bytes, place, recordBytesMax));
  return contents;
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
