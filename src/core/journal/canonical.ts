/**
 * Canonical JSON (RFC 8785): one value, one text. Keys are sorted by UTF-16 code units, numbers are written as ECMAScript
 * writes them (so -0 is 0), strings with the shortest escapes, no white space. What JSON cannot carry is an error that
 * says where: undefined, NaN, infinities, bigints, functions, symbols, lone surrogates, holes in arrays, class instances.
 */
export function canonicalJson(value: unknown): string {
  return write(value, null, 0);
}

/** The value cannot be written as JSON without changing it. `path` is like `$.body.servers[3].name`. */
export class CanonicalJsonError extends Error {
  readonly path: string;
  constructor(path: string, found: string) {
    super(`${path} cannot be written as JSON: ${found}`);
    this.name = 'CanonicalJsonError';
    this.path = path;
  }
}

/** Where we are, innermost first; made into text only for an error. */
type Place = { readonly key: string | number; readonly parent: Place | null };

/** Far beyond what is ever written, far below what overflows the stack. Ends cycles too. */
const depthMax = 512;

function write(value: unknown, place: Place | null, depth: number): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, place);
    case 'number':
      if (!Number.isFinite(value)) throw new CanonicalJsonError(pathOf(place), String(value));
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (depth >= depthMax) throw new CanonicalJsonError(pathOf(place), `nested more than ${depthMax} deep`);
      return Array.isArray(value) ? writeArray(value, place, depth) : writeObject(value, place, depth);
    case 'undefined':
      throw new CanonicalJsonError(pathOf(place), 'undefined');
    case 'bigint':
    case 'function':
    case 'symbol':
      throw new CanonicalJsonError(pathOf(place), `a ${typeof value}`);
  }
}

/** Printable ASCII without quote and backslash stands for itself: nearly every string, and much faster than JSON.stringify. */
const plain = /^[ !#-[\]-~]*$/;

function writeString(text: string, place: Place | null): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new CanonicalJsonError(pathOf(place), 'a string with half of a surrogate pair');
  return JSON.stringify(text);
}

function writeArray(values: readonly unknown[], place: Place | null, depth: number): string {
  let text = '[';
  for (let index = 0; index < values.length; index += 1) {
    if (index > 0) text += ',';
    text += write(values[index], { key: index, parent: place }, depth + 1);
  }
  return `${text}]`;
}

function writeObject(value: object, place: Place | null, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalJsonError(pathOf(place), `an instance of ${value.constructor.name}`);
  }
  const fields = value as Readonly<Record<string, unknown>>;
  let text = '{';
  // biome-ignore lint/suspicious/useArraySortCompare: the default order is that of UTF-16 code units, which RFC 8785 asks for
  for (const key of Object.keys(fields).sort()) {
    const here = { key, parent: place };
    if (text.length > 1) text += ',';
    text += `${writeString(key, here)}:${write(fields[key], here, depth + 1)}`;
  }
  return `${text}}`;
}

function pathOf(place: Place | null): string {
  if (place === null) return '$';
  const { key, parent } = place;
  if (typeof key === 'number') return `${pathOf(parent)}[${key}]`;
  return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)
    ? `${pathOf(parent)}.${key}`
    : `${pathOf(parent)}[${JSON.stringify(key)}]`;
}
