import fc from 'fast-check';
import { at, hostileTexts, place } from './damage.ts';

/** A JSON text that keeps its form while what it says is wrong: one field changed, and nothing around it. */
export type JsonDamage =
  | { readonly kind: 'remove'; readonly where: number }
  | { readonly kind: 'put'; readonly where: number; readonly json: string }
  | { readonly kind: 'rename'; readonly where: number; readonly name: string }
  | { readonly kind: 'add'; readonly where: number; readonly name: string; readonly json: string }
  | { readonly kind: 'wrap'; readonly where: number; readonly depth: number };

/** Stands for a list in a list, many times over; written out only in the text, so that a counterexample can be read. */
const deep = '<deep>';
const levels = 3000;
/** As they stand in a text: some of them no JSON value that JavaScript could write. */
const hostileJson = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e3', '1e400', '-1e400', '257', '65536', '4294967296'],
  ...['9007199254740991', '9007199254740993', '""', '"7"', '[]', '{}', '[[]]', '{"__proto__":{"a":1}}', '[null]'],
  ...['"\\u0000"', '"\\ud800"', '"\\u001b[2J"', '"__proto__"', '"constructor"', '"../../x"', '"known"'],
  deep,
] as const;

const name = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'zzz', 'kind', 'id');

export const jsonDamage: fc.Arbitrary<JsonDamage> = fc.oneof(
  fc.record({ kind: fc.constant('remove' as const), where: place }),
  fc.record({ kind: fc.constant('put' as const), where: place, json: fc.constantFrom(...hostileJson) }),
  fc.record({ kind: fc.constant('put' as const), where: place, json: fc.constantFrom(...hostileTexts).map(quoted) }),
  fc.record({ kind: fc.constant('rename' as const), where: place, name }),
  fc.record({ kind: fc.constant('add' as const), where: place, name, json: fc.constantFrom(...hostileJson) }),
  fc.record({ kind: fc.constant('wrap' as const), where: place, depth: fc.integer({ min: 1, max: 3 }) }),
);

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Damage to what is to be damaged once more. */
export const shallowDamage: fc.Arbitrary<JsonDamage> = jsonDamage.filter(
  (one) => !('json' in one && one.json === deep),
);

/** The text of `value` with one place of it damaged. Places are counted through the whole value, itself included. */
export function damagedJson(value: unknown, damage: JsonDamage): string {
  const target = at(damage.where, placesIn(value));
  let next = 0;
  const write = (node: unknown): string => {
    const mine = next === target;
    next += 1;
    if (mine && damage.kind === 'put') {
      next += placesIn(node) - 1;
      return written(damage.json);
    }
    const text = Array.isArray(node)
      ? `[${elements(node).join(',')}]`
      : typeof node === 'object' && node !== null
        ? `{${[...members(node), ...(mine && damage.kind === 'add' ? [`${quoted(damage.name)}:${written(damage.json)}`] : [])].join(',')}}`
        : quotedValue(node);
    return mine && damage.kind === 'wrap' ? `${'['.repeat(damage.depth)}${text}${']'.repeat(damage.depth)}` : text;
  };
  const elements = (node: readonly unknown[]) =>
    node.flatMap((each) => {
      const gone = next === target && damage.kind === 'remove';
      const text = write(each);
      return gone ? [] : [text];
    });
  const members = (node: object) =>
    Object.entries(node).flatMap(([key, each]) => {
      const mine = next === target;
      const text = write(each);
      if (mine && damage.kind === 'remove') return [];
      return [`${quoted(mine && damage.kind === 'rename' ? damage.name : key)}:${text}`];
    });
  return write(value);
}

function written(json: string): string {
  return json === deep ? `${'['.repeat(levels)}${']'.repeat(levels)}` : json;
}

function quotedValue(node: unknown): string {
  return JSON.stringify(node) ?? 'null';
}

function placesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, each: unknown) => sum + placesIn(each), 1);
}
