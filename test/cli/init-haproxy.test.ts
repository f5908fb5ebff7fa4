import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configurationFromHaproxy } from '../../src/cli/init/haproxy.ts';
import { likelyGroups } from '../../src/cli/init/likely-groups.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { matchesGlob } from '../../src/core/fleet/glob.ts';
import type { ServerReading } from '../../src/core/observed/backend.ts';
import { known } from '../../src/core/observed/reading.ts';
import { madeReading, madeServer } from '../made/readings.ts';

describe('a configuration from what is there', () => {
  test('has only the problems that are marked, and none once they are filled in', () => {
    const text = configurationFromHaproxy({
      sockets: ['/run/haproxy/admin.sock'],
      configFile: null,
      backends: [
        {
          name: 'web',
          reading: madeReading([server('classic-1'), server('classic-2'), server('vpc-1', { weight: 0 })]),
        },
        { name: 'api.v2', reading: madeReading([server('a1')]) },
      ],
    });
    const lines = text.split('\n');
    const parsed = parseConfig(text, 'drover.yaml', '/tmp');
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) {
      const unmarked = parsed.problems.filter((problem) => !lines[problem.line - 1]?.includes('FILL IN'));
      expect(unmarked).toEqual([]);
      const marked = lines.flatMap((line, at) => (line.includes(': # FILL IN') ? [at + 1] : []));
      expect(parsed.problems.map((problem) => problem.line)).toEqual(marked);
    }
    const filled = parseConfig(fillIn(text), 'drover.yaml', '/tmp');
    expect(filled.ok ? [] : filled.problems).toEqual([]);
    if (filled.ok) {
      expect(filled.config.services['web']?.traffic).toEqual([
        { balancer: 'haproxy', backend: 'web', origin: 'classic-*', destination: 'vpc-*' },
      ]);
      expect(Object.keys(filled.config.environments)).toEqual(['classic', 'vpc', 'a', 'destination']);
      expect(filled.config.services['api-v2']?.traffic[0]?.backend).toBe('api.v2');
    }
  });

  test('tells weights, states, traffic and what a rollout would suffer from', () => {
    const text = configurationFromHaproxy({
      sockets: ['10.0.0.1:9999', '10.0.0.2:9999'],
      configFile: '/etc/haproxy/haproxy.cfg',
      backends: [
        {
          name: 'web',
          reading: madeReading([server('a1', { attempts: 2000, failed: 20 })], {
            traits: { algorithm: known('leastconn') },
          }),
        },
      ],
    });
    expect(text).toContain('2,000 attempts, of which 1.00 % failed');
    expect(text).toContain('No rollout starts: balance leastconn');
    expect(text).toMatch(/# {3}a1 {6}192\.0\.2\.1:80 +100 +100 {2}up/);
    expect(text).toContain('- "10.0.0.2:9999"');
  });

  test('is YAML of the right shape whatever servers and backends are called', () => {
    // Short names too: of a server "0" the pattern "*" would be left, which fits the servers of every other group. None
    // begins as the patterns that are filled in do: a person's pattern may not fit what was found either.
    const name = fc.oneof(fc.stringMatching(/^[A-PR-Za-z0-9_.:-]{1,30}$/), fc.stringMatching(/^[ab01.:_-]{1,3}$/));
    const backends = fc.uniqueArray(fc.tuple(name, fc.uniqueArray(name, { minLength: 1, maxLength: 6 })), {
      selector: ([backend]) => backend,
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(backends, (found) => {
        const text = configurationFromHaproxy({
          sockets: ['/run/haproxy/admin.sock'],
          configFile: null,
          backends: found.map(([backend, servers]) => ({
            name: backend,
            reading: madeReading(servers.map((each) => server(each))),
          })),
        });
        const filled = parseConfig(fillIn(text), 'drover.yaml', '/tmp');
        expect(filled.ok ? [] : filled.problems).toEqual([]);
      }),
    );
  });
});

describe('likely groups', () => {
  test.each([
    ['names that are only numbers', ['1', '2', '3:0'], null, null],
    ['two families, one of which waits', ['classic-1', 'classic-2', 'vpc-1:0'], 'classic-*', 'vpc-*'],
    ['names that begin alike are told apart by their length', ['web1', 'web2', 'web-new1:0'], 'web?', 'web-new*'],
    ['names without numbers', ['blue', 'green:0'], 'blue', 'green'],
    ['one family', ['web1', 'web12'], 'web*', null],
    ['too many families', ['a1', 'b1', 'c1'], null, null],
    ['names that are numbers: a pattern of wildcards alone would fit every server', ['0', '1'], null, null],
    ['numbers beside a family that waits', ['0', '1', 'new-1:0'], null, 'new-*'],
    ['names that no pattern tells apart', ['web1', 'web12', 'web1x1:0'], null, 'web1x*'],
  ])('%s', (_, names, origin, destination) => {
    const groups = likelyGroups(
      names.map((spelled) => {
        const [name = '', weight = '100'] = spelled.split(':');
        return server(name, { weight: Number(weight) });
      }),
    );
    expect([groups.origin?.pattern ?? null, groups.destination?.pattern ?? null]).toEqual([origin, destination]);
  });

  test('no server fits both patterns', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,2}-?[0-9]{0,2}$/), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(names, (all) => {
        const { origin, destination } = likelyGroups(all.map((name, at) => server(name, { weight: (at % 2) * 100 })));
        const both = all.filter(
          (name) => matchesGlob(origin?.pattern ?? '', name) && matchesGlob(destination?.pattern ?? '', name),
        );
        expect(both).toEqual([]);
      }),
    );
  });
});

/** As a person would: something valid wherever a value is missing. */
function fillIn(text: string): string {
  const values: Readonly<Record<string, string>> = {
    owner: 'team',
    kind: 'stateless',
    failures: '1%',
    build: 'v1',
    origin: '"Q-origin-*"',
    destination: '"Q-destination-*"',
  };
  return text.replaceAll(
    /^( +)(\w+): # FILL IN/gm,
    (_, indent: string, key: string) => `${indent}${key}: ${values[key]} #`,
  );
}

function server(name: string, { weight = 100, attempts = 0, failed = 0 } = {}): ServerReading {
  const counters = { attempts, rsp2xx: attempts - failed, rsp5xx: failed };
  return madeServer(name, { address: '192.0.2.1:80', weight, counters });
}
