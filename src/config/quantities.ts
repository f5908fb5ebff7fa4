import { type ScalarReading, type Shape, scalar } from './shape.ts';
import { within } from './values.ts';

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** `250ms`, `30s`, `5m`, `1h`, `2d` → milliseconds. A number without a unit is refused, whatever it may mean elsewhere. */
export function duration(bounds: { readonly min: string; readonly max: string }): Shape<number> {
  const minMs = durationMs(bounds.min);
  const maxMs = durationMs(bounds.max);
  if (minMs === null || maxMs === null) throw new Error(`bounds of a duration: ${bounds.min}, ${bounds.max}`);
  return scalar({
    expected: `a duration from ${bounds.min} to ${bounds.max}, such as 250ms, 30s, 5m, 1h`,
    schema: { type: 'string', pattern: durationPattern.source },
    parse: (given) => {
      if (typeof given.value === 'number') {
        const isLength = durationPattern.test(`${given.text}s`);
        return isLength ? { ok: false, suggestion: `with its unit: ${given.text}s, ${given.text}ms …` } : { ok: false };
      }
      const ms = typeof given.value === 'string' ? durationMs(given.value) : null;
      if (ms !== null) return within(ms, { min: minMs, max: maxMs });
      const suggestion = typeof given.value === 'string' ? suggestDuration(given.value) : null;
      const isMeant = within(durationMs(suggestion ?? '') ?? -1, { min: minMs, max: maxMs }).ok;
      return suggestion !== null && isMeant ? { ok: false, suggestion: `write ${suggestion}` } : { ok: false };
    },
  });
}

const durationPattern = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/;

function durationMs(written: string): number | null {
  const match = durationPattern.exec(written);
  const unit = unitMs.get(match?.[2] ?? '');
  if (match === null || unit === undefined) return null;
  const ms = Math.round(Number(match[1]) * unit * 1e6) / 1e6;
  return Number.isInteger(ms) ? ms : null;
}

/** Other common spellings: `5 min`, `30sec`, `2 hours`, `1m30s`. */
function suggestDuration(written: string): string | null {
  const compound = /^(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,4})s)?$/.exec(written);
  if (compound !== null && written !== '') {
    const [hours, minutes, seconds] = [compound[1], compound[2], compound[3]].map((part) => Number(part ?? 0));
    return `${(hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)}s`;
  }
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*(millis\w*|msec\w*|ms|sec\w*|s|min\w*|m|hours?|hrs?|h|days?|d)$/i.exec(
    written,
  );
  const word = match?.[2]?.toLowerCase();
  if (match === null || word === undefined) return null;
  const unit = word.startsWith('milli') || word.startsWith('ms') ? 'ms' : word.slice(0, 1);
  return `${match[1]}${unit}`;
}

type FractionBounds = {
  readonly min: number;
  readonly max: number;
  /** `min` itself, or `max` itself, is not allowed. */
  readonly above?: boolean;
  readonly below?: boolean;
};

/** `5%` or `0.05` → 0.05. A bare number above 1 is refused rather than taken for a percentage. */
export function fraction(bounds: FractionBounds): Shape<number> {
  const from = bounds.above === true ? 'above' : 'from';
  const to = bounds.below === true ? 'to below' : 'to';
  return scalar({
    expected: `a fraction ${from} ${percent(bounds.min)} ${to} ${percent(bounds.max)}, such as 5% or 0.05`,
    schema: {
      anyOf: [
        { type: 'string', pattern: percentPattern.source },
        { type: 'number', minimum: bounds.min, maximum: Math.min(1, bounds.max) },
      ],
    },
    parse: (given) => {
      if (typeof given.value === 'number' && given.value > 1) {
        const meant = fractionOf(`${given.text}%`);
        const isMeant = meant !== null && within(meant, bounds).ok;
        return isMeant ? { ok: false, suggestion: `write ${given.text}% for a percentage` } : { ok: false };
      }
      const value = typeof given.value === 'number' ? given.value : fractionOf(given.value);
      if (
        value === null ||
        (bounds.above === true && value === bounds.min) ||
        (bounds.below === true && value === bounds.max)
      ) {
        return { ok: false };
      }
      return within(value, bounds);
    },
  });
}

const percentPattern = /^\d{1,4}(\.\d{1,9})?%$/;

/** Read as a decimal with an exponent, so that 1.1% is the same number as 0.011. */
function fractionOf(written: unknown): number | null {
  if (typeof written !== 'string' || !percentPattern.test(written)) return null;
  return Number(`${written.slice(0, -1)}e-2`);
}

export function percent(value: number): string {
  return `${Number((value * 100).toPrecision(12))}%`;
}

/** `120/s`, `7200/m`, `2.5/s` → per second. */
export function rate(): Shape<number> {
  return scalar({
    expected: 'a rate above 0, such as 120/s or 7200/m',
    schema: { type: 'string', pattern: ratePattern.source },
    parse: (given): ScalarReading<number> => {
      if (typeof given.value === 'number') {
        const isRate = given.value > 0 && ratePattern.test(`${given.text}/s`);
        return isRate ? { ok: false, suggestion: `with its unit: ${given.text}/s` } : { ok: false };
      }
      const match = typeof given.value === 'string' ? ratePattern.exec(given.value) : null;
      const unit = unitMs.get(match?.[2] ?? '');
      if (match === null || unit === undefined) return { ok: false };
      const perSecond = (Number(match[1]) * 1_000) / unit;
      return perSecond > 0 ? { ok: true, value: perSecond } : { ok: false };
    },
  });
}

const ratePattern = /^(\d{1,9}(?:\.\d{1,6})?)\/(s|m|h)$/;

export type Size = { readonly min: number; readonly max: number };

const instancesMax = 10_000;

/** `4` or `2..6`. The maximum is at least 1. */
export function size(): Shape<Size> {
  return scalar({
    expected: `a number of instances such as 4, or a range such as 2..6 (at most ${instancesMax})`,
    schema: {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: instancesMax },
        { type: 'string', pattern: rangePattern.source },
      ],
    },
    parse: (given): ScalarReading<Size> => {
      const value = sizeOf(given.text);
      if (value !== null) return { ok: true, value };
      const ends = /^(\d{1,5})\D{1,5}(\d{1,5})$/.exec(given.text)?.slice(1).map(Number) ?? [];
      const meant = `${Math.min(...ends)}..${Math.max(...ends)}`;
      return sizeOf(meant) === null ? { ok: false } : { ok: false, suggestion: `write ${meant}` };
    },
  });
}

const rangePattern = /^(\d{1,5})(?:\.\.(\d{1,5}))?$/;

function sizeOf(written: string): Size | null {
  const match = rangePattern.exec(written);
  if (match === null) return null;
  const min = Number(match[1]);
  const max = Number(match[2] ?? match[1]);
  return min <= max && max >= 1 && max <= instancesMax ? { min, max } : null;
}
