import { describe, expect, test } from 'vitest';
import { askedBy, Wrong } from '../../scripts/sim/asked.ts';

describe('what the simulator is asked for', () => {
  test('one world, or many', () => {
    expect(askedBy([])).toMatchObject({ first: 1, seeds: null, without: [], healAtMs: null });
    const narrowed = askedBy(['--seed', '7', '--without', 'crash,pause', '--heal-at', '0', '--mutation', 'blind']);
    expect(narrowed).toMatchObject({ first: 7, without: ['crash', 'pause'], healAtMs: 0, mutation: 'blind' });
    expect(askedBy(['--seeds', '5000', '--pairs'])).toMatchObject({ seeds: 5000, pairs: true });
  });

  test.each([
    ['no world at all', ['--seeds', '0']],
    ['nobody to do it', ['--seeds', '5', '--workers', '0']],
    ['a number that is none', ['--seed', '1e3']],
    ['an empty number', ['--seed', '']],
    ['a mutation of many worlds', ['--seeds', '5', '--mutation', 'marker ignored']],
    ['faults left out of many worlds', ['--seeds', '5', '--without', 'disk-full']],
    ['an export of many worlds', ['--seeds', '5', '--export', 'file']],
    ['workers for one world', ['--workers', '2']],
    ['pairs of one world', ['--pairs']],
    ['a shrink of what is narrowed by hand', ['--shrink', '--without', 'crash']],
    ['a reason to keep nothing', ['--why', 'it was red']],
    ['an option that there is not', ['--sheds', '5']],
  ])('nothing is overlooked: %s', (_what, args) => {
    expect(() => askedBy(args)).toThrow(Wrong);
  });
});
