import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/** Topics with something about each of several partitions: the shape of most of Kafka's messages. */
export type ByTopic<T> = { readonly topic: string; readonly partitions: readonly T[] };

/**
 *   [topic STRING, [partition], tagged fields]          `partition` writes or reads all of one partition, its tagged fields too
 */
export function writeTopics<T>(
  out: WireWriter,
  flexible: boolean,
  topics: readonly ByTopic<T>[],
  partition: (value: T) => void,
): void {
  out.array(topics, flexible, ({ topic, partitions }) => {
    out.string(topic, flexible);
    out.array(partitions, flexible, partition);
    if (flexible) out.tagged();
  });
}

export function readTopics<T>(input: WireReader, flexible: boolean, partition: () => T): ByTopic<T>[] {
  return input.array('topics', flexible, () => {
    const topic = input.string('topic', flexible);
    const partitions = input.array(`partitions of ${topic}`, flexible, partition);
    if (flexible) input.tagged('tagged fields of a topic');
    return { topic, partitions };
  });
}
