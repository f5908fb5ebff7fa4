import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { directoryForEach, runDrover } from '../made/context.ts';

const directory = directoryForEach();
const edges = `caller,callee,rate,kind
web,orders,120,hard
orders,stock,40,soft
orders,collector,900,telemetry
archive,
`;

function drover(words: readonly string[], stdin = '') {
  let ms = 0;
  return runDrover(['order', ...words], {
    directory: directory.path,
    stdin: Readable.from([Buffer.from(stdin)]),
    stderr: { write: () => undefined, terminal: null },
    clock: { now: () => 0, monotonic: () => (ms += 1), sleep: () => Promise.resolve() },
  });
}

async function order(words: readonly string[], text = edges) {
  await writeFile(join(directory.path, 'edges.csv'), text);
  return (await drover(['edges.csv', ...words])).text;
}

describe('drover order', () => {
  test('says what crosses after each move, and that it cannot be less', async () => {
    expect(await order([])).toBe(`   moves      then crosses
1  stock                40
2  orders              120
3  web                   0
4  archive               0
5  collector             0

5 services, 2 dependencies; 1 do not count (telemetry, or a service's own)
exposure 160, no order has less; peak 120
the search ended: it is the best order
`);
  });

  test('beside orders as people make them', async () => {
    expect(await order(['--compare', 'callee-first'])).toContain(
      '\ncallee-first: exposure 160, 1.00 times as much; peak 120\n',
    );
    expect(await order(['--compare', 'random'])).toMatch(
      /\nrandom: exposure \d+ \(median of 500; 160 to \d+\), \d\.\d\d times/,
    );
    await writeFile(join(directory.path, 'mine'), 'web\nstock\n\norders\ncollector\narchive\n');
    expect(await order(['--compare', 'mine'])).toContain('\nmine: exposure 280, 1.75 times as much; peak 160\n');
    await writeFile(join(directory.path, 'mine'), await order(['--json']));
    expect(JSON.parse(await order(['--json', '--compare', 'mine'])).compared).toEqual({
      with: 'mine',
      exposure: 160,
      peak: 120,
    });
  });

  test('an order that is none is refused', async () => {
    await writeFile(join(directory.path, 'mine'), 'web\nweb\nnobody\n');
    await expect(order(['--compare', 'mine'])).rejects.toThrow(
      'mine:2:1: "web" is there twice\nmine:3:1: "nobody" is none of the services\nmine: 4 services are missing, the first is "archive"',
    );
    await writeFile(join(directory.path, 'mine'), '{"order": 3}');
    await expect(order(['--compare', 'mine'])).rejects.toThrow('mine: expected "order" to be a list of names');
  });

  test('reads standard input, and ends with its time', async () => {
    const many = Array.from({ length: 400 }, (_, at) => `s${at % 60},s${(at * at * 7 + at) % 61}\n`).join('');
    const told = await drover(['-', '--json', '--seconds', '0.05'], `caller,callee\n${many}`);
    expect(JSON.parse(told.text)).toMatchObject({ stopped: 'time', optimal: false });
  });

  test('what is wrong is told with its place', async () => {
    await expect(order([], 'caller,callee\n,b\na,b,c\n')).rejects.toThrow(
      'edges.csv:2:1: the caller is missing\nedges.csv:3:5: expected 2 columns, found another',
    );
    await expect(drover(['gone.csv'])).rejects.toThrow('gone.csv: there is no such file');
    await writeFile(join(directory.path, 'latin'), Buffer.from([0x63, 0xe9]));
    await expect(drover(['latin'])).rejects.toThrow('latin: it is not UTF-8');
    await expect(order(['--seed', '-1'])).rejects.toThrow('--seed: expected a whole number, found -1');
    await expect(order(['--seconds', 'ten'])).rejects.toThrow('--seconds: expected a number of seconds, found ten');
  });
});
