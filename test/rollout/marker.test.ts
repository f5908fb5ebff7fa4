import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { decide } from '../../src/core/rollout/decide.ts';
import { markedAtMs } from '../../src/core/rollout/marker.ts';
import type { OperatorRequest } from '../../src/core/rollout/observation.ts';
import { halfTarget, madeObservation, madeWatch, nowMs, sinceMs, stateAt } from '../made/rollout.ts';

const inMaint = { 'new-1': { weight: 0, admin: 'maint' }, 'new-2': { weight: 0, admin: 'maint' } } as const;
const takenAtMs = sinceMs + 300_000;
const says = (atMs: number) => `kim, offline: web is bad, ${new Date(atMs).toISOString()}`;
const back: OperatorRequest = { kind: 'back', by: 'root', reason: null, all: false };
const madeBackend = { origin: 'old-*', destination: 'new-*' };
const state = stateAt({ kind: 'judging', step: 1 });
const performed = (seen: Parameters<typeof madeObservation>[0]) =>
  decide(state, madeWatch(state), madeObservation(seen)).events.find(({ kind }) => kind === 'back-performed');

describe('a way back that was taken before the journal knew of it', () => {
  test('is written down with the time and the reason of its marker, and not as taken by whoever asks afterwards', () => {
    const marker = known(says(takenAtMs));
    expect(performed({ servers: inMaint, marker, requests: [back] })).toMatchObject({
      performedAtMs: takenAtMs,
      cause: { kind: 'found', detail: expect.stringMatching(/kim, offline: web is bad, .*; then root asked for it$/) },
    });
    expect(performed({ servers: inMaint, marker })).toMatchObject({
      performedAtMs: takenAtMs,
      cause: { kind: 'found', detail: expect.stringMatching(/web is bad/) },
    });
    expect(
      performed({ servers: inMaint, marker, leased: false, requests: [{ ...back, reason: 'why' }] }),
    ).toMatchObject({
      cause: { kind: 'found', detail: expect.stringMatching(/then root asked for it: why$/) },
    });
  });

  test('in part keeps its time and its reason, whoever goes on with it', () => {
    const seen = { servers: { 'new-1': inMaint['new-1'] }, marker: known(says(takenAtMs)) };
    for (const requests of [[], [back]])
      expect(performed({ ...seen, requests })).toMatchObject({
        performedAtMs: takenAtMs,
        cause: { kind: 'found', detail: expect.stringContaining('web is bad') },
      });
  });

  test('at one balancer, while another one could not be reached, keeps them too', () => {
    const plan = { ...state.plan, backends: [...state.plan.backends, { ...madeBackend, id: 'edge-2' }] };
    const traffic = { edge: halfTarget.traffic['edge'] ?? {}, 'edge-2': halfTarget.traffic['edge'] ?? {} };
    const two = { ...stateAt({ kind: 'judging', step: 1 }, { ...halfTarget, traffic }), plan };
    const cut = madeObservation({ servers: inMaint, marker: known(says(takenAtMs)), requests: [back] });
    const carries = madeObservation({}).backends['edge'];
    for (const other of [carries, { atMs: nowMs, reading: unknown('no answer') }]) {
      if (other === undefined) throw new Error('not observed');
      const backends = { ...cut.backends, 'edge-2': other };
      const { events } = decide(two, madeWatch(two), { ...cut, backends });
      expect(events.find(({ kind }) => kind === 'back-performed')).toMatchObject({
        performedAtMs: takenAtMs,
        cause: { kind: 'found', detail: expect.stringMatching(/web is bad, .*; then root asked for it$/) },
      });
    }
  });

  test('is taken now where no balancer bears the marker out, which is told all the same', () => {
    for (const requests of [[], [back]])
      expect(performed({ marker: known(says(takenAtMs)), requests })).toMatchObject({
        performedAtMs: nowMs,
        cause: { kind: 'found', detail: expect.stringContaining('web is bad') },
      });
  });

  test('at a time that cannot be is written down as seen now', () => {
    for (const text of [says(sinceMs - 1), says(nowMs + 1), 'somebody', 'kim, 2026-13-01T00:00:00.000Z'])
      expect(performed({ servers: inMaint, marker: known(text), requests: [back] })).toMatchObject({
        performedAtMs: nowMs,
        cause: { kind: 'found' },
      });
  });
});

test('the time of a marker is the one that was written', () => {
  const years = { min: new Date('1970-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z') };
  fc.assert(
    fc.property(fc.date({ ...years, noInvalidDate: true }), (date) => {
      expect(markedAtMs(`kim, ${date.toISOString()}`)).toBe(date.getTime());
    }),
  );
});
