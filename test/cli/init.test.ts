import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/cli/load-config.ts';
import { exampleConfig } from '../../src/config/example.ts';
import { directoryForEach, runDrover } from '../made/context.ts';
import { untoldTraits } from '../made/readings.ts';

const directory = directoryForEach();

describe('drover init', () => {
  test('writes an example that is valid, and says what comes next', async () => {
    expect(await init()).toBe('wrote drover.yaml\nFill in what is yours, then: drover check\n');
    expect((await loadConfig({ directory: directory.path })).warnings).toEqual([]);
  });

  test('writes where it is told to, and makes no directory for it', async () => {
    await expect(init('fleets/shop.yaml')).rejects.toMatchObject({
      message: `fleets/shop.yaml cannot be written: there is no directory ${join(directory.path, 'fleets')}`,
      remedy: expect.stringMatching(/^make it first: mkdir -p /),
    });
    expect(await readdir(directory.path)).toEqual([]);
    await mkdir(join(directory.path, 'fleets'));
    expect(await init('fleets/shop.yaml')).toContain('drover check --config fleets/shop.yaml');
    expect(await readFile(join(directory.path, 'fleets/shop.yaml'), 'utf8')).toBe(exampleConfig);
  });

  test('never writes over a file unless told to, and then as a whole', async () => {
    const path = join(directory.path, 'drover.yaml');
    await writeFile(path, 'mine');
    await expect(init()).rejects.toMatchObject({
      message: 'drover.yaml is there already, and was left as it is',
      remedy: 'name another file, or write over it with --force',
    });
    expect(await readFile(path, 'utf8')).toBe('mine');
    await init('--force');
    expect(await readFile(path, 'utf8')).toBe(exampleConfig);
    expect(await readdir(directory.path)).toEqual(['drover.yaml']);
  });

  test('says why it cannot write', async () => {
    await writeFile(join(directory.path, 'file'), '');
    await expect(init('file/drover.yaml')).rejects.toThrow(/^file\/drover\.yaml cannot be written: /);
    await expect(init('.', '--force')).rejects.toThrow('cannot be written: what is there is not a file');
    expect(await readdir(directory.path)).toEqual(['file']);
  });

  test('takes the name of the file after a socket for what it is', async () => {
    const sockets: unknown[] = [];
    const listBackends = (balancer: unknown) => {
      sockets.push(balancer);
      return Promise.resolve(['web']);
    };
    const backend = { read: () => Promise.resolve({ process: '1@1', servers: [], traits: untoldTraits }) };
    const openBackends = () => [{ id: 'haproxy/web', address: 'a.sock', backend }];
    await init({ listBackends, openBackends }, '--haproxy', 'a.sock', '--haproxy', 'b.sock', 'fleet.yaml');
    expect(sockets).toMatchObject([{ sockets: ['a.sock', 'b.sock'] }]);
    expect(await readdir(directory.path)).toEqual(['fleet.yaml']);
  });

  test('a path keeps its meaning in a file that lies elsewhere', async () => {
    await mkdir(join(directory.path, 'sub', 'dir'), { recursive: true });
    const listBackends = () => Promise.resolve(['web']);
    const backend = { read: () => Promise.resolve({ process: '1@1', servers: [], traits: untoldTraits }) };
    const openBackends = () => [{ id: 'haproxy/web', address: 'a.sock', backend }];
    const world = { listBackends, openBackends };
    const sockets = ['admin.sock', 'sub/dir/own.sock', '/run/x.sock', '127.0.0.1:9999'];
    const given = [...sockets.flatMap((socket) => ['--haproxy', socket]), '--config', 'haproxy.cfg'];
    await expect(init(world, ...given, 'sub/dir/fleet.yaml')).rejects.toThrow(
      'haproxy.cfg cannot be read: there is no such file',
    );
    expect(await readdir(join(directory.path, 'sub', 'dir'))).toEqual([]);
    await writeFile(join(directory.path, 'haproxy.cfg'), '');
    await init(world, ...given, 'sub/dir/fleet.yaml');
    const text = await readFile(join(directory.path, 'sub', 'dir', 'fleet.yaml'), 'utf8');
    const written = [...text.matchAll(/^ +(?:- |config: )"(.*)"$/gm)].map(([, path]) => path);
    expect(written).toEqual(['../../admin.sock', './own.sock', '/run/x.sock', '127.0.0.1:9999', '../../haproxy.cfg']);
    await init(world, ...given, 'fleet.yaml');
    expect(await readFile(join(directory.path, 'fleet.yaml'), 'utf8')).toContain('- "admin.sock"');
  });

  test('writes nothing where HAProxy has no servers: check would refuse a fleet without services', async () => {
    const listBackends = () => Promise.resolve([]);
    await expect(init({ listBackends }, '--haproxy', 'a.sock')).rejects.toThrow('the HAProxy at a.sock has servers');
    expect(await readdir(directory.path)).toEqual([]);
  });
});

async function init(...given: readonly (string | object)[]): Promise<string> {
  const words = given.filter((item) => typeof item === 'string');
  const world = given.find((item) => typeof item === 'object') ?? {};
  return (await runDrover(['init', ...words], { directory: directory.path, world })).text;
}
