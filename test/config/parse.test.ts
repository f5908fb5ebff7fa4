import { describe, expect, test } from 'vitest';
import { exampleConfig } from '../../src/config/example.ts';
import type { Config } from '../../src/core/fleet/config.ts';
import { edited, fullFile, parse } from './files.ts';

function configOf(text: string): Config {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(parsed.problems.map((problem) => problem.message).join('\n'));
  return parsed.config;
}

describe('a valid file', () => {
  const config = configOf(fullFile);

  test('has no warnings', () => {
    const parsed = parse(fullFile);
    expect(parsed.warnings).toEqual([]);
  });

  test('gives a local group with absolute paths, defaults where nothing is written, and numbers as written', () => {
    expect(config.services.query?.origin).toEqual({
      environment: 'classic',
      size: { min: 2, max: 6 },
      capacityRps: 120,
      build: { kind: 'command', files: ['/srv/shop/server.mjs'] },
      local: {
        command: ['node', 'server.mjs', '--port={port}', '7'],
        workingDirectory: '/srv/shop/query',
        env: { MODE: 'fast', LEVEL: '3' },
        firstPort: 21_000,
        serverName: 'classic-{index}',
        health: { path: '/healthz', intervalMs: 500, timeoutMs: 1_000, rise: 2, fall: 3, startMsMax: 30_000 },
        stopMsMax: 5_000,
      },
    });
  });

  test('takes a short health check and the command line as the build', () => {
    const destination = config.services.query?.destination;
    expect(destination?.build).toEqual({ kind: 'command', files: [] });
    expect(destination?.local?.health.path).toBe('/healthz');
    expect(destination?.size).toEqual({ min: 0, max: 6 });
    expect(destination?.capacityRps).toBeNull();
  });

  test('gives groups of others without size and process, with a build as written', () => {
    const store = config.services.store;
    expect(store?.origin).toEqual({
      environment: 'old',
      size: null,
      capacityRps: null,
      build: { kind: 'declared', build: '1.10' },
      local: null,
    });
    expect(store?.destination.build).toEqual({ kind: 'http', path: '/version' });
  });

  test('gives balancers with absolute paths, and addresses as they are', () => {
    expect(config.balancers).toEqual({
      edge: {
        kind: 'embedded',
        name: 'edge',
        listen: '127.0.0.1:8080',
        socket: '/srv/shop/.drover/edge.sock',
        carries: 'origin',
      },
      inner: {
        kind: 'haproxy',
        name: 'inner',
        sockets: ['/srv/shop/run/one.sock', '10.0.0.2:9999'],
        configFile: '/srv/shop/haproxy.cfg',
      },
    });
  });

  test('gives dependencies, waves and endpoints', () => {
    expect(config.services.query?.dependencies).toEqual([{ service: 'store', kind: 'hard' }]);
    expect(config.waves.map((wave) => wave.services)).toEqual([['query'], ['store']]);
    expect(config.notify).toEqual([
      { kind: 'slack', url: 'https://hooks.example/services/T0/B0/s3cret', emoji: ':truck:' },
      { kind: 'webhook', url: 'https://example.com/hook?token=s3cret' },
    ]);
  });

  test('gives each service the policy of the file, with its own keys over it, one by one', () => {
    expect(config.services.query?.rollout).toEqual({
      steps: [
        { kind: 'capacity', instances: 2, bakeMs: 300_000 },
        { kind: 'weight', share: 0.5, instances: 4, bakeMs: 120_000 },
        { kind: 'weight', share: 0.95, instances: null, bakeMs: 300_000 },
      ],
      judge: { alpha: 0.002, beta: 0.01, tolerate: 1.5, bad: 3, dispersion: 2 },
      controlShare: 0.05,
      reserve: 0.25,
      settleMsMax: 90_000,
      capacityMsMax: 300_000,
      drainMsMax: 30_000,
      drill: { requests: 10, ms: 60_000, boundMs: 1_000 },
      attemptMsMax: 30_000,
    });
    expect(config.services.store?.rollout.judge.tolerate).toBe(2);
    expect(config.services.store?.rollout.settleMsMax).toBe(60_000);
  });

  test('may use names that JavaScript objects know too', () => {
    const config = configOf(fullFile.replaceAll('store', 'constructor'));
    expect(Object.keys(config.services)).toEqual(['query', 'constructor']);
    expect(config.services.toString).toBeUndefined();
    expect(Object.getOwnPropertyDescriptor(config.services, 'constructor')?.value).toMatchObject({
      owner: 'team-constructor',
    });
  });

  test('reads the same with Windows line ends and a byte order mark', () => {
    expect(configOf(`\uFEFF${fullFile.replaceAll('\n', '\r\n')}`)).toEqual(config);
  });

  test('a service may have steps of its own instead of those of the file', () => {
    const own = edited(fullFile, 'settle: 90s', 'steps: [{ weight: 10%, bake: 0s }, { weight: 90% }]');
    expect(configOf(own).services.query?.rollout.steps).toHaveLength(2);
    expect(configOf(own).services.store?.rollout.steps).toHaveLength(3);
  });
});

describe('the example of init', () => {
  test('is valid, without warnings', () => {
    expect(parse(exampleConfig)).toMatchObject({ ok: true, warnings: [] });
  });

  test('says the defaults: without its policy the configuration is the same', () => {
    const [withoutPolicy = '', rest = ''] = exampleConfig.split(/^rollout:\n(?: .*\n)+/m);
    expect(configOf(withoutPolicy + rest)).toEqual(configOf(exampleConfig));
  });

  test('its part in comments is valid in place of what it replaces', () => {
    const commented = exampleConfig.slice(exampleConfig.indexOf('# A service that Drover runs itself'));
    const lines = commented.split('\n').slice(1);
    const live = lines.map((line) => line.replace(/^# ?/, '')).join('\n');
    const service = exampleConfig.slice(
      exampleConfig.indexOf('    owner:'),
      exampleConfig.indexOf('    # Evidence counts'),
    );
    const text = `version: 1\nname: shop\n${live.replace('    ...\n', service)}`;
    expect(configOf(text).services.query?.destination.local?.firstPort).toBe(21_100);
  });
});
