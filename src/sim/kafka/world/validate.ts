import {
  baseOffset,
  batchEnd,
  batchHeaderBytes,
  crcIsRight,
  hasAppendTime,
  isControl,
  isDense,
  isTransactional,
  magicOf,
  maxTimestamp,
} from '../../../io/kafka/bytes/batch.ts';
import { MalformedBytes } from '../../../io/kafka/bytes/malformed.ts';
import { recordDigests } from '../../../io/kafka/bytes/rebuild.ts';
import { codeOf, noError } from '../../../io/kafka/messages/error-codes.ts';

/** What a broker says to one batch of a client before it asks who sent it; as measured on real ones. */
export function refusalOf(bytes: Uint8Array, bytesMax: number, wallMs: number): number {
  if (bytes.length < batchHeaderBytes || magicOf(bytes, 0) !== 2) return codeOf('CORRUPT_MESSAGE');
  if (bytes.length > bytesMax) return codeOf('MESSAGE_TOO_LARGE');
  if (batchEnd(bytes, 0) !== bytes.length) return codeOf('INVALID_RECORD');
  if (!crcIsRight(bytes, 0)) return codeOf('CORRUPT_MESSAGE');
  if (baseOffset(bytes, 0) !== 0 || isControl(bytes, 0) || !isDense(bytes, 0)) return codeOf('INVALID_RECORD');
  if (isTransactional(bytes, 0)) return codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
  if (hasAppendTime(bytes, 0) || maxTimestamp(bytes, 0) > wallMs + futureMsMax) return codeOf('INVALID_TIMESTAMP');
  return noError;
}

const futureMsMax = 3_600_000;

/** Whether the records stand at 0, 1, 2 … of their batch. */
export function countsUp(bytes: Uint8Array): boolean {
  try {
    return recordDigests(bytes, 0, bytesMaxOfRecords).every(({ offset }, index) => offset === index);
  } catch (error) {
    if (error instanceof MalformedBytes) return false;
    throw error;
  }
}

const bytesMaxOfRecords = 16 * 1024 * 1024;
