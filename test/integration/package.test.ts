import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pack } from './package/npm.ts';

let folder: string;
let tarball: string;
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-pack-'));
  tarball = await pack(folder);
  const { stdout } = await promisify(execFile)('tar', ['-tzf', tarball]);
  files = stdout.split('\n').map((path) => path.replace(/^package\//, ''));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('publint has nothing to say about the tarball', async () => {
  const bytes = await readFile(tarball);
  const { messages, pkg } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, Object(pkg), { color: false }))).toEqual([]);
});

test('the tarball has what runs and what a reader needs', () => {
  expect(files).toEqual(
    expect.arrayContaining(['bin/drover.mjs', 'dist/main.js', 'package.json', 'README.md', 'LICENSE']),
  );
  expect(files).toEqual(expect.arrayContaining(['CHANGELOG.md', 'SECURITY.md']));
});

test('every link of a page leads to something that is in the tarball too', async () => {
  const pages = files.filter((path) => path.endsWith('.md'));
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/reference/stop.md']));
  const links: string[] = [];
  const dead: string[] = [];
  for (const page of pages) {
    const { stdout: text } = await promisify(execFile)('tar', ['-xzOf', tarball, `package/${page}`]);
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const path = join(dirname(page), target);
      links.push(path);
      if (!files.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, '')}/`)))
        dead.push(`${page}: ${target}`);
    }
  }
  expect(links.length).toBeGreaterThan(30);
  expect(dead).toEqual([]);
});

test('the tarball has no sources that Node would refuse below node_modules, no tests and nothing private', () => {
  const unwanted = /^(src|test|scripts|node_modules|\.)|\.(db|log|map)$/;
  expect(files.filter((path) => unwanted.test(path))).toEqual([]);
  // Examples are read, and run from a copy elsewhere.
  expect(files.filter((path) => path.endsWith('.ts') && !path.startsWith('examples/'))).toEqual([]);
});
