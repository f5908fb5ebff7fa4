import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { checkout } from '../../scripts/test/child.ts';
import { meansNoRegistry, npm, ownEnvironment, pack } from './package/npm.ts';
import { oldNode } from './package/old-node.ts';

const run = promisify(execFile);

let folder: string;
/** Set when the packages that Drover depends on are neither in npm's cache nor to be had. */
let noRegistry: string | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-install-'));
  const tarball = await pack(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  try {
    await npm(folder, ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball]);
  } catch (error) {
    if (!meansNoRegistry(error)) throw error;
    noRegistry = 'npm cannot reach its registry, and its cache lacks what Drover depends on';
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('installed from the tarball, npx drover tells the version of package.json', async (context) => {
  needsRegistry(context);
  expect((await npm(folder, ['exec', '--no', '--', 'drover', '--version'])).trim()).toBe(await versionInCheckout());
});

test('and so it does under a Node that is too old to run it', async (context) => {
  needsRegistry(context);
  const old = oldNode();
  if (old === null) return context.skip('every Node on PATH is new enough');
  const bin = join(folder, 'node_modules', '.bin', 'drover');
  const { stdout } = await run(old.path, [bin, '--version'], { cwd: folder, env: ownEnvironment() });
  expect(stdout.trim()).toBe(await versionInCheckout());
});

test('what completes a line of it: a script, and the names that it asks for, whatever Node is there', async (context) => {
  needsRegistry(context);
  await writeFile(join(folder, 'drover.yaml'), 'services: { query: {}, web: {} }\n');
  const bin = join(folder, 'node_modules', '.bin', 'drover');
  const old = oldNode();
  const nodes = [process.execPath, ...(old === null ? [] : [old.path])];
  for (const node of nodes) {
    const options = { cwd: folder, env: ownEnvironment() };
    expect((await run(node, [bin, 'completion', 'bash'], options)).stdout).toContain('complete -F _drover drover\n');
    const told = await run(node, [bin, 'completion', 'names', 'services'], options);
    expect(told).toEqual({ stdout: 'query\nweb\n', stderr: '' });
    const nothing = await run(node, [bin, 'completion', 'names', 'services', '--config', 'package.json'], options);
    expect(nothing).toEqual({ stdout: '', stderr: '' });
  }
});

test('an unknown verb is an error, with a message and without a stack', async (context) => {
  needsRegistry(context);
  const bin = join(folder, 'node_modules', '.bin', 'drover');
  const failed: unknown = await run(process.execPath, [bin, 'no-such-verb'], { cwd: folder }).catch((error) => error);
  expect(failed).toMatchObject({ code: 1, stdout: '' });
  expect(String(Object(failed).stderr)).toMatch(/^drover: unknown command 'no-such-verb'/m);
  expect(String(Object(failed).stderr)).not.toMatch(/\n\s+at /);
});

test('no installed file asks for anything outside of the package', async (context) => {
  needsRegistry(context);
  const dist = join(folder, 'node_modules', 'drover', 'dist');
  const scripts = (await readdir(dist, { recursive: true })).filter((path) => path.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(10);
  for (const script of scripts) {
    expect(await readFile(join(dist, script), 'utf8'), script).not.toMatch(/from '[^']*\.ts'|from '(\.\.\/)+src\//);
  }
});

function needsRegistry(context: TestContext): void {
  if (noRegistry !== null) context.skip(noRegistry);
}

async function versionInCheckout(): Promise<string> {
  return JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')).version;
}
