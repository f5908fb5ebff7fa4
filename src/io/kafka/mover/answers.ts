import type { Answer, Refusal } from '../../../core/move/writer.ts';
import { codeOf, errorName, type KafkaErrorName, noError } from '../messages/error-codes.ts';
import type { ProducedPartition } from '../messages/produce.ts';

/** What the answer to one batch means to its writer. */
export function answerOf(produced: ProducedPartition): Answer {
  const { errorCode, baseOffset } = produced;
  if (errorCode === noError && baseOffset !== null) return { kind: 'appended', base: baseOffset };
  if (errorCode === outOfOrder) return { kind: 'out-of-order' };
  if (errorCode === corrupt) return { kind: 'corrupt' };
  const refusal = refusals.get(errorCode);
  if (refusal !== undefined) return { kind: 'refused', refusal, words: wordsOf(produced) };
  return { kind: 'unsettled', why: `the target answered ${errorName(errorCode)}` };
}

/** What it says of the batch, and of the first record that it does not take. */
function wordsOf({ errorCode, errorMessage, recordErrors }: ProducedPartition): string {
  const record = recordErrors.find(({ message }) => message !== null)?.message ?? null;
  const said = [...new Set([errorMessage, record])].flatMap((words) => (words === null ? [] : [words]));
  return [errorName(errorCode), ...said].join(': ').slice(0, wordsMax);
}

const wordsMax = 400;

const outOfOrder = codeOf('OUT_OF_ORDER_SEQUENCE_NUMBER');
const corrupt = codeOf('CORRUPT_MESSAGE');

const refusalsByName: Partial<Record<KafkaErrorName, Refusal>> = {
  INVALID_PRODUCER_EPOCH: 'fenced',
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  INVALID_TIMESTAMP: 'timestamp',
  INVALID_RECORD: 'invalid',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'invalid',
  POLICY_VIOLATION: 'invalid',
  TOPIC_AUTHORIZATION_FAILED: 'denied',
  CLUSTER_AUTHORIZATION_FAILED: 'denied',
};
const refusals = new Map(
  Object.entries(refusalsByName).map(([name, refusal]) => [codeOf(name as KafkaErrorName), refusal]),
);
