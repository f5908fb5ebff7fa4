import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configSchema } from '../src/config/json-schema.ts';
import { referenceTables } from '../src/config/reference.ts';

/** Writes what is derived from the grammar of the configuration: the JSON Schema and the key tables of the reference. */
const root = join(import.meta.dirname, '..');

writeFileSync(join(root, 'schema/drover.schema.json'), `${JSON.stringify(configSchema(), null, 2)}\n`);

const reference = join(root, 'docs/reference/configuration.md');
const [before, , after] = readFileSync(reference, 'utf8').split(/<!-- (?:begin|end) of the key tables[^>]*-->\n/);
if (before === undefined || after === undefined)
  throw new Error(`${reference}: the marks around the key tables are missing`);
const begin = '<!-- begin of the key tables: written by `node scripts/schema.ts` -->\n';
const end = '<!-- end of the key tables -->\n';
writeFileSync(reference, `${before}${begin}\n${referenceTables()}\n${end}${after}`);
