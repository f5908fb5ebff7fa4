import { describe, expect, test } from 'vitest';
import { balanceEvents, isUnplanned, type LedgerRow, lastReachedMs, parseLedger } from '../../src/cli/demo/ledger.ts';

function row(more: Partial<LedgerRow>): LedgerRow {
  return {
    begunAtMs: 0,
    endedAtMs: 1,
    kind: 'event',
    status: 201,
    instance: 'collector-vpc-1',
    note: '',
    id: 'a',
    ...more,
  };
}

describe('the ledger', () => {
  test('a line that is being written is left for later, and a broken one is no row', () => {
    const line = '[1,2,"event",201,"collector-vpc-1","","a"]';
    expect(parseLedger(`${line}\n[1,2,"ev`)).toEqual([row({ begunAtMs: 1, endedAtMs: 2 })]);
    expect(() => parseLedger('[1,2]\n')).toThrow('line 1 of the ledger');
    expect(() => parseLedger('oops\n')).toThrow();
  });

  test('a planted failure is planned, an answer of the balancer and none at all are not', () => {
    expect(isUnplanned(row({ status: 500, note: 'planted' }))).toBe(false);
    expect(isUnplanned(row({ status: 503, note: 'status 503', instance: '' }))).toBe(true);
    expect(isUnplanned(row({ status: 0, note: 'socket hang up', instance: '' }))).toBe(true);
    expect(isUnplanned(row({ status: 200 }))).toBe(false);
  });

  test('the last request that reached an instance after a moment, and before another', () => {
    const rows = [row({ begunAtMs: 90 }), row({ begunAtMs: 103 }), row({ begunAtMs: 101 }), row({ begunAtMs: 500 })];
    expect(lastReachedMs(rows, 'collector-vpc-', 100, 400)).toBe(3);
    expect(lastReachedMs(rows, 'collector-vpc-', 104, 400)).toBeNull();
    expect(lastReachedMs(rows, 'query-vpc-', 100, 400)).toBeNull();
  });
});

describe('events acknowledged and events counted', () => {
  test('an event that was acknowledged and not stored is lost', () => {
    expect(balanceEvents([row({ id: 'a' }), row({ id: 'b' })], ['a'])).toMatchObject({
      acknowledged: 2,
      lost: 1,
      twice: 0,
    });
  });

  test('an event that was stored twice is found, and one whose user was not told is counted', () => {
    const rows = [row({ id: 'a' }), row({ id: 'b', status: 0 })];
    expect(balanceEvents(rows, ['a', 'a', 'b'])).toEqual({
      acknowledged: 1,
      counted: 3,
      lost: 0,
      twice: 1,
      unacknowledged: 1,
      unknown: 0,
    });
  });
});
