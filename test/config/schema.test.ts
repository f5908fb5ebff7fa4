import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { exampleConfig, schemaLine } from '../../src/config/example.ts';
import { configSchema } from '../../src/config/json-schema.ts';
import { referenceTables } from '../../src/config/reference.ts';
import { edited, fullFile, parse } from './files.ts';
import { validate } from './json-schema.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

describe('what is derived from the grammar is up to date (else: node scripts/schema.ts)', () => {
  test('the JSON Schema', () => {
    expect(JSON.parse(read('schema/drover.schema.json'))).toEqual(configSchema());
  });

  test('the tables of the reference', () => {
    expect(read('docs/reference/configuration.md')).toContain(`-->\n\n${referenceTables()}\n<!--`);
  });
});

test('the example names the schema where an installed package has it', () => {
  expect(schemaLine).toContain('node_modules/drover/schema/drover.schema.json');
  const manifest: unknown = JSON.parse(read('package.json'));
  expect(manifest).toMatchObject({ name: 'drover', files: expect.arrayContaining(['schema']) });
});

test('the file in the reference is valid', () => {
  const [, yaml = ''] = read('docs/reference/configuration.md').split(/```(?:yaml)?\n/);
  expect(parse(yaml)).toMatchObject({ ok: true });
});

test.each([exampleConfig, fullFile])('the schema accepts the examples', (text) => {
  expect(validate(configSchema(), parseYaml(text))).toEqual([]);
});

test.each([
  ['notify:', 'notifi:'],
  ['version: 1', 'version: 2'],
  ['provider: none', 'provider: nowhere'],
  ['size: 2..6', 'size: 2-6'],
  ['settle: 90s', 'settle: 90'],
  ['120/s', '120'],
  ['{ capacity: 2 }', '{ capacity: 2, weight: 5% }'],
  ['    owner: team-query\n', ''],
  ['reserve: 25%', 'reserve: 25'],
  ['bake: 2m', 'bake: 2 minutes'],
])('the schema refuses %s written as %s, as the parser does', (from, to) => {
  const text = edited(fullFile, from, to);
  expect(parse(text).ok).toBe(false);
  expect(validate(configSchema(), parseYaml(text))).not.toEqual([]);
});
