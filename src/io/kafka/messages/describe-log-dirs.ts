import type { Api, Codec } from './api.ts';
import { type ByTopic, readTopics, writeTopics } from './by-topic.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/**
 * The disks of one broker, and what of the topics lies on them.
 *
 *   Request v2 (flexible) => NULLABLE [topic STRING, [partition INT32]]
 *   Response v2 => throttle_time_ms INT32, error_code INT16 (from v3), [error_code INT16, log_dir STRING,
 *     [topic STRING, [partition INT32, size INT64, offset_lag INT64, is_future BOOLEAN]],
 *     total_bytes INT64 and usable_bytes INT64 (from v4)]
 */
export type DescribeLogDirsRequest = {
  /** Null: all. */
  readonly topics: readonly ByTopic<number>[] | null;
};
export type DescribeLogDirsResponse = {
  readonly throttleMs: number;
  /** 0 before version 3, where a user who may not ask gets no directories. */
  readonly errorCode: number;
  readonly directories: readonly LogDir[];
};
export type LogDir = {
  readonly errorCode: number;
  readonly path: string;
  readonly topics: readonly ByTopic<ReplicaSize>[];
  /** Null: not told, as before version 4. */
  readonly totalBytes: number | null;
  readonly usableBytes: number | null;
};
export type ReplicaSize = {
  readonly partition: number;
  readonly bytes: number;
  readonly offsetLag: number;
  /** It is a copy on its way from one directory to another. */
  readonly isFuture: boolean;
};

const request: Codec<DescribeLogDirsRequest> = {
  encode: (out, _version, { topics }) => {
    if (topics === null) out.arrayOrNull(null, true, () => undefined);
    else writeTopics(out, true, topics, (partition) => out.int32(partition));
    out.tagged();
  },
  decode: (input) => {
    const topics = input.arrayOrNull('topics', true, () => {
      const topic = input.string('topic', true);
      const partitions = input.array(`partitions of ${topic}`, true, () => input.int32('partition'));
      input.tagged('tagged fields of a topic');
      return { topic, partitions };
    });
    input.tagged('tagged fields of DescribeLogDirs');
    return { topics };
  },
};

const response: Codec<DescribeLogDirsResponse> = {
  encode: (out, version, value) => {
    out.int32(value.throttleMs);
    if (version >= 3) out.int16(value.errorCode);
    out.array(value.directories, true, (directory) => writeDirectory(out, version, directory));
    out.tagged();
  },
  decode: (input, version) => {
    const throttleMs = input.int32('throttle time');
    const errorCode = version >= 3 ? input.int16('error code') : 0;
    const directories = input.array('log directories', true, () => readDirectory(input, version));
    input.tagged('tagged fields of DescribeLogDirs');
    return { throttleMs, errorCode, directories };
  },
};

export const describeLogDirs: Api<DescribeLogDirsRequest, DescribeLogDirsResponse> = {
  name: 'DescribeLogDirs',
  key: 35,
  oldest: 2,
  newest: 4,
  flexibleFrom: 2,
  request,
  response,
};

function writeDirectory(out: WireWriter, version: number, directory: LogDir): void {
  out.int16(directory.errorCode);
  out.string(directory.path, true);
  writeTopics(out, true, directory.topics, ({ partition, bytes, offsetLag, isFuture }) => {
    out.int32(partition);
    out.int64(bytes);
    out.int64(offsetLag);
    out.boolean(isFuture);
    out.tagged();
  });
  if (version >= 4) {
    out.int64OrNull(directory.totalBytes);
    out.int64OrNull(directory.usableBytes);
  }
  out.tagged();
}

function readDirectory(input: WireReader, version: number): LogDir {
  const errorCode = input.int16('error code');
  const path = input.string('log directory', true);
  const topics = readTopics(input, true, () => {
    const replica = {
      partition: input.int32('partition'),
      bytes: input.int64('size'),
      offsetLag: input.int64('offset lag'),
      isFuture: input.boolean('is future'),
    };
    input.tagged('tagged fields of a partition');
    return replica;
  });
  const totalBytes = version >= 4 ? input.int64OrNull('total bytes') : null;
  const usableBytes = version >= 4 ? input.int64OrNull('usable bytes') : null;
  input.tagged('tagged fields of a log directory');
  return { errorCode, path, topics, totalBytes, usableBytes };
}
