import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CliError, type OpenBackend } from '../../src/cli/context.ts';
import { loadConfig } from '../../src/cli/load-config.ts';
import { fileBytesMax } from '../../src/config/decode.ts';
import { exampleConfig } from '../../src/config/example.ts';
import { known } from '../../src/core/observed/reading.ts';
import { type Backend, PortError } from '../../src/engine/ports.ts';
import { directoryForEach, runDrover, type Told } from '../made/context.ts';
import { madeReading, madeServer } from '../made/readings.ts';

const directory = directoryForEach();

describe('drover check', () => {
  test('sums a valid file up, and says that the balancers were not asked', async () => {
    const { text, code } = await check(await file('valid.yaml', exampleConfig), { options: ['--offline'] });
    expect(text.split('\n')).toEqual([
      'shop: 1 service, 1 wave',
      '  query  classic → vpc  team-query  objective 1%  4 steps',
      '  wave first: query',
      '  balancers: not asked (--offline)',
      'valid.yaml is valid',
      '',
    ]);
    expect(code).toBe(0);
  });

  test('prints every problem, a count, and fails', async () => {
    const bad = exampleConfig.replace('version: 1', 'version: 2').replace('owner:', 'ower:');
    const { text, code } = await check(await file('bad.yaml', bad));
    expect(text).toContain('bad.yaml:6:10  version: not a value that fits here');
    expect(text).toContain('hint      did you mean "owner"?');
    expect(text.trimEnd().split('\n').at(-1)).toBe('bad.yaml: 3 problems');
    expect(code).toBe(1);
  });

  test('as JSON, valid and not', async () => {
    const valid = JSON.parse(
      (await check(await file('a.yaml', exampleConfig), { options: ['--offline', '--json'] })).text,
    );
    expect(valid).toEqual({
      ok: true,
      file: 'a.yaml',
      problems: [],
      warnings: [],
      fleet: {
        name: 'shop',
        environments: ['classic', 'vpc'],
        balancers: ['edge'],
        services: ['query'],
        waves: ['first'],
      },
      backends: null,
    });
    const bad = JSON.parse((await check(await file('b.yaml', 'version: [\n'), { options: ['--json'] })).text);
    expect(bad).toMatchObject({ ok: false, fleet: null, problems: [{ file: 'b.yaml', line: 2, column: 1 }] });
  });

  test('tells what a balancer would do to a rollout, and stays valid', async () => {
    const backend = madeReading([madeServer('classic-1'), madeServer('vpc-1', { configuredWeight: 100 })], {
      traits: { algorithm: known('leastconn'), attemptMsMax: known(60_000) },
    });
    const { text, code } = await check(await file('live.yaml', exampleConfig), {
      backend: () => Promise.resolve(backend),
    });
    expect(text).toContain('edge/query (query)  no rollout starts: balance leastconn');
    expect(text).toContain(
      "no rollout starts: servers of the destination have a weight in the balancer's configuration: vpc-1",
    );
    expect(text).toContain('no rollout starts: an attempt can last 60s here, and rollout.attempt says 30s');
    expect(text).toContain('  balancers: 1 of 1 backend read');
    expect(code).toBe(0);
  });

  test('tells when no server fits a pattern', async () => {
    const backend = madeReading([madeServer('web1'), madeServer('classic-1')]);
    const { text } = await check(await file('live.yaml', exampleConfig), { backend: () => Promise.resolve(backend) });
    expect(text).toContain('no rollout starts: no server fits the pattern "vpc-*" of the destination');
    expect(text).toContain('The servers are named web1, classic-1');
  });

  test('names servers that belong to neither group', async () => {
    const backend = madeReading([madeServer('classic-1'), madeServer('vpc-1', { weight: 0 }), madeServer('other-1')]);
    const { text, code } = await check(await file('live.yaml', exampleConfig), {
      backend: () => Promise.resolve(backend),
    });
    expect(text).toContain('edge/query (query)  warning: servers of neither group: other-1\n');
    expect(code).toBe(0);
  });

  test('tells of a share that weights cannot make what they make instead', async () => {
    const servers = ['classic-1', 'classic-2', 'vpc-1', 'vpc-2'];
    const backend = madeReading(servers.map((name) => madeServer(name, { weight: name.startsWith('vpc') ? 0 : 100 })));
    const steps = /^( *)steps:(\n\1 .*)+/m;
    expect(exampleConfig).toMatch(steps);
    const yaml = exampleConfig.replace(steps, '$1steps: [{ weight: 0.0001%, bake: 5m }, { weight: 5%, bake: 5m }]');
    const { text, code } = await check(await file('live.yaml', yaml), { backend: () => Promise.resolve(backend) });
    expect(text).toContain(
      'warning: step 1 asks for 0.0001%, and the least that the weights of these servers make is 0.39%\n',
    );
    expect(text).toContain('Write at least weight: 0.39%.');
    expect(text).not.toContain('step 2');
    expect(code).toBe(0);
  });

  test('takes a balancer that cannot be read for a warning', async () => {
    const refused = () =>
      Promise.reject(new PortError('denied', '/run/haproxy/admin.sock: permission denied', { retriable: true }));
    const { text, code } = await check(await file('live.yaml', exampleConfig), { backend: refused });
    expect(text).toContain(
      'edge/query (query)  warning: it cannot be read\n    why       /run/haproxy/admin.sock: permission denied',
    );
    expect(text).toContain('  balancers: 0 of 1 backend read');
    expect(code).toBe(0);
  });

  test('does not take a defect for a silent balancer', async () => {
    const defect = () => Promise.reject(new RangeError('defect'));
    await expect(check(await file('live.yaml', exampleConfig), { backend: defect })).rejects.toThrow('defect');
  });
});

describe('the configuration is found', () => {
  test('here or in a parent directory, and named as a person would', async () => {
    await file('drover.yaml', exampleConfig);
    const deep = join(directory.path, 'deep', 'er');
    await mkdir(deep, { recursive: true });
    const above = await loadConfig({ directory: deep });
    expect(above.file).toBe(join(directory.path, 'drover.yaml'));
    expect(above.config.directory).toBe(directory.path);
    expect((await loadConfig({ directory: directory.path })).file).toBe('drover.yaml');
  });

  test('or not: and then the error says what to do', async () => {
    const missing = loadConfig({ directory: directory.path }, 'nowhere/drover.yaml');
    await expect(missing).rejects.toMatchObject({
      message: 'nowhere/drover.yaml cannot be read: there is no such file',
      remedy: '`drover init FILE` writes an example',
    });
    await expect(loadConfig({ directory: directory.path }, '.')).rejects.toThrow('is not a file');
    await expect(loadConfig({ directory: directory.path }, '/dev/zero')).rejects.toThrow('/dev/zero is not a file');
    const [loop, other] = [join(directory.path, 'loop'), join(directory.path, 'pool')];
    await symlink(other, loop);
    await symlink(loop, other);
    await expect(loadConfig({ directory: directory.path }, 'loop')).rejects.toThrow(CliError);
  });

  test.each([
    ['UTF-16', Buffer.from(`\uFEFF${exampleConfig}`, 'utf16le'), '1:1  the file is not UTF-8 text'],
    ['Latin-1', Buffer.from('version: 1\nname: caf\xe9\n', 'latin1'), '2:10  the file is not UTF-8 text'],
    ['a UTF-8 character cut off', Buffer.from('name: é').subarray(0, 7), '1:7  the file is not UTF-8 text'],
    ['a program', Buffer.from('\x7fELF\x02\x01\x01\x00', 'latin1'), '1:1  the file is not a text file'],
    [
      'gigabytes, as far as one can tell',
      Buffer.alloc(fileBytesMax + 1, '#'),
      '1:1  the file is too large for a configuration',
    ],
  ])('but not read as text: %s', async (_, bytes, expected) => {
    await writeFile(join(directory.path, 'bytes.yaml'), bytes);
    const { text, code } = await check('bytes.yaml');
    expect(text).toContain(`bytes.yaml:${expected}`);
    expect(code).toBe(1);
  });

  test('and for other verbs, a file with problems is an error that names them all', async () => {
    await file('bad.yaml', exampleConfig.replace('version: 1', 'version: 2').replace('kind:', 'kin:'));
    await expect(loadConfig({ directory: directory.path }, 'bad.yaml')).rejects.toThrow(
      /^bad\.yaml has 3 problems, and nothing was done\nbad\.yaml:6:10 {2}version[\s\S]*did you mean "kind"/,
    );
  });
});

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(directory.path, name), text);
  return name;
}

type CheckOptions = { readonly options?: readonly string[]; readonly backend?: Backend['read'] };

function check(config: string, { options = [], backend }: CheckOptions = {}): Promise<Told> {
  const open: OpenBackend = { id: 'edge/query', address: 'a.sock', backend: scripted(backend) };
  const words = ['check', '--config', config, ...options];
  return runDrover(words, { directory: directory.path, world: { openBackends: () => [open] } });
}

function scripted(read: Backend['read'] | undefined): Backend {
  const forbidden = () => Promise.reject(new Error('check only reads'));
  return { read: read ?? forbidden, attempts: forbidden, setWeights: forbidden, setStates: forbidden };
}
