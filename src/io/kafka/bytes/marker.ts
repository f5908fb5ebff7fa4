import { batchEnd, batchHeaderBytes, lastOffsetDelta, recordCount } from './batch.ts';
import { int16At } from './integers.ts';
import { MalformedBytes } from './malformed.ts';
import { RecordCursor } from './records.ts';

export type MarkerKind = 'abort' | 'commit';

/**
 * How a control batch ends a transaction. The key of its record is a version and a type, both int16. null: it ends none, or its record
 * has been cleaned away. Throws MalformedBytes.
 */
export function markerOf(bytes: Uint8Array, at: number): MarkerKind | null {
  const expected = { count: recordCount(bytes, at), lastOffsetDelta: lastOffsetDelta(bytes, at) };
  const record = new RecordCursor(bytes, at + batchHeaderBytes, batchEnd(bytes, at), expected);
  if (!record.next()) return null;
  if (record.keyTo - record.keyFrom < 4)
    throw new MalformedBytes('key of a control record', record.keyFrom, '4 bytes', record.keyTo - record.keyFrom);
  const type = int16At(bytes, record.keyFrom + 2);
  return type === 0 ? 'abort' : type === 1 ? 'commit' : null;
}
