import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from '../config/json-schema.ts';

const directory = join(import.meta.dirname, '..', '..', 'docs', 'reference');

/** A block ```json WHAT NAME of a page of docs/reference. */
export type Block = {
  readonly page: string;
  readonly what: 'schema' | 'example';
  readonly name: string;
  readonly json: unknown;
};

export function blocks(): Block[] {
  const pages = readdirSync(directory).filter((name) => name.endsWith('.md'));
  return pages.flatMap((page) => {
    const text = readFileSync(join(directory, page), 'utf8');
    return [...text.matchAll(/^```json (schema|example) (\S+)\n([\s\S]*?)^```$/gm)].map(
      ([, what, name = '', json = '']) => ({
        page,
        what: what === 'schema' ? 'schema' : 'example',
        name,
        json: JSON.parse(json) as unknown,
      }),
    );
  });
}

/**
 * Where `value` differs from what the page promises; empty: nowhere. Programs have to overlook fields that they do not know;
 * the pages have to know them all, so here an object has the properties that are named and no others.
 */
export function differences(page: string, name: string, value: unknown): string[] {
  return validate(schemaOf(page, name), value);
}

function schemaOf(page: string, name: string): unknown {
  const found = blocks().find((block) => block.page === page && block.what === 'schema' && block.name === name);
  if (found === undefined) throw new Error(`docs/reference/${page} has no block \`json schema ${name}\``);
  return closed(found.json, definitionsOf(found.json));
}

function definitionsOf(schema: unknown): Readonly<Record<string, unknown>> {
  return isRecord(schema) && isRecord(schema.$defs) ? schema.$defs : {};
}

/** The schema with `$ref` (`#/$defs/NAME`, or `PAGE.md#NAME` for a block of another page) written out and no object open. */
function closed(schema: unknown, definitions: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(schema)) return schema.map((each) => closed(each, definitions));
  if (!isRecord(schema)) return schema;
  if (typeof schema.$ref === 'string') {
    const [, page, block] = /^(\w[\w-]*\.md)#(\S+)$/.exec(schema.$ref) ?? [];
    if (page !== undefined && block !== undefined) return schemaOf(page, block);
    const name = schema.$ref.replace('#/$defs/', '');
    if (!Object.hasOwn(definitions, name)) throw new Error(`there is no definition ${schema.$ref}`);
    return closed(definitions[name], definitions);
  }
  const { $defs: _, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, closed(value, definitions)]));
  return 'properties' in inner && !('additionalProperties' in inner)
    ? { ...inner, additionalProperties: false }
    : inner;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
