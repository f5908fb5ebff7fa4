import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configurationOf, durationMs } from '../../src/io/balancer/haproxy/configuration-file.ts';
import { recordedConfiguration } from '../haproxy/recorded.ts';
import { damagedText, hostileText, someDamage } from './damage.ts';
import { expectQuick, runs } from './runs.ts';

const backends = ['web', 'sticky', 'raw', 'draws', 'nosuch', '', '__proto__', 'constructor'] as const;
const words = [
  ...[
    'backend web',
    'listen web',
    'defaults',
    'defaults a',
    'defaults a from a',
    'backend web from a',
    'global',
    '.if',
    '.endif',
  ],
  ...[
    'server',
    'server a 1:1',
    'server-template t 1-3',
    'server-template t 9999999999',
    'default-server',
    'no option persist',
  ],
  ...[
    'option persist',
    'timeout connect',
    'timeout server 1d',
    'retry-on',
    'use-server',
    'balance',
    'cookie',
    'stick on src',
  ],
];

describe('haproxy.cfg', () => {
  test('property: any damage gives facts in their range, absent or conditional, and no error', () => {
    const line = fc
      .tuple(fc.constantFrom(...words), fc.array(hostileText, { maxLength: 3 }))
      .map((all) => all.flat().join(' '));
    const text = fc.oneof(
      someDamage.map((damage) => damagedText(recordedConfiguration, damage)),
      fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n')),
    );
    let read = 0;
    fc.assert(
      fc.property(text, fc.constantFrom(...backends), (file, backend) => {
        const found = configurationOf(file, backend);
        if (typeof found === 'string') return;
        read += 1;
        expect(found.servers).toBeInstanceOf(Map);
        for (const { features, disabled } of found.servers.values()) {
          expect(typeof disabled).toBe('boolean');
          expect(features.every((feature) => typeof feature === 'string')).toBe(true);
        }
        expect(Object.getPrototypeOf({})).not.toHaveProperty('polluted');
      }),
      runs(1000),
    );
    expect(read).toBeGreaterThan(100);
  });

  test('property: a duration is a whole number of milliseconds that HAProxy takes, or none', () => {
    const unit = fc.constantFrom('', 'us', 'ms', 's', 'm', 'h', 'd', 'y', 'S');
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          fc.tuple(fc.maxSafeNat().map(String), unit).map((parts) => parts.join('')),
        ),
        (text) => {
          const ms = durationMs(text);
          if (ms !== null) expect(Number.isSafeInteger(ms) && ms >= 0 && ms < 2 ** 31).toBe(true);
        },
      ),
      runs(500),
    );
  });

  test('property: lines that are quoted or escaped are the same lines', () => {
    const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[\n\r"'\\]/.test(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), (names) => {
        const lines = names.map((server) => ` server '${server}' "127.0.0.1:1"`);
        const found = configurationOf(`backend "web"\n${lines.join('\n')}\n`, 'web');
        expect(typeof found === 'string' ? found : [...found.servers.keys()]).toEqual([...new Set(names)]);
      }),
      runs(300),
    );
  });

  test.each([
    ['servers', 'backend web\n', ' server s# 127.0.0.1:1\n'],
    ['default servers', 'backend web\n', ' default-server check cookie x\n server s# 127.0.0.1:1\n'],
    ['templates', 'backend web\n', ' server-template t 1-99999 127.0.0.1:1\n'],
    ['rules', 'backend web\n', ' use-server s# if TRUE\n'],
    ['named defaults', '', 'defaults d#\nbackend b# from nobody\n'],
    ['a chain of defaults', 'defaults d#\n', 'defaults d# from d#\n'],
    ['one backend again and again', '', 'backend web\n'],
    ['quotes', 'backend web\n server ', '"\'\\'],
    ['conditions', '', '.if\n'],
  ])('a long file of %s takes time in proportion', (_, begin, piece) => {
    const count = Math.floor(1_000_000 / piece.length);
    const text = begin + Array.from({ length: count }, (__, index) => piece.replaceAll('#', String(index))).join('');
    expectQuick(() => configurationOf(`${text}\nbackend last from d1\n server a 1\n`, 'last'));
    const found = expectQuick(() => configurationOf(text, 'web'));
    if (typeof found !== 'string') expect(found.servers.size).toBeLessThanOrEqual(Math.max(count, 100_000));
  });

  test('time-outs that HAProxy would refuse are none', () => {
    expect([
      durationMs('9'.repeat(400)),
      durationMs('30d'),
      durationMs('2147483647'),
      durationMs('2147483648'),
    ]).toEqual([...[null, null, 2_147_483_647, null]]);
  });
});
