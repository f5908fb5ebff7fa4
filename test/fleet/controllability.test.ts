import { describe, expect, test } from 'vitest';
import { controllability } from '../../src/core/fleet/controllability.ts';
import type { BackendTraits } from '../../src/core/observed/backend.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { fineTraits } from '../made/readings.ts';

const fine: BackendTraits = {
  ...fineTraits,
  retryOn: known(['conn-failure', 'empty-response']),
  redispatch: known(true),
};
const web = [{ name: 'web-1', features: [] }];

function severities(traits: Partial<BackendTraits>, features: readonly string[] = []): string[] {
  const servers = [...web, { name: 'web-2', features }];
  return controllability({ ...fine, ...traits }, servers).map((finding) => `${finding.severity} ${finding.rule}`);
}

describe('what a rollout would suffer from', () => {
  test('a backend of round robin over HTTP without persistence has no finding', () => {
    expect(controllability(fine, web)).toEqual([]);
  });

  test.each(['leastconn', 'static-rr', 'first', 'source', 'uri', 'hdr', 'one-from-the-future'])(
    'balance %s is refused',
    (algorithm) => {
      expect(severities({ algorithm: known(algorithm) })).toEqual(['refuse algorithm']);
    },
  );

  test('a way that only reads is refused with its remedy, and one of which that is not known is warned of', () => {
    const readOnly = { why: 'The socket has level user.', remedy: 'level admin' };
    expect(controllability({ ...fine, readOnly: known(readOnly) }, web)).toMatchObject([
      { rule: 'read-only', severity: 'refuse', ...readOnly },
    ]);
    expect(severities({ readOnly: unknown('it did not say') })).toEqual(['warn read-only']);
  });

  test('what is not known is a sentence of its own, whoever gave the reason', () => {
    const why = 'the socket needs level operator; level admin does';
    for (const traits of [{ algorithm: unknown(why) }, { mode: unknown(why) }])
      expect(controllability({ ...fine, ...traits }, web)).toMatchObject([{ why: `${why}.` }]);
  });

  test('random is let through with a warning', () => {
    expect(severities({ algorithm: known('random') })).toEqual(['warn algorithm']);
  });

  test('unknown is never supported: mode and algorithm are refused, the rest is named once per reason', () => {
    const why = unknown('haproxy.cfg was not given');
    expect(severities({ mode: why, algorithm: why })).toEqual(['refuse mode', 'refuse algorithm']);
    const findings = controllability(
      { ...fine, stickiness: why, retryOn: why, abortOnClose: why, bypasses: why, attemptMsMax: why },
      web,
    );
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      severity: 'warn',
      what: 'unknown: stickiness, retry-on, option abortonclose, rules such as use-server, the time-outs',
    });
  });

  const cases: readonly (readonly [string, Partial<BackendTraits>])[] = [
    ['refuse mode', { mode: known('tcp') }],
    ['refuse stickiness', { stickiness: known('cookie') }],
    ['refuse stickiness', { stickiness: known('stick-table') }],
    ['warn retry-on', { retryOn: known(['conn-failure', '503']) }],
    ['warn retry-on', { retryOn: known(['all-retryable-errors']) }],
    ['warn abort-on-close', { abortOnClose: known(true) }],
    ['refuse use-server', { bypasses: known(['use-server web-2', 'use-server elsewhere']) }],
    ['refuse use-server', { bypasses: known(['use-server %[req.hdr(x-server)]']) }],
    ['warn persist', { bypasses: known(['option persist', 'force-persist']) }],
    ['warn prefer-last-server', { bypasses: known(['option prefer-last-server']) }],
    ['warn set-status', { bypasses: known(['http-response set-status', 'http-after-response set-status']) }],
  ];
  test.each(cases)('%s: %o', (expected, traits) => {
    expect(severities(traits)).toEqual([expected]);
  });

  test('a rule that picks a server of neither group takes nothing from the share', () => {
    expect(severities({ bypasses: known(['use-server elsewhere']) })).toEqual([]);
  });

  test('what passes by the weights is named, each with its effect and what to do', () => {
    const rules = ['use-server web-1', 'force-persist', 'http-response set-status'];
    const findings = controllability({ ...fine, bypasses: known(rules) }, web);
    expect(findings.map(({ what }) => what)).toEqual(rules);
    for (const { why, remedy } of findings) expect([why, remedy]).not.toContain('');
  });

  test('a hash is one finding, not two', () => {
    expect(severities({ algorithm: known('uri'), stickiness: known('hash') })).toEqual(['refuse algorithm']);
  });

  test.each([
    ['backup', 'refuse'],
    ['track', 'refuse'],
    ['agent-check', 'refuse'],
    ['server-template', 'warn'],
    ['not-in-configuration', 'warn'],
    ['slowstart', 'warn'],
    ['observe', 'warn'],
    ['maxconn', 'warn'],
  ])('a server with %s: %s, by name', (feature, severity) => {
    const [finding, ...others] = controllability(fine, [...web, { name: 'web-2', features: [feature] }]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: feature, severity });
    expect(finding?.what).toContain('web-2');
    expect(finding?.what).not.toContain('web-1');
  });

  test("a server's cookie alone is inert, and many names are abridged", () => {
    expect(severities({}, ['cookie'])).toEqual([]);
    const many = Array.from({ length: 60 }, (_, index) => ({ name: `b${index}`, features: ['backup'] }));
    expect(controllability(fine, many)[0]?.what).toBe('backup servers: b0, b1, b2, b3, b4 and 55 more');
  });
});
