import { describe, expect, test } from 'vitest';
import { astray } from '../../src/core/rollout/astray.ts';
import { Bench } from './bench.ts';

const look = (bench: Bench) => astray(bench.state, bench.observe());

describe('what the world says against the journal, where no controller looks after a rollout', () => {
  test('nothing, while everything is where it was left', () => {
    expect(look(Bench.judging())).toEqual({ taken: null, lines: [] });
  });

  test('a back marker means that somebody took the traffic back', () => {
    const bench = Bench.judging();
    bench.marker = 'kim, offline';
    expect(look(bench)).toEqual({ taken: 'the back marker says: kim, offline', lines: [] });
  });

  test('so does a destination that is wholly in maint; one whose weight somebody has lowered is only named', () => {
    const bench = Bench.judging();
    bench.weights['new-1'] = 0;
    expect(look(bench)).toMatchObject({ taken: null, lines: [expect.stringContaining('new-1')] });
    for (const name of Object.keys(bench.weights)) if (name.startsWith('new')) bench.admin[name] = 'maint';
    expect(look(bench).taken).toMatch(/every destination server is in maint/);
  });

  test('a rollout that was rolled back says what a reload would undo', () => {
    const bench = Bench.judging();
    bench.append([
      {
        kind: 'back-performed',
        cause: { kind: 'asked', by: 'kim', reason: null },
        all: true,
        target: bench.intended().target,
        verdict: null,
        performedAtMs: 1,
        counted: bench.state.counted,
      },
      { kind: 'drained', inFlight: 0, afterMs: 1, counted: bench.state.counted },
      { kind: 'rolled-back', tookMs: 2 },
    ]);
    expect(look(bench)).toEqual({ taken: null, lines: [] });
    for (const weight of [1, 30]) {
      bench.configured['new-2'] = weight;
      expect(look(bench).lines).toEqual([
        expect.stringMatching(new RegExp(`^edge: any reload undoes this way back.*new-2 \\(weight ${weight}\\)`)),
      ]);
    }
  });

  test('one that is on the way back names what carries, however little, and a balancer that nobody can ask', () => {
    const bench = Bench.judging();
    const back = bench.intended().target;
    bench.append([
      {
        kind: 'back-performed',
        cause: { kind: 'asked', by: 'kim', reason: null },
        all: true,
        target: back,
        verdict: null,
        performedAtMs: 1,
        counted: bench.state.counted,
      },
    ]);
    bench.weights['new-1'] = 0;
    bench.weights['new-2'] = 1;
    expect(look(bench)).toEqual({ taken: null, lines: ['still standing: edge: new-2 still carries'] });
    bench.admin['new-2'] = 'maint';
    expect(look(bench).lines).toEqual([]);
    bench.isReadable = false;
    expect(look(bench).lines).toEqual(['still standing: edge does not answer: it does not answer']);
  });
});
