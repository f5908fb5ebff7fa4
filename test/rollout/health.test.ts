import { describe, expect, test } from 'vitest';
import type { InstanceState } from '../../src/core/observed/group.ts';
import { Bench } from './bench.ts';

const wire = { kind: 'tripwire', wire: 'health' };

describe('half the destination failing its checks takes the way back at once', () => {
  test.each([
    ['by the balancer, where it has checks', (bench: Bench) => bench.says('new-1', 'down')],
    ['by the provider, where it has none', (bench: Bench) => unchecked(bench, 'unhealthy')],
  ])('%s', (_who, fail) => {
    const bench = Bench.judging();
    fail(bench);
    const { events, back } = bench.pass();
    expect(events).toMatchObject([{ kind: 'back-performed', cause: wire }]);
    expect(events).toMatchObject([{ cause: { detail: '1 of 2 fail their checks at edge: new-1' } }]);
    expect(back).toMatchObject([{ states: { 'new-1': 'maint', 'new-2': 'maint' } }]);
  });

  test.each([
    ['by the balancer', (bench: Bench) => bench.says('new-1', 'down')],
    ['by the provider', (bench: Bench) => unchecked(bench, 'unhealthy')],
  ])('and less than half of it does not, %s', (_who, fail) => {
    const bench = Bench.judging({ destination: ['new-1', 'new-2', 'new-3'] });
    fail(bench);
    expect(kinds(bench.pass().events)).not.toContain('back-performed');
  });

  test('servers that are not to carry anything do not count, on either side of the half', () => {
    const bench = Bench.judging({ destination: ['new-1', 'new-2', 'new-3'] });
    bench.carry(['new-1', 'new-2']);
    bench.health['new-3'] = 'down';
    expect(bench.pass().events).toEqual([]);
    bench.health['new-1'] = 'down';
    expect(bench.pass().events).toMatchObject([{ kind: 'back-performed', cause: wire }]);
  });
});

describe('what is unknown is not failing', () => {
  test.each<[string, (bench: Bench) => void]>([
    ['the provider does not know an instance', (bench) => unchecked(bench, null)],
    ['an instance still starts', (bench) => unchecked(bench, 'starting')],
    ['an instance is being taken away', (bench) => unchecked(bench, 'stopping')],
    ['the balancer has not finished its first check', (bench) => bench.says('new-1', 'starting')],
    [
      'the provider does not answer',
      (bench) => {
        unchecked(bench, 'unhealthy');
        bench.isGroupReadable = false;
      },
    ],
  ])('where %s nothing is taken back, and nothing promoted', (_what, change) => {
    const bench = Bench.judging();
    bench.evidenceToPromote();
    change(bench);
    expect(kinds(bench.pass().events)).not.toContain('back-performed');
    expect(kinds(bench.pass().events)).not.toContain('promoted');
  });

  test('the balancer’s own check goes before the provider’s', () => {
    const bench = Bench.judging();
    bench.instances['new-1'] = 'unhealthy';
    expect(bench.pass().events).toEqual([]);
  });
});

describe('a step is promoted on capacity that stands', () => {
  test('as long as every server that is to carry is able', () => {
    const bench = Bench.judging();
    bench.evidenceToPromote();
    expect(kinds(bench.pass().events)).toContain('promoted');
  });

  test('where a server is not able it waits, and status says so', () => {
    const bench = Bench.judging({ destination: ['new-1', 'new-2', 'new-3'] });
    bench.evidenceToPromote();
    bench.health['new-1'] = 'starting';
    expect(kinds(bench.pass().events)).not.toContain('promoted');
    expect(bench.status().blockers).toEqual([expect.stringContaining('of those that are to carry not new-1')]);
  });

  test('what stays away for longer than a step may wait holds the rollout, by name', () => {
    const bench = Bench.judging();
    bench.evidenceToPromote();
    for (const name of bench.destination) bench.health[name] = 'starting';
    const endsAtMs = bench.nowMs + bench.state.plan.policy.capacityMsMax;
    while (bench.nowMs < endsAtMs) expect(kinds(bench.pass().events)).not.toContain('held');
    bench.pass();
    const held = { kind: 'held', by: 'drover', why: expect.stringContaining('new-1, new-2') };
    expect(bench.pass().events).toMatchObject([held]);
  });
});

function unchecked(bench: Bench, state: InstanceState | null): void {
  for (const name of bench.destination) bench.health[name] = 'unchecked';
  bench.instances['new-1'] = state;
}

function kinds(events: readonly { readonly kind: string }[]): string[] {
  return events.map(({ kind }) => kind);
}
