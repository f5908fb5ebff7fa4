import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExport } from '../../src/cli/back/exported-state.ts';
import { decodeText } from '../../src/config/decode.ts';
import { exampleConfig } from '../../src/config/example.ts';
import { headerProblem, parseRecordedRow, recordedColumns } from '../../src/core/judge/recorded.ts';
import { markerText } from '../../src/io/marker/file.ts';
import { fullFile, parse } from '../config/files.ts';
import { cut, damagedBytes, damagedText, hostileText, hostileTexts, place, someDamage } from './damage.ts';
import { damagedJson, jsonDamage } from './json.ts';
import { expectQuick, runs } from './runs.ts';

const exported = {
  ...{ operation: 'rollout-query-1', service: 'query', completed: false },
  balancers: [
    {
      ...{ backend: 'query', destination: 'vpc-*' },
      balancer: { kind: 'haproxy', name: 'edge', sockets: ['/run/a.sock', '10.0.0.1:99'], configFile: null },
    },
    {
      ...{ backend: 'query', destination: 'vpc-*' },
      balancer: { kind: 'embedded', name: 'inner', listen: '127.0.0.1:80', socket: '/run/b.sock', carries: 'origin' },
    },
  ],
  asFound: {
    'edge/query': {
      'classic-1': { side: 'origin', weight: 100, admin: 'ready' },
      'vpc-1': { side: 'destination', weight: 0, admin: 'maint' },
    },
  },
};
const exportedText = `${JSON.stringify(exported, null, 2)}\n`;

function exportOr(text: string) {
  try {
    return parseExport(text, 'rollout-query-1');
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(message.length > 0 && message.length < 500 && !/[\n\p{Cc}]/u.test(message)).toBe(true);
    return null;
  }
}

describe('the exported state of a rollout', () => {
  test('is read as it was written', () => expect(exportOr(exportedText)).toEqual(exported));

  test('property: a file that is cut is not used, at any of its bytes but the last line break', () => {
    for (let end = 0; end < exportedText.length - 2; end++) expect(exportOr(exportedText.slice(0, end))).toBeNull();
  });

  test('property: what is used has weights and states that a balancer takes, and is of the rollout of its name', () => {
    const text = fc.oneof(
      jsonDamage.map((damage) => damagedJson(exported, damage)),
      someDamage.map((damage) => damagedText(exportedText, damage)),
    );
    let used = 0;
    fc.assert(
      fc.property(text, (damaged) => {
        const found = exportOr(damaged);
        if (found === null) return;
        used += 1;
        expect(found.operation).toBe('rollout-query-1');
        for (const servers of Object.values(found.asFound)) {
          for (const { weight, admin, side } of Object.values(servers)) {
            expect(Number.isInteger(weight) && weight >= 0 && weight <= 256).toBe(true);
            expect([['ready', 'drain', 'maint'].includes(admin), ['origin', 'destination'].includes(side)]).toEqual([
              true,
              true,
            ]);
          }
        }
      }),
      runs(1000),
    );
    expect(used).toBeGreaterThan(30);
  });

  test.each([
    ['a weight that no balancer takes', exportedText.replace('100', '-5'), 'asFound.edge/query.classic-1.weight'],
    ['a copy under another name', exportedText.replace('rollout-query-1', '../../home/x'), 'not called so'],
    ['a name without end', exportedText.replace('rollout-query-1', 'x'.repeat(9000)), 'xxx", and not called so'],
    ['nothing', '\n', 'it is empty'],
  ])('%s is not used, and said', (_, text, why) => expect(() => parseExport(text, 'rollout-query-1')).toThrow(why));
});

test('property: a back marker counts whatever is in it, and is one line that commands no terminal', () => {
  const written = Buffer.from('alice, 2025-11-25T22:00:00.000Z\n');
  expect(markerText(written)).toBe('alice, 2025-11-25T22:00:00.000Z');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    hostileText.map((text) => Buffer.from(text)),
    someDamage.map((damage) => damagedBytes(written, damage)),
  );
  fc.assert(
    fc.property(bytes, (content) => {
      const text = markerText(content);
      expect(text).not.toBe('');
      expect(text).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }),
    runs(1000),
  );
});

const header = recordedColumns.join(',');

describe('recorded windows', () => {
  const count = fc.oneof({ weight: 9, arbitrary: fc.nat(9).map(String) }, { weight: 1, arbitrary: hostileText });
  const fields = fc.oneof(
    fc.tuple(count, count, fc.constantFrom('0', '1'), count, fc.constant('0')),
    fc.array(count, { maxLength: 7 }),
  );
  test('property: a row is taken as it stands, or refused at a column that it has', () => {
    let taken = 0;
    fc.assert(
      fc.property(fields, fc.option(fc.nat(9)), (cells, previous) => {
        const line = cells.join(',');
        const row = parseRecordedRow(line, previous);
        if ('what' in row) {
          expect(row.column >= 1 && row.column <= line.length + 1).toBe(true);
          expect(row.what.length < 300 && !/\p{Cc}/u.test(row.what)).toBe(true);
          return;
        }
        taken += 1;
        const { toSeconds, originAttempts, originFailures, destinationAttempts, destinationFailures } = row;
        const numbers = [toSeconds, originAttempts, originFailures, destinationAttempts, destinationFailures];
        expect(line.split(',').map(BigInt)).toEqual(numbers.map(BigInt));
        expect(originFailures <= originAttempts && destinationFailures <= destinationAttempts).toBe(true);
        expect(toSeconds).toBeGreaterThan(row.fromSeconds === 0 && previous === null ? -1 : row.fromSeconds);
      }),
      runs(2000),
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('property: only the header is the header', () => {
    expect(headerProblem(header)).toBeNull();
    fc.assert(
      fc.property(someDamage, (damage) => {
        const line = damagedText(header, damage);
        const problem = headerProblem(line);
        expect(problem === null).toBe(line === header);
      }),
      runs(500),
    );
  });

  test('a row made to cost time ends in proportion', () => {
    expectQuick(() => parseRecordedRow(','.repeat(1_000_000), null));
    expectQuick(() => parseRecordedRow(`1,${'9'.repeat(1_000_000)},1,1,1`, null));
  });
});

describe('drover.yaml', () => {
  test('property: bytes are UTF-8 text, or the place of the first that is not', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      someDamage.map((damage) => damagedBytes(Buffer.from(`${fullFile}# Grüße 💥\n`), damage)),
    );
    fc.assert(
      fc.property(bytes, (content) => {
        const decoded = decodeText(content);
        if (decoded.ok) return void expect(Buffer.from(decoded.text)).toEqual(Buffer.from(content));
        const lines = Buffer.from(content).toString('utf8').split('\n');
        expect(decoded.finding.line >= 1 && decoded.finding.line <= lines.length).toBe(true);
        expect(decoded.finding.column).toBeLessThanOrEqual((lines[decoded.finding.line - 1] ?? '').length + 1);
      }),
      runs(500),
    );
  });

  test('property: cut at any byte, or with one value that is another, it is a configuration in range or problems', () => {
    const values = [...fullFile.matchAll(/(?<=: |[[,] )[^\s,{}[\]]+/g)].map(({ index, 0: text }) => ({ index, text }));
    const replaced = fc
      .tuple(fc.constantFrom(...values), fc.constantFrom(...hostileTexts))
      .map(([{ index, text }, other]) => {
        const quoted = JSON.stringify(other);
        return fullFile.slice(0, index) + quoted + fullFile.slice(index + text.length);
      });
    const text = fc.oneof(
      replaced,
      fc.tuple(fc.constantFrom(fullFile, exampleConfig), place).map(([whole, where]) => cut(whole, where)),
    );
    let accepted = 0;
    fc.assert(
      fc.property(text, (file) => {
        const parsed = parse(file);
        if (!parsed.ok) return void expect(parsed.problems.length).toBeGreaterThan(0);
        accepted += 1;
        for (const { origin, destination, rollout, objective } of Object.values(parsed.config.services)) {
          for (const { size, capacityRps } of [origin, destination]) {
            if (size !== null) expect(size.min >= 0 && size.max >= size.min && size.max <= 10_000).toBe(true);
            if (capacityRps !== null) expect(Number.isFinite(capacityRps) && capacityRps > 0).toBe(true);
          }
          if (objective !== null) expect(objective.failureRate > 0 && objective.failureRate < 1).toBe(true);
          expect(Number.isFinite(rollout.attemptMsMax) && rollout.attemptMsMax > 0).toBe(true);
        }
        expect(Reflect.get({}, 'polluted')).toBeUndefined();
      }),
      runs(500),
    );
    expect(accepted).toBeGreaterThan(10);
  });
});
