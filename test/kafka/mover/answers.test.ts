import { expect, test } from 'vitest';
import { codeOf } from '../../../src/io/kafka/messages/error-codes.ts';
import { answerOf } from '../../../src/io/kafka/mover/answers.ts';

const produced = {
  ...{
    partition: 0,
    errorCode: codeOf('INVALID_TIMESTAMP'),
    baseOffset: null,
    logAppendTimeMs: null,
    logStartOffset: null,
  },
  ...{
    recordErrors: [{ batchIndex: 3, message: 'Timestamp 7 of message with offset 3 is out of range' }],
    errorMessage: 'One or more records have been rejected',
  },
};

test('a refusal keeps what the broker has said, and of a long one its beginning', () => {
  expect(answerOf(produced)).toEqual({
    ...{ kind: 'refused', refusal: 'timestamp' },
    words:
      'INVALID_TIMESTAMP (32): One or more records have been rejected: Timestamp 7 of message with offset 3 is out of range',
  });
  const long = answerOf({ ...produced, errorMessage: 'x'.repeat(100_000) });
  expect(long.kind === 'refused' && long.words?.length).toBe(400);
});
