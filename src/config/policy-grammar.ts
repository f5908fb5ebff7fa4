import { list, mapping, optional } from './collections.ts';
import { duration, fraction } from './quantities.ts';
import type { ValueOf } from './shape.ts';
import { decimal, integer } from './values.ts';

const instances = integer({ min: 1, max: 10_000 });

const stepShape = mapping(
  'a mapping with "capacity" or "weight"',
  {
    capacity: optional(
      instances,
      'The destination runs this many servers at full weight, and the share follows from the sizes.',
    ),
    weight: optional(fraction({ min: 0, max: 1, above: true }), "The balancer's weights make this share."),
    instances: optional(instances, 'Size of the destination at a weight step. Left out: what the share needs.'),
    bake: optional(duration({ min: '0s', max: '14d' }), 'Not promoted before this long.', '5m'),
  },
  { exactlyOne: ['capacity', 'weight'], onlyWith: { instances: 'weight' } },
);

const judgeShape = mapping('a mapping of judge settings', {
  alpha: optional(
    fraction({ min: 0, max: 0.5, above: true }),
    'Chance, for a whole operation, that a destination as good as the origin is rolled back.',
    '0.1%',
  ),
  beta: optional(
    fraction({ min: 0, max: 0.5, above: true }),
    'Chance, for a step, that a destination `bad` times worse is promoted.',
    '1%',
  ),
  tolerate: optional(
    decimal({ min: 1, max: 100, below: true }),
    'So many times the failures of the origin are tolerated.',
    2,
  ),
  bad: optional(
    decimal({ min: 1, max: 1_000, above: true }),
    'So many times the failures have to be excluded before promotion. Above `tolerate`.',
    3,
  ),
  dispersion: optional(
    decimal({ min: 1, max: 1_000 }),
    'How much more than by chance failures come in bursts, where the origin does not show it. 1: not at all.',
    3,
  ),
});

const drillShape = mapping('a mapping of drill settings', {
  requests: optional(integer({ min: 1, max: 1_000_000 }), 'The drill takes the way back after so many requests …', 20),
  time: optional(duration({ min: '1s', max: '1h' }), '… or after this long.', '60s'),
  bound: optional(duration({ min: '10ms', max: '1m' }), 'A way back that takes longer fails the drill.', '1s'),
});

export const policyShape = mapping('a mapping of the rollout policy', {
  steps: optional(
    list('a list of steps', stepShape, { sizeMin: 1, sizeMax: 100 }),
    'The judged steps, rising. A last one that leaves `control-share` at the origin is added where it is not there, and 100% comes after it.',
    [
      { weight: '5%', bake: '5m' },
      { weight: '25%', bake: '5m' },
      { weight: '50%', bake: '5m' },
    ],
  ),
  judge: optional(judgeShape, 'How sure the judge has to be, and of what.', {}),
  'control-share': optional(
    fraction({ min: 0, max: 0.5, above: true }),
    'Share of the origin in the last judged step, since without an origin nothing is compared.',
    '5%',
  ),
  reserve: optional(
    fraction({ min: 0, max: 10 }),
    'So much more than all present traffic the origin must be able to carry, for the way back.',
    '20%',
  ),
  settle: optional(
    duration({ min: '1s', max: '1h' }),
    'How long the observed share may take to come near the requested one.',
    '60s',
  ),
  grow: optional(duration({ min: '1s', max: '1d' }), 'How long a group may take to reach its size, healthy.', '5m'),
  drain: optional(
    duration({ min: '0s', max: '1d' }),
    'How long requests in flight may take to end when a group leaves.',
    '30s',
  ),
  attempt: optional(
    duration({ min: '100ms', max: '1h' }),
    "How long an attempt can last: the balancer's connect and server time-outs together.",
    '30s',
  ),
  drill: optional(
    drillShape,
    'The rehearsal of the way back, before the first step: one server, with as small a share as brings the requests in time.',
    {},
  ),
});

export type PolicyFields = ValueOf<typeof policyShape>;
export type StepFields = ValueOf<typeof stepShape>;
export type JudgeFields = ValueOf<typeof judgeShape>;
export type DrillFields = ValueOf<typeof drillShape>;
