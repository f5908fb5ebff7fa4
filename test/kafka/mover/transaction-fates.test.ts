import { describe, expect, test } from 'vitest';
import { TransactionFates } from '../../../src/io/kafka/mover/transaction-fates.ts';
import type { Item } from '../../../src/io/kafka/reader/source-items.ts';

describe('what the source says of transactions whose markers are still to come', () => {
  test('a marker that says the opposite is told, with both offsets', () => {
    expect(firstSaid(aborted(23, 7n), marker(35, 7n, 'commit'))).toContain('from offset 23 on');
    expect(firstSaid(copied(23, 7n), marker(35, 7n, 'abort'))).toContain('what stands at 35');
    expect(firstSaid(copied(23, 7n), aborted(35, 7n))).toContain('producer 7');
  });

  test('one after the other, and of several producers, they may end as they like', () => {
    const [one, other] = [7n, 8n];
    const said = firstSaid(
      aborted(20, one),
      copied(21, other),
      marker(22, one, 'abort'),
      copied(23, one),
      marker(24, other, 'commit'),
      marker(25, one, 'commit'),
      aborted(26, other),
      marker(27, other, 'abort'),
    );
    expect(said).toBeNull();
  });

  test('the same offsets may come once more, after a read-back', () => {
    const items = [aborted(20, 7n), marker(22, 7n, 'abort')] as const;
    expect(firstSaid(...items, ...items, copied(23, 7n))).toBeNull();
  });

  test('nothing is said across a hole, where a marker may have been that was cleaned away', () => {
    const hole: Item = { kind: 'left', from: 24, to: 25, why: 'hole', epoch: null, transaction: null };
    expect(firstSaid(aborted(23, 7n), hole, marker(35, 7n, 'commit'))).toBeNull();
  });

  test('what is fetched again is not held to what it was before', () => {
    const fates = new TransactionFates();
    fates.note(copied(20, 8n));
    fates.note(aborted(23, 7n));
    fates.note(marker(24, 8n, 'commit'));
    fates.forgetFrom(22);
    expect(fates.note(copied(23, 7n))).toBeNull();
    expect(fates.note(marker(24, 8n, 'abort'))).toContain('is aborted');
  });
});

function firstSaid(...items: readonly Item[]): string | null {
  const fates = new TransactionFates();
  for (const item of items) {
    const said = fates.note(item);
    if (said !== null) return said;
  }
  return null;
}

function aborted(from: number, producerId: bigint): Item {
  return { kind: 'left', from, to: from + 1, why: 'aborted', epoch: 0, transaction: { producerId, end: null } };
}

function copied(from: number, producerId: bigint): Item {
  const place = { bytes: new Uint8Array(0), at: 0, end: 0, form: 'as it is', newestMs: 0 } as const;
  return { kind: 'batch', from, to: from + 1, ...place, epoch: 0, transaction: { producerId, end: null } };
}

function marker(from: number, producerId: bigint, end: 'abort' | 'commit'): Item {
  return { kind: 'left', from, to: from + 1, why: 'control', epoch: 0, transaction: { producerId, end } };
}
