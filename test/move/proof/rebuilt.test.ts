import { describe, expect, test } from 'vitest';
import type { Seen } from '../../../src/core/move/alignment.ts';
import type { SentLine } from '../../../src/core/move/ledger-lines.ts';
import { keptBits } from '../../../src/core/move/offset-map.ts';
import { compareRecords } from '../../../src/core/move/proof/rebuilt.ts';

const line: SentLine = {
  ...{ kind: 'sent', from: 100, to: 106, target: 40, count: 3, checksum: 0 },
  kept: keptBits(6, [0, 2, 5]),
};
const source = [record(100), record(102), record(105)];
const target = [record(40, 100), record(41, 102), record(42, 105)];

describe('records of a batch that was made anew', () => {
  test('are equal where each is what the source has at the offset that the line keeps', () => {
    // What the line leaves out may be there on the source: a transaction that was aborted.
    expect(compareRecords(line, [...source, record(101)], target)).toEqual({ equal: 3, gone: 0, different: null });
  });

  test('that the source does not have any more are counted, and are no difference', () => {
    expect(compareRecords(line, source.slice(1), target)).toEqual({ equal: 2, gone: 1, different: null });
  });

  test.each([
    ['another content', [target[0], { ...record(41, 102), content: 'x' }, target[2]], 'its key, its value'],
    ['another time', [target[0], { ...record(41, 102), timeMs: 5 }, target[2]], 'its time is 5, on the source 102'],
    ['two in the other order', [target[0], record(41, 105), record(42, 102)], 'its key, its value'],
    ['one that is missing', target.slice(0, 1), 'the batch has no such record'],
  ])('%s is told with both offsets', (_, changed, why) => {
    const { different } = compareRecords(
      line,
      source,
      changed.flatMap((one) => one ?? []),
    );
    expect(different).toMatchObject({ source: 102, target: 41, why: expect.stringContaining(why) });
  });

  test('one more than the line has is told', () => {
    expect(compareRecords(line, source, [...target, record(43)]).different).toMatchObject({ target: 43 });
  });

  test('without holes all offsets are kept', () => {
    const dense: SentLine = { ...line, to: 103, kept: null, isRebuilt: true };
    const there = [100, 101, 102].map((offset) => record(offset));
    const copied = [record(40, 100), record(41, 101), record(42, 102)];
    expect(compareRecords(dense, there, copied)).toEqual({ equal: 3, gone: 0, different: null });
  });
});

/** `as`: what the source's record is that it is a copy of. */
function record(offset: number, as = offset): Seen {
  return { offset, timeMs: as, content: `content of ${as}` };
}
