import { describe, expect, it } from 'vitest';
import { afterCheck, type Health, unchecked } from '../../src/io/provider/local/health.ts';

const limits = { rise: 2, fall: 3 };

function checked(outcomes: string): Health {
  return [...outcomes].reduce(
    (health, outcome) => afterCheck(health, outcome === '+' ? null : 'refused', limits),
    unchecked,
  );
}

describe('the health of an instance', () => {
  it.each([
    ['', 'undecided'],
    ['+', 'undecided'],
    ['+-+-+', 'undecided'],
    ['-----', 'undecided'],
    ['++', 'healthy'],
    ['++--+--', 'healthy'],
    ['++---', 'unhealthy'],
    ['++---+', 'unhealthy'],
    ['++---+-+-', 'unhealthy'],
    ['++---++', 'healthy'],
  ])('after the checks "%s" is %s', (outcomes, verdict) => {
    expect(checked(outcomes).verdict).toBe(verdict);
  });

  it('tells why the last check failed, and only that', () => {
    expect(checked('++-').problem).toBe('refused');
    expect(checked('++-+').problem).toBeNull();
  });
});
