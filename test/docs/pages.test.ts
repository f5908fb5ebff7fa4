import { expect, test } from 'vitest';
import { entries } from '../rollout/life.ts';
import { blocks, differences } from './page.ts';

const examples = blocks().filter(({ what }) => what === 'example');
const schemas = blocks().filter(({ what }) => what === 'schema');

test.each(examples)('the example $name of $page fits its schema', ({ page, name, json }) => {
  expect(differences(page, name, json)).toEqual([]);
});

test('every schema has an example, and every example a schema', () => {
  const names = (of: typeof examples) => of.map(({ page, name }) => `${page} ${name}`).sort();
  expect(names(examples)).toEqual(names(schemas));
  expect(schemas.length).toBeGreaterThan(0);
});

test('a field that the page does not name, one that is missing, and one of another type are differences', () => {
  const [first] = examples;
  if (first === undefined || typeof first.json !== 'object' || first.json === null) throw new Error('no example');
  const { page, name, json } = first;
  const key = Object.keys(json)[0] ?? '';
  const rest = Object.fromEntries(Object.entries(json).slice(1));
  expect(differences(page, name, { ...json, surprise: 1 })).not.toEqual([]);
  expect(differences(page, name, rest)).not.toEqual([]);
  expect(differences(page, name, { ...json, [key]: { neither: 'this' } })).not.toEqual([]);
});

test('every kind of entry is what the page of the journal says', () => {
  for (const entry of entries) expect(differences('journal.md', 'entry', entry), entry.body.kind).toEqual([]);
  const [first] = entries;
  expect(differences('journal.md', 'entry', { ...first, body: { kind: 'unheard-of' } })).not.toEqual([]);
});
