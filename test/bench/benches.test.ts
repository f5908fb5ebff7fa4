import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isBench } from '../../bench/frame/bench.ts';

const directory = join(import.meta.dirname, '..', '..', 'bench');
const files = globSync('*.ts', { cwd: directory });

test.each(files)('bench/%s is one: `npm run bench` lists it', async (file) => {
  const { bench }: { readonly bench?: unknown } = await import(join(directory, file));
  if (!isBench(bench)) throw new Error(`${file} exports no bench`);
  expect(bench.about).not.toMatch(/\n|^$/);
  for (const [flag, { about, otherwise }] of Object.entries(bench.options)) {
    expect(flag).toMatch(/^[a-z][a-z-]*$/);
    expect(about).not.toBe('');
    expect(otherwise).toBeGreaterThanOrEqual(0);
  }
});
