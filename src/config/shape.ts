import type { Finding, Position } from './problem.ts';
import { describeSource, type ScalarSource, type Source } from './source.ts';
import type { Speller } from './spelling.ts';

/**
 * One kind of value in the file: how it is read, and what the JSON Schema and the reference say about it. `read` reports every
 * problem inside the value and answers `invalid` when nothing usable is left.
 */
export type Shape<T> = {
  /** A noun phrase for "expected …". */
  readonly expected: string;
  readonly schema: JsonSchema;
  /** Keys of a mapping (and of the items of a list), for the reference. */
  readonly keys: readonly KeyDescription[];
  read(source: Source, scope: Scope): T | typeof invalid;
};

export const invalid: unique symbol = Symbol('invalid');

export type JsonSchema = { readonly [key: string]: unknown };

export type KeyDescription = {
  readonly path: string;
  readonly expected: string;
  readonly required: boolean;
  readonly fallback: unknown;
  readonly description: string;
};

/** Where a value stands: its path in words, the place of its key, and where to report. */
export type Scope = {
  readonly path: string;
  readonly key: Position;
  readonly report: (finding: Finding) => void;
  readonly spell: Speller;
};

export type ValueOf<S> = S extends Shape<infer T> ? T : never;

/** What became of one key. `default`: it is not in the file. `missing`: nor is there a default. `invalid`: it was reported. */
export type Field<T> =
  | { readonly state: 'given' | 'default'; readonly at: Position; readonly value: T }
  | { readonly state: 'missing' | 'invalid'; readonly at: Position };

export type ScalarReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message?: string; readonly suggestion?: string };

type ScalarOptions<T> = {
  readonly expected: string;
  readonly schema: JsonSchema;
  /** The value is never repeated in a message. */
  readonly secret?: boolean;
  parse(scalar: ScalarSource, spell: Speller): ScalarReading<T>;
};

export function scalar<T>(options: ScalarOptions<T>): Shape<T> {
  const { expected, schema, secret = false, parse } = options;
  return {
    expected,
    schema,
    keys: [],
    read(source, scope) {
      if (source.kind === 'unreadable') return invalid;
      const reading: ScalarReading<T> = source.kind === 'scalar' ? parse(source, scope.spell) : { ok: false };
      if (reading.ok) return reading.value;
      scope.report({
        ...source.at,
        message: `${scope.path}: ${reading.message ?? 'not a value that fits here'}`,
        expected,
        found: describeSource(source, secret),
        ...(reading.suggestion === undefined ? {} : { suggestion: reading.suggestion }),
      });
      return invalid;
    },
  };
}

/** The same value in the file, another one for the reader. */
export function mapped<T, U>(shape: Shape<T>, change: (value: T) => U): Shape<U> {
  return {
    ...shape,
    read(source, scope) {
      const value = shape.read(source, scope);
      return value === invalid ? invalid : change(value);
    },
  };
}

/** A short form (`whenScalar`) and a long one; which is meant shows by whether it is a mapping or list. */
export function either<T, U>(whenScalar: Shape<T>, otherwise: Shape<U>): Shape<T | U> {
  const expected = `${whenScalar.expected}, or ${otherwise.expected}`;
  return {
    expected,
    schema: { anyOf: [whenScalar.schema, otherwise.schema] },
    keys: otherwise.keys,
    read(source, scope) {
      if (source.kind === 'unreadable') return invalid;
      const isShort = source.kind === 'scalar' && source.value !== null;
      if (isShort) return whenScalar.read(source, scope);
      // What is neither of the two is told of both.
      const report: Scope['report'] = (finding) =>
        scope.report(finding.expected === otherwise.expected ? { ...finding, expected } : finding);
      return otherwise.read(source, source.kind === 'mapping' ? scope : { ...scope, report });
    },
  };
}

/** A scalar that stands for a mapping with only this key. */
export function abbreviated<T>(key: string, value: Shape<unknown>, whole: Shape<T>): Shape<T> {
  return {
    ...whole,
    expected: value.expected,
    schema: value.schema,
    read(source, scope) {
      return whole.read({ kind: 'mapping', at: source.at, entries: [{ key, at: source.at, value: source }] }, scope);
    },
  };
}

/** `undefined` for what was reported or is not there: to check what can be checked of an incomplete file. */
export function valueIn<T>(field: Field<T>): T | undefined {
  return field.state === 'given' || field.state === 'default' ? field.value : undefined;
}

/** Only where a missing or wrong value was reported before, and ended the reading. */
export function settled<T>(field: Field<T>): T {
  if (field.state === 'given' || field.state === 'default') return field.value;
  throw new Error(`a value at ${field.at.line}:${field.at.column} is ${field.state} and was not reported`);
}

export function reportWrongKind(source: Source, scope: Scope, expected: string, secret = false): void {
  if (source.kind === 'unreadable') return;
  scope.report({
    ...source.at,
    message: `${scope.path === '' ? 'the file' : scope.path}: not a value that fits here`,
    expected,
    found: describeSource(source, secret),
  });
}
