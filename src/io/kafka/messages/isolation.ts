import { MalformedBytes } from '../bytes/malformed.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

/** Whether a reader sees records of transactions that are open or were aborted. */
export type Isolation = 'read_uncommitted' | 'read_committed';

export function writeIsolation(out: WireWriter, isolation: Isolation): void {
  out.int8(isolation === 'read_committed' ? 1 : 0);
}

export function readIsolation(input: WireReader): Isolation {
  const { at } = input;
  const code = input.int8('isolation level');
  if (code !== 0 && code !== 1) throw new MalformedBytes('isolation level', at, '0 or 1', `${code}`);
  return code === 1 ? 'read_committed' : 'read_uncommitted';
}
