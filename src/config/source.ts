import type { Position } from './problem.ts';

/** The content of a YAML file as Drover uses it: scalars, lists, mappings, each with its place. No aliases, tags or merges. */
export type Source = ScalarSource | ListSource | MappingSource | UnreadableSource;

export type ScalarSource = {
  readonly kind: 'scalar';
  readonly at: Position;
  readonly value: string | number | boolean | null;
  /** As written, without quotes. */
  readonly text: string;
  readonly quoted: boolean;
};
export type ListSource = { readonly kind: 'list'; readonly at: Position; readonly items: readonly Source[] };
export type MappingSource = { readonly kind: 'mapping'; readonly at: Position; readonly entries: readonly Entry[] };
/** A value that was reported already and about which nothing more can be said: an alias, a mapping with a merge key. */
export type UnreadableSource = { readonly kind: 'unreadable'; readonly at: Position };
/** `at` is the place of the key. */
export type Entry = { readonly key: string; readonly at: Position; readonly value: Source };

/** What stands in the file, in a few words. Values that may be secrets are not repeated. */
export function describeSource(source: Source, secret = false): string {
  switch (source.kind) {
    case 'list':
      return source.items.length === 0 ? 'an empty list' : 'a list';
    case 'mapping':
      return source.entries.length === 0 ? 'an empty mapping' : 'a mapping';
    case 'scalar':
      return describeScalar(source, secret);
    case 'unreadable':
      return 'a value that cannot be read';
  }
}

function describeScalar(scalar: ScalarSource, secret: boolean): string {
  if (scalar.value === null) return 'nothing';
  if (secret) return 'a value that is not repeated here, as it may be a secret';
  if (typeof scalar.value === 'boolean') return `${scalar.value} (a truth value)`;
  if (typeof scalar.value === 'number') return `the number ${quote(scalar.text).slice(1, -1)}`;
  if (looksSecret(scalar.value)) return 'a text that is not repeated here, as it may be a secret';
  if (scalar.value === '') return 'an empty text';
  return quote(scalar.value);
}

/** A name in a message: quoted, one line, short, and not at all when it could be an address with a token. */
export function quoteName(name: string): string {
  return looksSecret(name) ? '(a text that is not repeated here, as it may be a secret)' : quote(name);
}

function looksSecret(text: string): boolean {
  return text.includes('://') || /:[^/\s]*@/.test(text);
}

const shownMax = 60;

/** In double quotes; what a terminal could obey (control, direction, private characters) is escaped. */
function quote(text: string): string {
  const shown = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  const escaped = JSON.stringify(shown).replaceAll(/[\p{C}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
  return escaped;
}

const nowhere: Position = { line: 1, column: 1 };

/** A value of JSON as a source, for defaults, which are written in the words of the file. */
export function sourceOf(value: unknown, at: Position = nowhere): Source {
  if (Array.isArray(value)) return { kind: 'list', at, items: value.map((item) => sourceOf(item, at)) };
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => ({ key, at, value: sourceOf(item, at) }));
    return { kind: 'mapping', at, entries };
  }
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') {
    return { kind: 'scalar', at, value, text: String(value), quoted: false };
  }
  return { kind: 'scalar', at, value: null, text: '', quoted: false };
}
