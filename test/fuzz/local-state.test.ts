import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PortError } from '../../src/engine/ports.ts';
import type { InstanceRecord } from '../../src/io/provider/local/lifecycle.ts';
import { groupOfFolder, groupPaths, tokenIndex } from '../../src/io/provider/local/paths.ts';
import { listeningInodes, parseProcessStat, parseUptime, variableIn } from '../../src/io/provider/local/proc.ts';
import { parseInstance, parseWanted } from '../../src/io/provider/local/records.ts';
import { cut, damagedText, hostileText, place, someDamage } from './damage.ts';
import { damagedJson, jsonDamage } from './json.ts';
import { runs } from './runs.ts';

const file = '/state/local/query.origin/instance-3.json';
const prefix = 'store/query.origin/';
const process = { pid: 77, startTicks: 5, bootId: 'boot' };
const common = {
  version: 1,
  index: 3,
  token: `${prefix}3/one`,
  build: 'b',
  startedAtMs: 1,
  restarts: 0,
  streak: 0,
  note: null,
};
const phases: readonly InstanceRecord['phase'][] = [
  { kind: 'waiting', startAfterMs: 5, restart: false, startFailed: true },
  { kind: 'claimed', restart: true, process: null },
  { kind: 'running', process },
  { kind: 'stopping', process, sinceMs: 7, termAtMs: null },
];
const instances = phases.map((phase) => ({ ...common, phase }));
const wanted = { version: 1, min: 1, desired: 3, declaredMin: 1 };

function unlessRefused<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    expect(error).toBeInstanceOf(PortError);
    if (error instanceof PortError) expect(['corrupt', 'newer-version', 'protocol']).toContain(error.code);
    expect(String(error).length).toBeLessThan(2000);
    return null;
  }
}

describe("the local provider's files", () => {
  test('property: a file that is cut is refused, at any of its bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...instances), place, (record, where) => {
        expect(unlessRefused(() => parseInstance(file, cut(JSON.stringify(record), where), 3, prefix))).toBeNull();
        expect(unlessRefused(() => parseWanted(file, cut(JSON.stringify(wanted), where)))).toBeNull();
      }),
      runs(300),
    );
  });

  test('property: a damaged file is read as what it says, within what Drover writes, or refused', () => {
    const text = (value: object) =>
      fc.oneof(
        jsonDamage.map((damage) => damagedJson(value, damage)),
        someDamage.map((damage) => damagedText(JSON.stringify(value), damage)),
      );
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...instances).chain(text), text(wanted), (record, group) => {
        const instance = unlessRefused(() => parseInstance(file, record, 3, prefix));
        if (instance !== null) {
          read += 1;
          expect({ version: 1, ...instance }).toEqual(JSON.parse(record));
          expect(instance.token.startsWith(prefix)).toBe(true);
          // A pid of 1 or below would be signalled as everybody, or as the first process of the machine.
          if (instance.phase.kind === 'running') expect(instance.phase.process.pid).toBeGreaterThan(1);
        }
        const size = unlessRefused(() => parseWanted(file, group));
        if (size === null) return;
        expect({ version: 1, ...size }).toEqual(JSON.parse(group));
        expect(size.desired >= size.min && size.desired <= 10_000).toBe(true);
      }),
      runs(1000),
    );
    expect(read).toBeGreaterThan(50);
  });

  test('property: a folder is a group whose folder is called so, or nobody’s', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.string({ unit: 'binary' })), (folder) => {
        const name = groupOfFolder(folder);
        if (name !== null) expect(encodeURIComponent(name)).toBe(folder);
      }),
      runs(500),
    );
    expect([groupOfFolder('%zz'), groupOfFolder('%2e'), groupOfFolder('query.origin')]).toEqual([
      null,
      null,
      'query.origin',
    ]);
  });

  test('property: a token is one of this group with its number, or none', () => {
    const paths = groupPaths('/state', 'query.origin');
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.nat().map(String)), hostileText, (index, rest) => {
        const found = tokenIndex(paths, `${paths.tokenPrefix}${index}/${rest}`);
        if (found !== null) expect(found).toBe(Number(index));
        expect(tokenIndex(paths, `${rest}${index}`)).toBeNull();
      }),
      runs(300),
    );
  });

  test.each([
    ['more than any configuration allows', { desired: 9_007_199_254_740_991 }, 'desired'],
    ['fewer than its minimum', { min: 5 }, 'desired'],
  ])('a wish for %s instances is no wish', (_, change, field) => {
    const refused = unlessRefused(() => parseWanted(file, JSON.stringify({ ...wanted, ...change })));
    expect(refused).toBeNull();
    expect(() => parseWanted(file, JSON.stringify({ ...wanted, ...change }))).toThrow(field);
  });
});

const stat =
  '77 (node (x) 7) S 1 70 71 0 -1 4194304 1000 0 0 0 12 3 0 0 20 0 11 0 445566 734003200 9000 18446744073709551615 1 1 0 0 0';

describe('/proc', () => {
  test('is read as Linux writes it, whatever a program is called', () => {
    expect(parseProcessStat(stat)).toEqual({ group: 70, session: 71, startTicks: 445_566 });
    expect(parseProcessStat(stat.replace(') S', ') Z'))).toBeNull();
    expect(parseProcessStat(stat.replace(' 734003200 ', ' 0 '))).toBeNull();
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.constantFrom(') Z 1 ', ') S 1 2 3', '))', '\n) S')), (name) => {
        expect(parseProcessStat(stat.replace('node (x) 7', () => name))).toEqual(parseProcessStat(stat));
      }),
      runs(200),
    );
  });

  test('property: a cut or damaged line gives what it says, or an error; never another start or nobody', () => {
    fc.assert(
      fc.property(place, (where) => {
        const found = unlessRefused(() => parseProcessStat(cut(stat, where)));
        if (found !== null) expect(found).toEqual(parseProcessStat(stat));
      }),
      runs(300),
    );
    fc.assert(
      fc.property(someDamage, (damage) => {
        const found = unlessRefused(() => parseProcessStat(damagedText(stat, damage)));
        for (const value of Object.values(found ?? {})) expect(Number.isSafeInteger(value)).toBe(true);
      }),
      runs(500),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          someDamage.map((damage) => damagedText('12345.67 8910.11\n', damage)),
        ),
        (text) => {
          const ticks = unlessRefused(() => parseUptime(text));
          if (ticks !== null) expect(Number.isSafeInteger(ticks) && ticks >= 0).toBe(true);
        },
      ),
      runs(300),
    );
    expect(parseUptime('12345.67 8910.11\n')).toBe(1_234_567);
  });

  test('property: a variable is the whole of its first line, and only a listening socket is one', () => {
    const value = fc.string().filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(value, fc.array(value), (token, others) => {
        const around = others.map((other) => `X${other}`);
        const environ = [...around, `DROVER_TOKEN=${token}`, 'DROVER_TOKEN=second', ''].join('\0');
        expect(variableIn(environ, 'DROVER_TOKEN')).toBe(token);
        expect(variableIn(around.join('\0'), 'DROVER_TOKEN')).toBeNull();
      }),
      runs(200),
    );
    const row = (local: string, state: string) =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0`;
    const table = `  sl  local_address\n${row('0100007F:1F90', '0A')}\n${row('0100007F:01F9', '0A')}\n${row('0100007F:1F90', '01')}\n`;
    expect([listeningInodes(table, 8080), listeningInodes(table, 505), listeningInodes(table, 1)]).toEqual([
      ['4711'],
      ['4711'],
      [],
    ]);
    fc.assert(
      fc.property(someDamage, (damage) => {
        for (const inode of listeningInodes(damagedText(table, damage), 8080)) expect(inode).toMatch(/^\d+$/);
      }),
      runs(300),
    );
  });
});
