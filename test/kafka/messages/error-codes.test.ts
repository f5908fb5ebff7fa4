import { describe, expect, test } from 'vitest';
import { codeOf, errorName, kafkaError } from '../../../src/io/kafka/messages/error-codes.ts';

describe('what a broker answers instead of doing it', () => {
  test.each([
    ['NOT_LEADER_OR_FOLLOWER', 6, 'metadata'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 20, 'read-back'],
    ['TOPIC_AUTHORIZATION_FAILED', 29, 'never'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 45, 'read-back'],
    ['OFFSET_NOT_AVAILABLE', 78, 'again'],
    ['INVALID_RECORD', 87, 'never'],
  ] as const)('has a name, a meaning and a remedy: %s', (name, code, remedy) => {
    expect(kafkaError(code)).toMatchObject({ code, name, remedy });
    expect(codeOf(name)).toBe(code);
    expect(errorName(code)).toBe(`${name} (${code})`);
  });

  test('is never taken for harmless if it is new: the number stays, and what was sent is read back', () => {
    expect(kafkaError(999)).toMatchObject({ code: 999, name: 'ERROR_999', remedy: 'read-back' });
  });
});
