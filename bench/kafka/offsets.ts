import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerConnection } from '../../src/io/kafka/connection.ts';
import { codeOf, errorName, noError } from '../../src/io/kafka/messages/error-codes.ts';
import { askedAs, listOffsets, offsetAt } from '../../src/io/kafka/messages/list-offsets.ts';

/**
 * Where each partition ends now, as a consumer sees it. A topic that has just been made has leaders that do not know it yet: they are
 * asked again.
 */
export async function endsOf(broker: BrokerConnection, topic: string, partitions: number): Promise<number[]> {
  for (const untilMs = performance.now() + readyLimitMs; ; await sleep(20)) {
    const answers = await ask(broker, topic, partitions);
    const wrong = answers.find(({ errorCode }) => errorCode !== noError);
    if (wrong === undefined && answers.length === partitions)
      return answers.toSorted((one, other) => one.partition - other.partition).map(({ offset }) => offset ?? 0);
    const isYoung = wrong?.errorCode === notLeader && performance.now() < untilMs;
    if (!isYoung) throw new Error(`the ends of ${topic} are not told: ${errorName(wrong?.errorCode ?? noError)}`);
  }
}

const readyLimitMs = 30_000;
const notLeader = codeOf('NOT_LEADER_OR_FOLLOWER');

async function ask(broker: BrokerConnection, topic: string, partitions: number) {
  const asked = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    currentLeaderEpoch: null,
    timestamp: offsetAt.latest,
  }));
  const response = await broker.call(listOffsets, {
    replicaId: askedAs.consumer,
    isolation: 'read_uncommitted',
    topics: [{ topic, partitions: asked }],
  });
  return response.topics[0]?.partitions ?? [];
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
