import type { Position } from './problem.ts';
import {
  type Field,
  invalid,
  type JsonSchema,
  type KeyDescription,
  reportWrongKind,
  type Scope,
  type Shape,
} from './shape.ts';
import { type MappingSource, quoteName, type Source, sourceOf } from './source.ts';

export type KeyOptions = {
  readonly description: string;
  /** In the words of the file; read by the shape itself when the key is left out. */
  readonly fallback?: unknown;
};
type KeySpec<T> = KeyOptions & { readonly shape: Shape<T>; readonly required: boolean };

export function required<T>(shape: Shape<T>, description: string): KeySpec<T> {
  return { shape, description, required: true };
}

export function optional<T>(shape: Shape<T>, description: string, fallback?: unknown): KeySpec<T> {
  return { shape, description, required: false, fallback };
}

type Specs = Readonly<Record<string, KeySpec<unknown>>>;
type FieldsOf<S extends Specs> = { readonly [K in keyof S]: S[K] extends KeySpec<infer T> ? Field<T> : never };
/** A mapping as read: its fields, the place of its key and its own place. */
export type Fields<S extends Specs> = FieldsOf<S> & { readonly keyAt: Position };

type MappingRules = {
  /** One and only one of these keys has to be there. */
  readonly exactlyOne?: readonly string[];
  /** Keys that make sense only beside another one. */
  readonly onlyWith?: Readonly<Record<string, string>>;
};

/** A mapping with known keys. Unknown ones are refused, missing ones reported at the key that the mapping belongs to. */
export function mapping<S extends Specs>(expected: string, specs: S, rules: MappingRules = {}): Shape<Fields<S>> {
  return {
    expected,
    schema: mappingSchema(specs, rules),
    keys: Object.entries(specs).flatMap(([key, spec]) => describeKey(key, spec)),
    read(source, scope) {
      if (source.kind !== 'mapping') {
        reportWrongKind(source, scope, expected);
        return invalid;
      }
      const fields: Record<string, Field<unknown>> = {};
      for (const [key, spec] of Object.entries(specs)) fields[key] = readKey(key, spec, source, scope);
      reportUnknownKeys(source, specs, scope);
      reportRules(source, rules, scope);
      return { ...(fields as FieldsOf<S>), keyAt: scope.key };
    },
  };
}

function readKey<T>(key: string, spec: KeySpec<T>, source: MappingSource, scope: Scope): Field<T> {
  const path = joinPath(scope.path, key);
  const entry = source.entries.find((candidate) => candidate.key === key);
  if (entry !== undefined) {
    const value = spec.shape.read(entry.value, { ...scope, path, key: entry.at });
    const at = entry.value.at;
    return value === invalid ? { state: 'invalid', at } : { state: 'given', at, value };
  }
  if (spec.required) {
    scope.report({ ...scope.key, message: `${path} is missing`, expected: spec.shape.expected, found: 'nothing' });
  }
  if (spec.fallback === undefined) return { state: 'missing', at: scope.key };
  return { state: 'default', at: scope.key, value: readFallback(spec.shape, spec.fallback, { ...scope, path }) };
}

function readFallback<T>(shape: Shape<T>, fallback: unknown, scope: Scope): T {
  const report = (): never => {
    throw new Error(`the default of ${scope.path} does not fit its own shape`);
  };
  const value = shape.read(sourceOf(fallback, scope.key), { ...scope, report });
  return value === invalid ? report() : value;
}

function reportUnknownKeys(source: MappingSource, specs: Specs, scope: Scope): void {
  const known = Object.keys(specs);
  const unknown = source.entries.filter((entry) => !known.includes(entry.key));
  const lines = new Map(source.entries.map((entry) => [entry.key, entry.at.line]));
  for (const entry of unknown) {
    const near = scope.spell(entry.key, known);
    const line = lines.get(near ?? '');
    const already = line === undefined ? '' : ` It is already on line ${line}.`;
    scope.report({
      ...entry.at,
      message: `${scope.path === '' ? '' : `${scope.path}: `}there is no key ${quoteName(entry.key)} here`,
      expected: known.length === 1 ? `only ${known[0]}` : `one of ${known.join(', ')}`,
      ...suggestionFor(near === null ? null : `did you mean "${near}"?${already}`, specs, entry.key),
    });
  }
}

/** A key that is right in another place is more than one that is nearly right in this one. */
function suggestionFor(near: string | null, specs: Specs, key: string): { readonly suggestion?: string } {
  const paths = Object.entries(specs).flatMap(([at, spec]) => spec.shape.keys.map(({ path }) => joinPath(at, path)));
  const deeper = paths.find((path) => path.endsWith(`.${key}`));
  if (deeper !== undefined) return { suggestion: `it belongs below: ${deeper}` };
  return near === null ? {} : { suggestion: near };
}

function reportRules(source: MappingSource, rules: MappingRules, scope: Scope): void {
  const given = source.entries.filter((entry) => rules.exactlyOne?.includes(entry.key));
  const choice = rules.exactlyOne?.join(' or ');
  const path = scope.path === '' ? 'the file' : scope.path;
  if (choice !== undefined && given.length === 0) {
    scope.report({ ...scope.key, message: `${path}: a key is missing`, expected: choice, found: 'neither' });
  }
  for (const extra of given.slice(1)) {
    const found = given.map((entry) => entry.key).join(' and ');
    scope.report({
      ...extra.at,
      message: `${path}: these keys exclude each other`,
      expected: `either ${choice}`,
      found,
    });
  }
  for (const [key, other] of Object.entries(rules.onlyWith ?? {})) {
    const entry = source.entries.find((candidate) => candidate.key === key);
    if (entry === undefined || source.entries.some((candidate) => candidate.key === other)) continue;
    const message = `${path}: "${key}" means something only beside "${other}"`;
    scope.report({ ...entry.at, message, suggestion: `remove it, or add "${other}"` });
  }
}

function mappingSchema(specs: Specs, rules: MappingRules): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [key, spec] of Object.entries(specs)) {
    const fallback = spec.fallback === undefined ? {} : { default: spec.fallback };
    properties[key] = { description: spec.description, ...fallback, ...spec.shape.schema };
  }
  const requiredKeys = Object.keys(specs).filter((key) => specs[key]?.required);
  const oneOf = rules.exactlyOne?.map((key) => ({ required: [key] }));
  const dependencies = Object.fromEntries(Object.entries(rules.onlyWith ?? {}).map(([key, other]) => [key, [other]]));
  return {
    type: 'object',
    properties,
    ...(requiredKeys.length > 0 ? { required: requiredKeys } : {}),
    ...(oneOf === undefined ? {} : { oneOf }),
    ...(rules.onlyWith === undefined ? {} : { dependencies }),
    additionalProperties: false,
  };
}

function describeKey(key: string, spec: KeySpec<unknown>): KeyDescription[] {
  const { shape, required: isRequired, fallback, description } = spec;
  const own = { path: key, expected: shape.expected, required: isRequired, fallback, description };
  const inner = shape.keys.map((item) => ({ ...item, path: joinPath(key, item.path) }));
  return [own, ...inner];
}

/** A mapping whose keys are names that the user gives. */
export type Named<T> = ReadonlyMap<string, { readonly at: Position; readonly value: T }>;
export type NameRule = {
  /** "an environment name": what the key is. */
  readonly what: string;
  readonly expected: string;
  readonly pattern: RegExp;
  /** How the reference writes it in a path. */
  readonly sign: string;
};

export function record<T>(
  expected: string,
  name: NameRule,
  shape: Shape<T>,
  sizeMin: 0 | 1 = 0,
  secret = false,
): Shape<Named<T>> {
  return {
    expected,
    schema: {
      type: 'object',
      propertyNames: { pattern: name.pattern.source },
      additionalProperties: shape.schema,
      ...(sizeMin > 0 ? { minProperties: sizeMin } : {}),
    },
    keys: shape.keys.map((item) => ({ ...item, path: joinPath(`<${name.sign}>`, item.path) })),
    read(source, scope) {
      if (source.kind !== 'mapping' || source.entries.length < sizeMin) {
        reportWrongKind(source, scope, expected, secret);
        return invalid;
      }
      const items = new Map<string, { at: Position; value: T }>();
      for (const entry of source.entries) {
        if (!name.pattern.test(entry.key)) {
          const message = `${scope.path}: ${quoteName(entry.key)} is not ${name.what}`;
          scope.report({ ...entry.at, message, expected: name.expected });
          continue;
        }
        const value = shape.read(entry.value, { ...scope, path: joinPath(scope.path, entry.key), key: entry.at });
        if (value !== invalid) items.set(entry.key, { at: entry.at, value });
      }
      return items;
    },
  };
}

/** A list; each item with its place. Items that could not be read are left out (and were reported). */
export type Items<T> = readonly { readonly at: Position; readonly value: T }[];

type ListRules = {
  readonly sizeMin?: number;
  readonly sizeMax?: number;
  /** What stands there instead of a list is not repeated in a message. */
  readonly secret?: boolean;
};

export function list<T>(expected: string, shape: Shape<T>, rules: ListRules = {}): Shape<Items<T>> {
  const { sizeMin = 0, sizeMax = Number.POSITIVE_INFINITY, secret = false } = rules;
  return {
    expected,
    schema: {
      type: 'array',
      items: shape.schema,
      ...(sizeMin > 0 ? { minItems: sizeMin } : {}),
      ...(Number.isFinite(sizeMax) ? { maxItems: sizeMax } : {}),
    },
    keys: shape.keys.map((item) => ({ ...item, path: joinPath('[]', item.path) })),
    read(source, scope) {
      if (source.kind !== 'list' || source.items.length < sizeMin) {
        reportWrongKind(source, scope, expected, secret);
        return invalid;
      }
      if (source.items.length > sizeMax) {
        const message = `${scope.path}: the list is too long`;
        scope.report({
          ...source.at,
          message,
          expected: `at most ${sizeMax} items`,
          found: `${source.items.length} items`,
        });
        return invalid;
      }
      return readItems(source.items, shape, scope);
    },
  };
}

/** A list, or its only item without the brackets. */
export function oneOrMore<T>(expected: string, shape: Shape<T>): Shape<Items<T>> {
  const many = list(expected, shape, { sizeMin: 1 });
  return {
    ...many,
    schema: { anyOf: [shape.schema, many.schema] },
    read(source, scope) {
      const alone = source.kind === 'mapping' || (source.kind === 'scalar' && source.value !== null);
      if (!alone) return many.read(source, scope);
      const value = shape.read(source, scope);
      return value === invalid ? invalid : [{ at: source.at, value }];
    },
  };
}

function readItems<T>(sources: readonly Source[], shape: Shape<T>, scope: Scope): Items<T> {
  const items: { at: Position; value: T }[] = [];
  sources.forEach((item, index) => {
    const value = shape.read(item, { ...scope, path: `${scope.path}[${index}]`, key: item.at });
    if (value !== invalid) items.push({ at: item.at, value });
  });
  return items;
}

export function joinPath(parent: string, key: string): string {
  if (parent === '') return key;
  return key.startsWith('[') ? `${parent}${key}` : `${parent}.${key}`;
}
