import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Outcome } from './fault-matrix/fault.ts';
import { faults } from './fault-matrix/matrix.ts';
import { playFault } from './fault-matrix/scene.ts';
import { figuresTable, wordsTable, wrongWith } from './fault-matrix/table.ts';

// Each fault has a HAProxy, servers, users and a controller of its own. They wait for most of their time, so a few are played at once.
describe.concurrent('users, counts and decisions under', () => {
  test.each(faults)('$name', async (fault) => {
    const outcome = await playFault(fault);
    expect(wrongWith({ fault, outcome }), figuresTable([{ fault, outcome }])).toEqual([]);
    // What would not be noticed is not tested.
    for (const other of miscounted(outcome)) expect(wrongWith({ fault, outcome: other })).not.toEqual([]);
    const decided = [...outcome.decided, 'promoted'];
    expect(wrongWith({ fault, outcome: { ...outcome, decided } })).not.toEqual([]);
  });
});

test('the matrix is the one that the reference shows, and the tests that it names are there', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'reference', 'faults.md'), 'utf8');
  expect(page).toContain(wordsTable(faults));
  const named = faults.flatMap(({ rollout }) => rollout ?? []);
  expect(named.filter((path) => !existsSync(join(import.meta.dirname, path)))).toEqual([]);
});

/** One failure more and one less than there was, at each side. */
function miscounted(outcome: Outcome): Outcome[] {
  return (['origin', 'destination'] as const).flatMap((side) =>
    [1, -1].map((more) => {
      const { attempts, failures } = outcome.counted[side];
      return { ...outcome, counted: { ...outcome.counted, [side]: { attempts, failures: failures + more } } };
    }),
  );
}
