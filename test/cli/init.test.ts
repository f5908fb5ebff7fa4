import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { loadConfig } from '../../src/cli/load-config.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { exampleConfig } from '../../src/config/example.ts';
import { untoldTraits } from '../made/readings.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'drover-init-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('drover init', () => {
  test('writes an example that is valid, and says what comes next', async () => {
    expect(await init()).toBe('wrote drover.yaml\nFill in what is yours, then: drover check\n');
    expect((await loadConfig({ directory })).warnings).toEqual([]);
  });

  test('writes where it is told to, and makes no directory for it', async () => {
    await expect(init('fleets/shop.yaml')).rejects.toMatchObject({
      message: `fleets/shop.yaml cannot be written: there is no directory ${join(directory, 'fleets')}`,
      remedy: expect.stringMatching(/^make it first: mkdir -p /),
    });
    expect(await readdir(directory)).toEqual([]);
    await mkdir(join(directory, 'fleets'));
    expect(await init('fleets/shop.yaml')).toContain('drover check --config fleets/shop.yaml');
    expect(await readFile(join(directory, 'fleets/shop.yaml'), 'utf8')).toBe(exampleConfig);
  });

  test('never writes over a file unless told to, and then as a whole', async () => {
    const path = join(directory, 'drover.yaml');
    await writeFile(path, 'mine');
    await expect(init()).rejects.toMatchObject({
      message: 'drover.yaml is there already, and was left as it is',
      remedy: 'name another file, or write over it with --force',
    });
    expect(await readFile(path, 'utf8')).toBe('mine');
    await init('--force');
    expect(await readFile(path, 'utf8')).toBe(exampleConfig);
    expect(await readdir(directory)).toEqual(['drover.yaml']);
  });

  test('says why it cannot write', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(init('file/drover.yaml')).rejects.toThrow(/^file\/drover\.yaml cannot be written: /);
    await expect(init('.', '--force')).rejects.toThrow('cannot be written: what is there is not a file');
    expect(await readdir(directory)).toEqual(['file']);
  });

  test('takes the name of the file after a socket for what it is', async () => {
    const sockets: unknown[] = [];
    const listBackends = (balancer: unknown) => {
      sockets.push(balancer);
      return Promise.resolve(['web']);
    };
    const backend = { read: () => Promise.resolve({ process: '1@1', servers: [], traits: untoldTraits }) };
    const openBackends = () => [{ id: 'haproxy/web', backend }];
    await init({ listBackends, openBackends }, '--haproxy', 'a.sock', '--haproxy', 'b.sock', 'fleet.yaml');
    expect(sockets).toMatchObject([{ sockets: ['a.sock', 'b.sock'] }]);
    expect(await readdir(directory)).toEqual(['fleet.yaml']);
  });

  test('a path keeps its meaning in a file that lies elsewhere', async () => {
    await mkdir(join(directory, 'sub', 'dir'), { recursive: true });
    const listBackends = () => Promise.resolve(['web']);
    const backend = { read: () => Promise.resolve({ process: '1@1', servers: [], traits: untoldTraits }) };
    const openBackends = () => [{ id: 'haproxy/web', backend }];
    const world = { listBackends, openBackends };
    const sockets = ['admin.sock', 'sub/dir/own.sock', '/run/x.sock', '127.0.0.1:9999'];
    const given = [...sockets.flatMap((socket) => ['--haproxy', socket]), '--config', 'haproxy.cfg'];
    await init(world, ...given, 'sub/dir/fleet.yaml');
    const text = await readFile(join(directory, 'sub', 'dir', 'fleet.yaml'), 'utf8');
    const written = [...text.matchAll(/^ +(?:- |config: )"(.*)"$/gm)].map(([, path]) => path);
    expect(written).toEqual(['../../admin.sock', './own.sock', '/run/x.sock', '127.0.0.1:9999', '../../haproxy.cfg']);
    await init(world, ...given, 'fleet.yaml');
    expect(await readFile(join(directory, 'fleet.yaml'), 'utf8')).toContain('- "admin.sock"');
  });

  test('writes nothing where HAProxy has no servers: check would refuse a fleet without services', async () => {
    const listBackends = () => Promise.resolve([]);
    await expect(init({ listBackends }, '--haproxy', 'a.sock')).rejects.toThrow('the HAProxy at a.sock has servers');
    expect(await readdir(directory)).toEqual([]);
  });
});

async function init(...given: readonly (string | object)[]): Promise<string> {
  let text = '';
  const context = {
    stdout: {
      write: (more: string) => {
        text += more;
      },
      terminal: null,
    },
    env: {},
    directory,
    world: given.find((item) => typeof item === 'object') ?? {},
  } as Partial<Context> as Context;
  const words = given.filter((item) => typeof item === 'string');
  await buildProgram(context).parseAsync(['init', ...words], { from: 'user' });
  return text;
}
