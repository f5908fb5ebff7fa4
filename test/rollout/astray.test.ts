import { describe, expect, test } from 'vitest';
import { againstBackLines } from '../../src/cli/status/lines-to-commit.ts';
import { astray } from '../../src/core/rollout/astray.ts';
import { configurationAsFound } from '../../src/core/rollout/configured.ts';
import { Bench } from './bench.ts';

const look = (bench: Bench) => astray(bench.state, bench.observe());
const nothing = { taken: null, isCut: false, standing: [], lines: [], againstBack: [] };

describe('what the world says against the journal, where no controller looks after a rollout', () => {
  test('nothing, while everything is where it was left', () => {
    expect(look(Bench.judging())).toEqual(nothing);
  });

  test('a back marker means that somebody took the traffic back', () => {
    const bench = Bench.judging();
    bench.marker = 'kim, offline';
    const carry = 'edge: new-1, new-2 still carry';
    const taken = 'the back marker says: kim, offline';
    expect(look(bench)).toEqual({
      ...nothing,
      ...{ taken, standing: [carry], lines: [`still standing: ${carry}`] },
    });
    for (const name of bench.destination) bench.admin[name] = 'maint';
    expect(look(bench)).toMatchObject({ taken, isCut: true, standing: [] });
  });

  test('whether its servers are in maint already is not known while a balancer is not read', () => {
    const bench = Bench.judging({ backends: ['edge', 'rim'] });
    bench.marker = 'kim, offline';
    for (const name of bench.destination) bench.weights[name] = 0;
    expect(look(bench)).toMatchObject({ isCut: false, standing: [] });
    bench.unreadable = ['rim'];
    const standing = ['rim does not answer: it does not answer'];
    expect(look(bench)).toMatchObject({ isCut: null, standing });
    for (const name of bench.destination) bench.admin[name] = 'maint';
    expect(look(bench)).toMatchObject({ isCut: true, standing });
  });

  test('so does a destination that is wholly in maint; one whose weight somebody has lowered is only named', () => {
    const bench = Bench.judging();
    bench.weights['new-1'] = 0;
    expect(look(bench)).toMatchObject({ taken: null, lines: [expect.stringContaining('new-1')] });
    for (const name of Object.keys(bench.weights)) if (name.startsWith('new')) bench.admin[name] = 'maint';
    expect(look(bench).taken).toMatch(/every destination server is in maint/);
    expect(look(bench).isCut).toBe(true);
    bench.marker = 'kim, offline';
    expect(look(bench)).toMatchObject({ taken: 'the back marker says: kim, offline', isCut: true });
  });

  test('a rollout that was rolled back says what a reload would undo, and what one has undone', () => {
    const bench = Bench.judging();
    rollBack(bench);
    expect(look(bench)).toEqual(nothing);
    const told = () => againstBackLines(null, look(bench).againstBack);
    // However little a reload gives back.
    bench.configured['new-2'] = 1;
    expect(told()).toEqual([expect.stringMatching(/^edge: any reload undoes this way back.*new-2 \(weight 1\)/)]);
    bench.configured['new-2'] = 30;
    expect(told()[0]).toMatch(/to new-2 \(weight 30\)\. It has to say: server new-2 … weight 0 \(now weight 30\)$/);
    expect(look(bench)).toMatchObject({ lines: [], standing: [] });
    bench.weights['new-2'] = 30;
    const undone = expect.stringMatching(
      /^edge: the way back is undone: new-2 \(weight 30\) carries.*`drover back move` takes it away/,
    );
    expect(look(bench)).toMatchObject({ lines: [undone], standing: [undone] });
  });

  test('one that was taken back after its lines had been committed names the lines of both sides', () => {
    const bench = Bench.judging();
    rollBack(bench);
    Object.assign(bench.configured, { 'old-1': 0, 'old-2': 0, 'new-1': 100 });
    const [told, ...others] = againstBackLines(null, look(bench).againstBack);
    expect(others).toEqual([]);
    expect(told).toBe(
      "edge: any reload undoes this way back: the balancer's configuration gives traffic to new-1 (weight 100), and none to old-1, old-2. It has to say: " +
        'server old-1 … weight 100 (now weight 0); server old-2 … weight 100 (now weight 0); server new-1 … weight 0 (now weight 100)',
    );
    // Whoever has only taken the destination's weights away is not done.
    bench.configured['new-1'] = 0;
    expect(againstBackLines(null, look(bench).againstBack)).toEqual([
      expect.stringMatching(/gives none to old-1, old-2/),
    ]);
  });

  test('a server whose configured weight was another from the beginning is no news, and is told as it was', () => {
    const bench = Bench.judging();
    const found = { side: 'origin', weight: 100, admin: 'ready' } as const;
    const edge = {
      ...bench.state.asFound.backends['edge'],
      'old-1': { ...found, configured: 0 },
      'old-2': { ...found, configured: 50 },
    };
    bench.state = { ...bench.state, asFound: { ...bench.state.asFound, backends: { edge } } };
    Object.assign(bench.configured, { 'old-1': 0, 'old-2': 50 });
    rollBack(bench);
    expect(look(bench)).toEqual(nothing);
    expect(configurationAsFound(bench.state)).toEqual(
      expect.arrayContaining(['edge: server old-1 … weight 0', 'edge: server old-2 … weight 50']),
    );
    bench.configured['old-2'] = 0;
    expect(againstBackLines(null, look(bench).againstBack)).toEqual([
      expect.stringMatching(/gives none to old-2\. It has to say: server old-2 … weight 50 \(now weight 0\)$/),
    ]);
  });

  test('one that is on the way back names what carries, however little, and a balancer that nobody can ask', () => {
    const bench = Bench.judging();
    const { target } = bench.intended();
    const cause = { kind: 'asked', by: 'kim', reason: null } as const;
    const { counted } = bench.state;
    bench.append([{ kind: 'back-performed', cause, all: true, target, verdict: null, performedAtMs: 1, counted }]);
    bench.weights['new-1'] = 0;
    bench.weights['new-2'] = 1;
    expect(look(bench)).toMatchObject({ taken: null, lines: ['still standing: edge: new-2 still carries'] });
    bench.admin['new-2'] = 'maint';
    expect(look(bench).lines).toEqual([]);
    bench.isReadable = false;
    expect(look(bench).lines).toEqual(['still standing: edge does not answer: it does not answer']);
  });

  test('what a reload has undone is lowered by whoever is asked to, while the origin is up', () => {
    const bench = Bench.judging();
    rollBack(bench);
    bench.weights['new-2'] = 30;
    bench.ask({ kind: 'back', by: 'kim', reason: null, all: false });
    const { effects, events, ended } = bench.pass();
    expect({ events, ended }).toEqual({ events: [], ended: false });
    expect(effects).toMatchObject([{ kind: 'traffic', weights: { 'new-2': 0 }, states: {}, raises: false }]);
    bench.weights['new-2'] = 0;
    expect(bench.pass()).toMatchObject({ effects: [], ended: true });
    bench.weights['new-2'] = 30;
    bench.originHealthy = 0;
    expect(bench.pass().effects).toEqual([]);
  });
});

/** Wholly: as it was found. */
function rollBack(bench: Bench): void {
  const { target } = bench.intended();
  const found = { weight: 0, admin: 'ready' } as const;
  const edge = { ...target.traffic['edge'], 'new-1': found, 'new-2': found };
  const { counted } = bench.state;
  bench.append([
    {
      kind: 'back-performed',
      cause: { kind: 'asked', by: 'kim', reason: null },
      all: false,
      target: { ...target, traffic: { edge } },
      verdict: null,
      performedAtMs: 1,
      counted,
    },
    { kind: 'drained', inFlight: 0, afterMs: 1, counted },
    { kind: 'rolled-back', tookMs: 2 },
  ]);
  bench.weights = { ...bench.weights, 'new-1': 0, 'new-2': 0 };
}
