import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { degreeBound } from '../../src/core/order/bound.ts';
import { chanceOf } from '../../src/core/order/chance.ts';
import { calleeFirst, figuresOf, randomOrders } from '../../src/core/order/compared.ts';
import { crossingsOf } from '../../src/core/order/exposure.ts';
import { type Dependency, graphOf } from '../../src/core/order/graph.ts';
import { OrderSearch, type Solution } from '../../src/core/order/solve.ts';

type Pair = readonly [number, number, number?];

const named = (number: number) => `s${String(number).padStart(4, '0')}`;

function calls(pairs: readonly Pair[]): Dependency[] {
  return pairs.map(([from, to, rate = 1]) => ({ caller: named(from), callee: named(to), rate, kind: 'hard' }));
}

function servicesOf(dependencies: readonly Dependency[]): string[] {
  return [...new Set(dependencies.flatMap(({ caller, callee }) => [caller, callee]))].sort();
}

/** `steps`: how often it may go on. */
function solved(
  dependencies: readonly Dependency[],
  { seed = 1, steps = Number.POSITIVE_INFINITY, services = servicesOf(dependencies) } = {},
): Solution & { readonly ended: string | null } {
  const search = new OrderSearch(services, dependencies, seed);
  const running = search.search();
  for (let step = 0; step < steps; step++) {
    const { done, value } = running.next();
    if (done === true) return { ...search.best(), ended: value };
  }
  return { ...search.best(), ended: null };
}

const chain = (n: number): Pair[] => Array.from({ length: n - 1 }, (_, at) => [at, at + 1]);
const all = (n: number): Pair[] => Array.from({ length: n }, (_, one) => chainOf(one)).flat();
const chainOf = (one: number): Pair[] => Array.from({ length: one }, (_, other) => [one, other]);
const cube = (d: number): Pair[] =>
  Array.from({ length: 2 ** d }, (_, one) =>
    Array.from({ length: d }, (_, bit) => [one, one ^ (2 ** bit)] as const).filter(([from, to]) => from < to),
  ).flat();

describe('graphs whose least exposure is known', () => {
  test.each([
    ['a path', chain(40), 39],
    ['a long path', chain(300), 299],
    ['a cycle', [...chain(12), [11, 0] as const], 22],
    ['a star', Array.from({ length: 25 }, (_, leaf) => [0, leaf + 1] as const), Math.floor(26 ** 2 / 4)],
    ['a complete graph', all(12), (12 * (12 ** 2 - 1)) / 6],
    ['a square', cube(2), 6],
    ['a cube', cube(3), 28],
    ['a cube of four dimensions', cube(4), 120],
  ])('%s', (_, pairs, least) => {
    const { exposure, lowerBound, optimal, ended } = solved(calls(pairs));
    expect({ exposure, lowerBound, optimal, ended }).toEqual({
      ...{ exposure: least, lowerBound: least, optimal: true, ended: 'proved' },
    });
  });

  test.each([
    ['a complete graph of 40', all(40), (40 * (40 ** 2 - 1)) / 6],
    ['a cube of five dimensions', cube(5), 2 ** 4 * (2 ** 5 - 1)],
    ['a cycle of 60', [...chain(60), [59, 0] as const], 118],
  ])('%s, found though it cannot be proved', (_, pairs, least) => {
    const { exposure, lowerBound } = solved(calls(pairs), { steps: 40 });
    expect(exposure).toBe(least);
    expect(lowerBound).toBeLessThanOrEqual(least);
  });
});

/** The least of every order, by trying all sets: nothing of what is tested. */
function leastOf(n: number, pairs: readonly Pair[]): number {
  const sums = new Float64Array(2 ** n).fill(Number.POSITIVE_INFINITY);
  sums[0] = 0;
  const crosses = (set: number) =>
    pairs.reduce((sum, [from, to, rate = 1]) => sum + (((set >> from) ^ (set >> to)) & 1) * rate, 0);
  for (let set = 1; set < 2 ** n; set++) {
    let before = Number.POSITIVE_INFINITY;
    for (let v = 0; v < n; v++) if ((set >> v) & 1) before = Math.min(before, sums[set ^ (1 << v)] ?? 0);
    sums[set] = before + crosses(set);
  }
  return sums[2 ** n - 1] ?? 0;
}

const graphs = fc
  .integer({ min: 2, max: 9 })
  .chain((n) =>
    fc.tuple(
      fc.constant(n),
      fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 20 }),
    ),
  )
  .map(([n, pairs]) => ({ n, pairs: pairs.filter(([from, to]) => from !== to) }));

describe('any graph', () => {
  test('is ordered as well as can be, and proved to be', () => {
    fc.assert(
      fc.property(graphs, ({ n, pairs }) => {
        const { exposure, optimal, lowerBound, order } = solved(calls(pairs), {
          services: Array.from({ length: n }, (_, v) => named(v)),
        });
        expect(exposure).toBe(leastOf(n, pairs));
        expect({ optimal, lowerBound }).toEqual({ optimal: true, lowerBound: exposure });
        expect(order.toSorted()).toEqual(Array.from({ length: n }, (_, v) => named(v)));
      }),
      { numRuns: 60 },
    );
  });

  test('costs the sum of what crosses, and its bound is no more than that', () => {
    fc.assert(
      fc.property(graphs, fc.integer(), ({ n, pairs }, seed) => {
        const services = Array.from({ length: n }, (_, v) => named(v));
        const edges = { services, dependencies: calls(pairs), ignored: [] };
        const graph = graphOf(services, edges.dependencies);
        for (const order of randomOrders(edges, seed, 3)) {
          const crossings = order.map((_, t) => {
            const moved = new Set(order.slice(0, t + 1));
            return edges.dependencies
              .filter(({ caller, callee }) => moved.has(caller) !== moved.has(callee))
              .reduce((sum, { rate }) => sum + rate, 0);
          });
          const numbers = order.map((name) => graph.names.indexOf(name));
          expect([...crossingsOf(graph, numbers)]).toEqual([0, ...crossings]);
          const [figures] = figuresOf(edges, [order]);
          expect(figures).toEqual({ exposure: crossings.reduce((a, b) => a + b, 0), peak: Math.max(...crossings) });
          expect(degreeBound(graph)).toBeLessThanOrEqual(figures?.exposure ?? 0);
        }
      }),
    );
  });

  test('is ordered the same way again by the same seed, also where its rates are no whole numbers', () => {
    const random = randomOrders(
      { services: Array.from({ length: 60 }, (_, v) => String(v)), dependencies: [], ignored: [] },
      3,
      4,
    );
    const pairs = random.flatMap((order) =>
      order.slice(1).map((to, at): Pair => [Number(order[at]), Number(to), 1 / (at + 3)]),
    );
    const [one, again] = [solved(calls(pairs), { steps: 300 }), solved(calls(pairs.toReversed()), { steps: 300 })];
    expect(again.order).toEqual(one.order);
    expect(one.ended).toBeNull();
    expect(one.exposure).toBeLessThan(
      0.8 *
        (figuresOf({ services: servicesOf(calls(pairs)), dependencies: calls(pairs), ignored: [] }, [
          servicesOf(calls(pairs)),
        ])[0]?.exposure ?? 0),
    );
  });
});

describe('orders that cost the same', () => {
  test('callees first, then by name; what depends on nothing comes last', () => {
    expect(
      solved(
        calls([
          [2, 1],
          [1, 0],
        ]),
      ).order,
    ).toEqual(['s0000', 's0001', 's0002']);
    expect(
      solved(
        calls([
          [0, 1],
          [1, 2],
        ]),
      ).order,
    ).toEqual(['s0002', 's0001', 's0000']);
    const twice = solved(
      calls([
        [3, 2],
        [1, 0],
      ]),
      {
        services: [
          'alone',
          'a-first',
          ...servicesOf(
            calls([
              [3, 2],
              [1, 0],
            ]),
          ),
        ],
      },
    );
    expect(twice.order).toEqual(['s0000', 's0001', 's0002', 's0003', 'a-first', 'alone']);
  });

  test('the smaller peak', () => {
    // Of a star the hub may stand at either of the two places in the middle.
    const star = solved(
      calls([
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
        [0, 5],
      ]),
    );
    expect({ exposure: star.exposure, peak: star.peak }).toEqual({ exposure: 9, peak: 3 });
    expect(star.order).toEqual(['s0001', 's0002', 's0003', 's0000', 's0004', 's0005']);
  });

  test('without anything to order', () => {
    expect(solved([], { services: ['b', 'a'] })).toEqual({
      ...{ order: ['a', 'b'], exposure: 0, peak: 0, lowerBound: 0, optimal: true, ended: 'proved' },
    });
  });
});

test('a search that is stopped at once has an order all the same, and goes on getting better', () => {
  const chance = chanceOf(5);
  const drawn = () => Math.floor(chance() * 300);
  const pairs = Array.from({ length: 900 }, (): Pair => [drawn(), drawn()]).filter(([from, to]) => from !== to);
  const exposures = [0, 100, 1500].map((steps) => solved(calls(pairs), { steps }).exposure);
  expect(exposures.toSorted((a, b) => b - a)).toEqual(exposures);
  expect(exposures.at(-1)).toBeLessThan(exposures[0] ?? 0);
});

test('callees first as people do it: circles together, the smallest name first', () => {
  const edges = (pairs: readonly Pair[]) => ({
    services: servicesOf(calls(pairs)),
    dependencies: calls(pairs),
    ignored: [],
  });
  expect(
    calleeFirst(
      edges([
        [0, 3],
        [3, 1],
        [2, 1],
      ]),
    ),
  ).toEqual(['s0001', 's0002', 's0003', 's0000']);
  expect(
    calleeFirst(
      edges([
        [0, 5],
        [5, 0],
        [1, 5],
        [0, 4],
      ]),
    ),
  ).toEqual(['s0004', 's0000', 's0005', 's0001']);
  const long = edges(chain(20_000));
  expect(calleeFirst(long)[0]).toBe('s19999');
});
