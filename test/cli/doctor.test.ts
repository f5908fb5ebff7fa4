import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { EventBody } from '../../src/core/journal/entry.ts';
import { PortError } from '../../src/engine/ports.ts';
import { madeServer } from '../made/readings.ts';
import { madeInstance } from '../made/rollout.ts';
import { started } from '../rollout/life.ts';
import {
  alive,
  checks,
  directory,
  doctor,
  journalWith,
  now,
  type Options,
  troubles,
  warnings,
  whats,
} from './doctor-world.ts';

const config = `version: 1
name: shop
environments:
  classic: { provider: none }
  vpc: { provider: none }
balancers:
  edge: { haproxy: { socket: ./edge.sock } }
services:
  query:
    owner: team-query
    kind: stateless
    objective: { failures: 1% }
    traffic: { balancer: edge, backend: query, origin: "classic-*", destination: "vpc-*" }
    origin: { environment: classic, capacity: 100/s, build: v41 }
    destination: { environment: vpc, build: v41 }
`;

beforeEach(() => writeFile(join(directory.path, 'drover.yaml'), config));

describe('where a rollout can work', () => {
  test('all that was looked at is said, the exit is 0, and nothing is written', async () => {
    const { diagnosis, code } = await doctor();
    expect(code).toBe(0);
    expect(troubles(diagnosis)).toEqual([]);
    expect(whats(diagnosis)).toEqual(
      expect.arrayContaining([
        'valid: 1 service, no waves',
        'not there yet: `drover apply` makes it, mode 0700',
        'HAProxy 2.6.12 answers (pid 7), level admin',
        'edge/query: origin 2 of 2 up',
        'edge/query: destination 1 of 1 up',
        'nothing keeps a rollout from starting',
      ]),
    );
    expect(diagnosis.allow.map(({ what }) => what)).toContain('write .drover');
    expect(await readdir(directory.path)).toEqual(['drover.yaml']);
  });

  test('as text: sections, a verdict at the end, and no line wider than the terminal', async () => {
    const { text } = await doctor({
      json: false,
      columns: 60,
      backend: {
        servers: [madeServer('classic-1', { weight: 40, configuredWeight: 100 }), madeServer('vpc-1', { weight: 0 })],
      },
    });
    expect(text).toMatch(/^Service {2}query {2}classic → vpc$/m);
    expect(text).toMatch(/^ {2}warning {3}edge\/query: weights are not as configured/m);
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^A rollout can work, \d+ warnings\.$/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });
});

describe('what keeps one from working', () => {
  test('a socket of too low a level, with the line to add', async () => {
    const { diagnosis, code } = await doctor({ level: 'operator' });
    expect(code).toBe(2);
    expect(troubles(diagnosis)).toEqual([
      {
        level: 'trouble',
        what: 'this socket has level operator',
        remedy: expect.stringContaining('stats socket X level admin'),
      },
    ]);
  });

  test('a balancer that is gone: the rest is examined all the same', async () => {
    const gone = new PortError('unreachable', 'nothing listens at ./edge.sock', { retriable: true });
    const { diagnosis, code } = await doctor({ backend: gone, level: gone });
    expect(code).toBe(2);
    expect(troubles(diagnosis).map(({ what }) => what)).toEqual([
      'nothing listens at ./edge.sock',
      expect.stringContaining('edge/query cannot be read: nothing listens'),
    ]);
    expect(whats(diagnosis)).toContainEqual(expect.stringContaining('origin in classic, run by others'));
  });

  test('a destination that the balancer does not reach; part of it is a warning; both name the servers', async () => {
    const none = await doctor({
      backend: { servers: [madeServer('classic-1'), madeServer('vpc-1', { weight: 0, health: 'down' })] },
    });
    expect(troubles(none.diagnosis)).toMatchObject([
      {
        what: 'edge/query: destination 0 of 1 up, 1 down (vpc-1)',
        remedy: expect.stringContaining('does vpc let the balancer in'),
      },
    ]);
    const some = await doctor({
      backend: {
        servers: [
          madeServer('classic-1'),
          madeServer('vpc-1', { weight: 0 }),
          madeServer('vpc-2', { weight: 0, health: 'down' }),
          madeServer('vpc-3', { weight: 0, health: 'starting' }),
        ],
      },
    });
    expect(some.code).toBe(0);
    expect(warnings(some.diagnosis)).toContain('edge/query: destination 1 of 3 up, 1 down (vpc-2), 1 starting (vpc-3)');
  });

  test('what the rollout itself would refuse: no check, a configured weight, leastconn, a group without servers', async () => {
    const servers = [madeServer('classic-1'), madeServer('vpc-1', { weight: 50, health: 'unchecked' })];
    const { diagnosis } = await doctor({ backend: { servers, algorithm: 'leastconn' } });
    const found = troubles(diagnosis)
      .map(({ what }) => what)
      .join('\n');
    expect(found).toMatch(/vpc-1 have no health check/);
    expect(found).toMatch(/configured weight that is not 0/);
    expect(found).toMatch(/balance leastconn/);
    const missing = await doctor({ backend: { servers: [madeServer('classic-1')] } });
    expect(troubles(missing.diagnosis)[0]?.what).toContain('no server matches the destination "vpc-*"');
  });

  test('a configuration with problems: they are named, and the state is examined all the same', async () => {
    await writeFile(join(directory.path, 'drover.yaml'), config.replace('owner:', 'ower:'));
    const { diagnosis, code } = await doctor();
    expect(code).toBe(2);
    expect(
      troubles(diagnosis)
        .map(({ what }) => what)
        .join('\n'),
    ).toContain('did you mean "owner"');
    expect(diagnosis.sections.map(({ kind }) => kind)).toEqual(['configuration', 'state']);
  });

  test('a journal that was edited, one of a newer version, and a directory that is a file', async () => {
    await mkdir(join(directory.path, '.drover'));
    const { diagnosis } = await doctor({ journal: await journalWith([started], 1, 'edited') });
    expect(troubles(diagnosis)).toMatchObject([
      { what: expect.stringMatching(/content was changed after it was written/) },
    ]);
    const newer = new PortError('newer-version', 'written by a newer Drover', { retriable: false });
    const other = await doctor({ journal: newer });
    expect(troubles(other.diagnosis)).toMatchObject([
      { what: 'the journal cannot be read: written by a newer Drover' },
    ]);
    // What cannot be read is not known to be well.
    const said = other.diagnosis.sections.find(({ kind }) => kind === 'state')?.checks ?? [];
    expect(said.filter(({ what }) => what.includes('no controller'))).toEqual([
      {
        level: 'warning',
        what: 'no controller is running, and whether something is unfinished is not known',
        remedy: null,
      },
    ]);
    await rm(join(directory.path, '.drover'), { recursive: true });
    await writeFile(join(directory.path, '.drover'), '');
    const file = await doctor();
    expect(troubles(file.diagnosis)).toMatchObject([{ what: 'it is not a directory' }]);
  });

  test('an embedded balancer that does not run keeps nothing from working: apply starts it', async () => {
    const embedded = config
      .replace('haproxy: { socket: ./edge.sock }', 'embedded: { listen: "127.0.0.1:8080" }')
      .replaceAll('provider: none', 'provider: local')
      .replace(/(origin|destination): \{ environment: (\w+).*\}/g, (_, side, environment) => {
        const ports = side === 'origin' ? 21000 : 21100;
        const words = `size: 1, command: [node, s.mjs, "{port}"], ports: ${ports}, server: "${environment}-{index}"`;
        return `${side}: { environment: ${environment}, ${words}, health: / }`;
      });
    await writeFile(join(directory.path, 'drover.yaml'), embedded);
    const gone = new PortError('unreachable', 'nobody answers', { retriable: true });
    const { diagnosis, code } = await doctor({ backend: gone, level: gone });
    expect(troubles(diagnosis)).toEqual([]);
    expect(code).toBe(0);
    expect(warnings(diagnosis)).toContain('its embedded balancer does not run, so nothing more can be said');
  });

  test('an origin that nobody can grow, without a declared capacity, is warned of', async () => {
    await writeFile(join(directory.path, 'drover.yaml'), config.replace('capacity: 100/s, ', ''));
    const { diagnosis } = await doctor();
    expect(warnings(diagnosis)).toContainEqual(expect.stringContaining('capacity not declared'));
  });

  test('socat, without which the way back by hand cannot be typed', async () => {
    const said = 'socat is not here, and the way back by hand that `drover plan` prints needs it';
    expect(warnings((await doctor({ path: directory.path })).diagnosis)).toContain(said);
    await writeFile(join(directory.path, 'socat'), '', { mode: 0o755 });
    expect(warnings((await doctor({ path: directory.path })).diagnosis)).not.toContain(said);
  });

  test('an unknown service is an error', async () => {
    await expect(doctor({ services: ['qurey'] })).rejects.toThrow('there is no service "qurey"');
  });
});

describe('what an operation left', () => {
  test('an unfinished rollout without a controller, since when, and its back marker', async () => {
    await mkdir(join(directory.path, '.drover'));
    await writeFile(join(directory.path, '.drover', 'rollout-query-1.back'), 'alice, yesterday\n');
    const { diagnosis, code } = await doctor({ journal: await journalWith([started], now - 65_000) });
    expect(code).toBe(0);
    expect(warnings(diagnosis)).toEqual(
      expect.arrayContaining([
        'no controller is alive, and rollout-query-1 is unfinished: its last entry is 65 s old',
        'a back marker lies here for rollout-query-1 (alice, yesterday): nothing raises its share',
      ]),
    );
    expect(whats(diagnosis)).toContain('rollout-query-1 is under way: preparing: capacity before traffic');
  });

  test('beside a back marker nobody is said to raise the share again', async () => {
    await mkdir(join(directory.path, '.drover'));
    const traffic = { 'edge/query': { 'vpc-1': { weight: 10, admin: 'ready' } } };
    const target = { requestedShare: 0.1, traffic, origin: null, destination: null };
    const intended = { kind: 'intended', target, why: 'step 1' };
    const bodies: readonly EventBody[] = [started, intended];
    const driftOf = async (isMarked: boolean) => {
      const { diagnosis } = await doctor({ journal: await journalWith(bodies, now), isMarked });
      const checks = diagnosis.sections.flatMap((section) => section.checks);
      return checks.find(({ what }) => what.includes('is not as rollout-query-1 left it'))?.remedy;
    };
    expect(await driftOf(false)).toContain('A living controller puts it right');
    expect(await driftOf(true)).toContain('`drover back` finishes it');
  });

  test('a service that has been moved: what another rollout would be refused for, and that nothing is left to move', async () => {
    await mkdir(join(directory.path, '.drover'));
    const none = { attempts: 0, failures: 0 };
    const completed = { kind: 'completed', share: 1, counted: { origin: none, destination: none } };
    const servers = [
      madeServer('classic-1', { weight: 0, configuredWeight: 100 }),
      madeServer('vpc-1', { weight: 100, configuredWeight: 0 }),
    ];
    const given = { journal: await journalWith([started, completed], now), backend: { servers } };
    const { diagnosis, code } = await doctor(given);
    expect(code).toBe(0);
    expect(warnings(diagnosis)).toContainEqual(
      expect.stringMatching(/^another rollout would be refused: edge\/query: traffic goes already to vpc-1/),
    );
    expect(diagnosis.sections.find(({ kind }) => kind === 'service')).toMatchObject({ moved: true });
    const { text } = await doctor({ ...given, json: false });
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^Nothing is left to move, \d+ warnings\.$/);
  });

  test('with a controller the same is well; one that hangs is not', async () => {
    await mkdir(join(directory.path, '.drover'));
    const journal = await journalWith([started], now);
    const { diagnosis } = await doctor({ journal, control: alive });
    expect(whats(diagnosis)).toContain('a controller is alive (pid 42): rollout-query-1');
    const hung = new PortError('timeout', 'no answer', { retriable: true });
    expect(troubles((await doctor({ journal, control: hung })).diagnosis)).toMatchObject([
      { what: 'a controller listens but does not answer: no answer' },
    ]);
  });

  test('weights in force against those configured, and servers put aside, by name', async () => {
    const aside = madeServer('classic-2', { admin: 'maint', health: 'unchecked' });
    const servers = [
      madeServer('classic-1', { weight: 40, configuredWeight: 100 }),
      aside,
      madeServer('vpc-1', { weight: 0 }),
      madeServer('other-1', { weight: 5 }),
    ];
    const { diagnosis } = await doctor({ backend: { servers } });
    expect(warnings(diagnosis)).toEqual(
      expect.arrayContaining([
        'edge/query: weights are not as configured: classic-1 has weight 40, configured is 100',
        expect.stringMatching(/^edge\/query: put aside by somebody: classic-2 is in maint\. A rollout never touches/),
        expect.stringMatching(/^edge\/query: servers of neither group: other-1\./),
      ]),
    );
    // In maint nothing is checked: that is no missing check.
    expect(whats(diagnosis)).toContain('edge/query: origin 1 of 2 up, 1 in maint (classic-2)');
    expect(troubles(diagnosis)).toEqual([]);
  });

  test('a state directory that others may write to', async () => {
    await mkdir(join(directory.path, '.drover'));
    await chmod(join(directory.path, '.drover'), 0o777);
    expect(warnings((await doctor()).diagnosis)).toContain('others may write here (mode 0777)');
  });
});

const localConfig = `version: 1
name: shop
environments:
  classic: { provider: local }
  vpc: { provider: local }
balancers:
  edge: { embedded: { listen: 127.0.0.1:24100 } }
services:
  query:
    owner: team-query
    kind: stateless
    objective: { failures: 1% }
    traffic: { balancer: edge, backend: query, origin: "classic-*", destination: "vpc-*" }
    origin: { environment: classic, size: 2..4, command: [run], ports: 24200, server: "classic-{index}", health: / }
    destination: { environment: vpc, size: 0..4, build: { http: /build }, command: [run], ports: 24300, server: "vpc-{index}", health: / }
`;

describe('a destination of Drover’s own of which nothing is up', () => {
  const servers = [madeServer('classic-1'), madeServer('vpc-0', { weight: 0, health: 'down' })];
  const lastOutput = ['FATAL: cannot read secret.conf', 'drover: it ended with status 3'];
  const looping = madeInstance('vpc-0', { state: 'crash-looping', lastOutput });
  const down = async (options: Options) => {
    await writeFile(join(directory.path, 'drover.yaml'), localConfig);
    await mkdir(join(directory.path, '.drover'), { recursive: true });
    const { diagnosis } = await doctor({ backend: { servers }, destination: [looping], ...options });
    return checks(diagnosis).find(({ what }) => what.startsWith('edge/query: destination'));
  };

  test('is told with the last words of what does not come up', async () => {
    expect(await down({})).toEqual({
      level: 'warning',
      what: 'edge/query: destination 0 of 1 up, 1 down (vpc-0); of an instance that does not come up: last output: FATAL: cannot read secret.conf (it ended with status 3)',
      remedy: '`drover apply` starts it',
    });
  });

  test('an origin of its own that was not started yet keeps nothing from working, one that runs and is down does', async () => {
    const none = [madeServer('classic-1', { health: 'down' }), madeServer('vpc-0', { weight: 0, health: 'down' })];
    await writeFile(join(directory.path, 'drover.yaml'), localConfig);
    await mkdir(join(directory.path, '.drover'), { recursive: true });
    const told = async (origin: NonNullable<Options['origin']>) =>
      checks((await doctor({ backend: { servers: none }, origin })).diagnosis).find(({ what }) =>
        what.startsWith('edge/query: origin 0 of 1 up'),
      );
    expect(await told([])).toMatchObject({ level: 'warning', remedy: '`drover apply` starts it' });
    expect(await told([madeInstance('classic-1', { state: 'unhealthy', lastOutput })])).toMatchObject({
      level: 'trouble',
      what: expect.stringContaining('last output: FATAL: cannot read secret.conf'),
      remedy: expect.stringMatching(/^they are processes of this machine: .*instance-\*\.log/),
    });
  });

  test('is started by nobody once its rollout is over', async () => {
    const none = { attempts: 0, failures: 0 };
    const completed = { kind: 'completed', share: 1, counted: { origin: none, destination: none } };
    const moved = await down({ journal: await journalWith([started, completed], now) });
    expect(moved?.remedy).toMatch(/^its rollout is over, .*`drover back rollout-query-1`$/);
    expect(moved?.remedy).not.toContain('drover apply');
  });

  test('is started by the controller that is alive, and not by an apply beside it', async () => {
    const control = { pid: 42, operation: 'rollout-query-1', status: null };
    const journal = await journalWith([started], now - 5000);
    expect(await down({ journal, control })).toMatchObject({ remedy: 'the controller of rollout-query-1 starts it' });
    const other = { ...control, operation: 'rollout-other-1' };
    expect(await down({ control: other })).toMatchObject({
      remedy: '`drover apply`, once the controller that is alive has ended, starts it',
    });
  });
});

describe('a fleet that Drover starts itself and has not started yet', () => {
  const asleep = new PortError('unreachable', 'nobody answers at edge.sock', { retriable: true });

  test('is no trouble: apply starts it', async () => {
    await writeFile(join(directory.path, 'drover.yaml'), localConfig);
    const { diagnosis, code } = await doctor({ level: asleep, backend: asleep });
    expect(troubles(diagnosis)).toEqual([]);
    expect(code).toBe(0);
    expect(warnings(diagnosis)).toContainEqual(
      expect.stringMatching(/^destination in vpc.*its build is not known before an instance runs$/),
    );
  });

  test('an origin that could tell its build only when it runs is never started, and that is said', async () => {
    await writeFile(
      join(directory.path, 'drover.yaml'),
      localConfig.replace('size: 2..4,', 'size: 2..4, build: { http: /b },'),
    );
    const { diagnosis, code } = await doctor({ level: asleep, backend: asleep });
    expect(code).toBe(2);
    expect(troubles(diagnosis)).toEqual([
      expect.objectContaining({ remedy: expect.stringContaining('`{ files: […] }`') }),
    ]);
  });

  test('a port that somebody else serves is named; one that is needed only later, or served by its own, is no trouble', async () => {
    await writeFile(join(directory.path, 'drover.yaml'), localConfig);
    const holders = {
      24100: { pid: 41, isOwn: false },
      24200: { pid: 42, isOwn: false },
      24201: { pid: 43, isOwn: true },
      24202: { pid: 44, isOwn: false },
      24300: { pid: null, isOwn: false },
    };
    const { diagnosis, code } = await doctor({ level: asleep, backend: asleep, holders });
    expect(code).toBe(2);
    expect(troubles(diagnosis)).toEqual([
      {
        level: 'trouble',
        what: '127.0.0.1:24100, where it is to listen, is in use by process 41, which Drover did not start',
        remedy: expect.stringContaining('`listen` elsewhere'),
      },
      {
        level: 'trouble',
        what: 'origin: port 24200 of instance 1 is in use by process 42, which Drover did not start',
        remedy: expect.stringContaining('other `ports` in drover.yaml'),
      },
      expect.objectContaining({
        what: 'destination: port 24300 of instance 1 is in use by a process of another user',
      }),
    ]);
    const inUse = warnings(diagnosis).filter((what) => what.includes('in use'));
    expect(inUse).toEqual([expect.stringMatching(/^origin: port 24202 of instance 3 is in use by process 44/)]);
  });
});
