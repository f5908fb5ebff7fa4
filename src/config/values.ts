import { type ScalarReading, type Shape, scalar } from './shape.ts';
import type { ScalarSource } from './source.ts';

/** One line of text. Numbers are taken as written (`build: 1.10` stays 1.10); true, false and nothing are refused. */
export function text(expected: string): Shape<string> {
  return scalar({ expected, schema: textSchema, parse: (given) => readLine(given) });
}

/** Text with any characters but NUL, empty too: arguments and environment variables. */
export function argument(expected: string, secret = false): Shape<string> {
  return scalar({
    expected,
    schema: { type: ['string', 'number'] },
    secret,
    parse: (given) => {
      const written = asWritten(given);
      if (written === null) return quotesNeeded(given);
      return written.includes('\0') ? { ok: false, message: 'contains a NUL character' } : { ok: true, value: written };
    },
  });
}

type PatternOptions = {
  readonly expected: string;
  readonly pattern: RegExp;
  readonly secret?: boolean;
  suggest?(written: string): string | null;
};

/** One line of text of a certain form. */
export function matching(options: PatternOptions): Shape<string> {
  const { expected, pattern, secret = false } = options;
  return scalar({
    expected,
    schema: { type: ['string', 'number'], pattern: pattern.source },
    secret,
    parse: (given) => {
      const line = readLine(given);
      if (!line.ok || pattern.test(line.value)) return line;
      const suggestion = options.suggest?.(line.value) ?? null;
      return suggestion === null ? { ok: false } : { ok: false, suggestion };
    },
  });
}

export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  const expected = words.join(' or ');
  return scalar({
    expected,
    schema: { enum: words },
    parse: (given, spell) => {
      const word = words.find((candidate) => candidate === given.value);
      if (word !== undefined) return { ok: true, value: word };
      const near = spell(given.text, words);
      return near === null ? { ok: false } : { ok: false, suggestion: `did you mean "${near}"?` };
    },
  });
}

type Bounds = { readonly min: number; readonly max: number };

export function integer(bounds: Bounds): Shape<number> {
  return scalar({
    expected: bounds.min === bounds.max ? `${bounds.min}` : `a whole number from ${bounds.min} to ${bounds.max}`,
    schema: { type: 'integer', minimum: bounds.min, maximum: bounds.max },
    parse: (given) => {
      if (typeof given.value !== 'number') return withoutQuotes(given, /^\d+$/);
      if (!/^\d{1,10}$/.test(given.text)) {
        const isMeant = Number.isInteger(given.value) && within(given.value, bounds).ok;
        return isMeant ? { ok: false, suggestion: `write ${given.value}` } : { ok: false };
      }
      return within(given.value, bounds);
    },
  });
}

/** `above`: min itself is not allowed; `below`: max is not. */
export function decimal(bounds: Bounds & { readonly above?: boolean; readonly below?: boolean }): Shape<number> {
  const { min, max, above = false, below = false } = bounds;
  return scalar({
    expected: `a number ${above ? 'above' : 'from'} ${min} to ${below ? 'below ' : ''}${max}`,
    schema: {
      type: 'number',
      [above ? 'exclusiveMinimum' : 'minimum']: min,
      [below ? 'exclusiveMaximum' : 'maximum']: max,
    },
    parse: (given) => {
      if (typeof given.value !== 'number') return withoutQuotes(given, /^\d+(\.\d+)?$/);
      if ((above && given.value === min) || (below && given.value === max)) return { ok: false };
      return within(given.value, bounds);
    },
  });
}

/** A host and a port: `127.0.0.1:8080`, `balancer.internal:9999`, `[::1]:8080`. */
export const addressPattern =
  /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/;

/** http or https; never repeated in a message, as such addresses carry tokens. */
export function secretUrl(expected: string): Shape<string> {
  return scalar({
    expected,
    schema: { type: 'string', pattern: '^https?://' },
    secret: true,
    parse: (given) => {
      const line = readLine(given);
      if (!line.ok) return line;
      const url = /^https?:\/\//.test(line.value) ? URL.parse(line.value) : null;
      return url === null || url.hostname === ''
        ? { ok: false, suggestion: 'it begins with https:// or http://' }
        : line;
    },
  });
}

const textSchema = { type: ['string', 'number'], minLength: 1 };

function readLine(given: ScalarSource): ScalarReading<string> {
  const written = asWritten(given);
  if (written === null) return quotesNeeded(given);
  if (written.trim() === '') return { ok: false };
  const line = given.quoted ? written.replace(/\n$/, '') : written;
  return /\p{Cc}/u.test(line)
    ? { ok: false, message: 'has to be one line without control characters' }
    : { ok: true, value: line };
}

function asWritten(given: ScalarSource): string | null {
  if (typeof given.value === 'string') return given.value;
  return typeof given.value === 'number' ? given.text : null;
}

function quotesNeeded(given: ScalarSource): { readonly ok: false; readonly suggestion?: string } {
  return typeof given.value === 'boolean'
    ? { ok: false, suggestion: `if text is meant, write "${given.text}"` }
    : { ok: false };
}

function withoutQuotes(given: ScalarSource, number: RegExp): { readonly ok: false; readonly suggestion?: string } {
  const isText = given.quoted && number.test(given.text);
  return isText ? { ok: false, suggestion: `write ${given.text} without quotes` } : { ok: false };
}

export function within(value: number, bounds: Bounds): ScalarReading<number> {
  return value >= bounds.min && value <= bounds.max ? { ok: true, value } : { ok: false };
}
