import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { directoryForEach } from '../made/context.ts';
import { header, type Ran, run } from './run-verb.ts';

const place = directoryForEach();
let directory: string;
let out: string;
beforeEach(() => {
  directory = place.path;
  out = join(directory, 'out.html');
});

/** The page of these rows; `options` of the judge. */
async function drawn(rows: readonly string[], ...options: readonly string[]): Promise<{ page: string; ran: Ran }> {
  const ran = await run(['--html', out, ...options, '-'], [`${[header, ...rows].join('\n')}\n`]);
  if (ran.error !== null) throw ran.error;
  return { page: readFileSync(out, 'utf8'), ran };
}

const few = ['1,900,1,100,0', '2,900,0,100,2'];

describe('the page', () => {
  test.each([
    ['worse.csv', [], 2, 'Roll back after'],
    ['equal.csv', [], 0, 'Promote after'],
    ['quiet.csv', ['--objective', '0.01'], 3, 'Not enough evidence after'],
  ] as const)(
    'of %s %j says the verdict that the verb gives, with its figures',
    async (file, options, code, headline) => {
      const { lines, exitCode } = await run([file, '--html', out, ...options]);
      const page = readFileSync(out, 'utf8');
      expect(exitCode).toBe(code);
      expect(page).toContain(`<title>${headline}`);
      const last = lines.at(-1) ?? '';
      const counts = [...last.matchAll(/(\d+) of (\d+) failed/g)].map(([, some, all]) => [Number(some), Number(all)]);
      expect(counts).toHaveLength(2);
      for (const [some = 0, all = 0] of counts) {
        expect(page).toContain(`${some.toLocaleString('en')} of ${all.toLocaleString('en')} requests`);
      }
    },
  );

  test('shows both kinds of evidence against their thresholds, and the absolute ones where there is an objective', async () => {
    const without = words((await drawn(few)).page);
    expect(without).toContain('roll back at 6.91 = ln(1/α), α = 0.001');
    expect(without).toContain('promote at 4.61 = ln(1/β), β = 0.01');
    expect(without).not.toContain('absolute');
    const withOne = words((await drawn(few, '--objective', '0.5', '--alpha', '0.01')).page);
    expect(withOne).toContain('roll back at 5.30 = ln(2/α), α = 0.01');
    expect(withOne).toContain('absolute, against the objective');
    expect(withOne).toContain('objective, 50 %');
  });

  test('is complete in itself: it loads nothing and runs nothing', async () => {
    const { page } = await drawn(few, '--objective', '0.5');
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|\bhref=|url\(|@import|https?:|\bon\w+=/i);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  test('has a title and a description for each picture, and no id twice', async () => {
    const { page } = await drawn(few);
    const ids = [...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id);
    const named = [...page.matchAll(/aria-(?:labelledby|describedby)="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(named)).toEqual(new Set(ids));
    expect(named).toHaveLength(4);
    expect(page).toMatch(/<desc id="wide-description">Not enough evidence: .*Four panels/);
  });

  test('of no windows has nothing to draw, and says so', async () => {
    const { page, ran } = await drawn([]);
    expect(ran.exitCode).toBe(3);
    expect(page).not.toContain('<svg');
    expect(words(page)).toContain('there are no windows');
    expect(unbalanced(page)).toEqual([]);
  });

  test('of one window, also one that ends at second 0, has lines that are somewhere', async () => {
    for (const row of ['0,900,1,100,0', '1,900,1,100,0', '5,0,0,0,0', '5,9,9,0,0']) {
      const { page } = await drawn([row], '--objective', '0.01');
      expect(page).not.toMatch(/NaN|Infinity|undefined|null/);
      expect(page).toContain('1 window<');
    }
  });

  test('is the same for the same recording', async () => {
    expect((await drawn(few)).page).toBe((await drawn(few)).page);
  });
});

describe('the name of the recording', () => {
  test.each([
    '</title><script>alert(1)</script>.csv',
    '"><img src=x onerror=alert(1)>.csv',
    "' onload='alert(1).csv",
    '--><svg onload=alert(1)>.csv',
    '&lt;b&gt;&amp;.csv',
    '{{7*7}}`$(id)`.csv',
    '\u202egpj.csv',
    'a\u001b[31m\u2028b\n.csv',
  ])('is text whatever it is: %j', async (name) => {
    const file = name.replaceAll('/', '\u2215').replace('\u2215', '<');
    mkdirSync(join(directory, 'in'));
    writeFileSync(join(directory, 'in', file), [header, ...few, ''].join('\n'));
    writeFileSync(join(directory, 'in', 'plain.csv'), [header, ...few, ''].join('\n'));
    const { error } = await run([join(directory, 'in', file), '--html', out]);
    expect(error).toBeNull();
    const page = readFileSync(out, 'utf8');
    await run([join(directory, 'in', 'plain.csv'), '--html', out]);
    expect(tags(page)).toEqual(tags(readFileSync(out, 'utf8')));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
  });

  test('a folder with markup in its name: no tag comes of it', async () => {
    const folder = join(directory, '<script>alert(1)<');
    mkdirSync(join(folder, 'script>'), { recursive: true });
    const file = join(folder, 'script>', 'x.csv');
    writeFileSync(file, [header, ...few, ''].join('\n'));
    await run([file, '--html', out]);
    expect(readFileSync(out, 'utf8')).not.toMatch(/<script/i);
  });
});

describe('the file', () => {
  test('is beside what is printed, which stays the same', async () => {
    const plain = await run(['worse.csv', '--json']);
    expect(await run(['worse.csv', '--json', '--html', out])).toEqual(plain);
    expect(await run(['worse.csv', '--html', out])).toEqual(await run(['worse.csv']));
    expect(readdirSync(directory)).toEqual(['out.html']);
  });

  test('that is there is written over, and a link to it stays a link', async () => {
    writeFileSync(join(directory, 'real.html'), 'old');
    symlinkSync('real.html', out);
    await run(['worse.csv', '--html', out]);
    expect(lstatSync(out).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(directory, 'real.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect(readdirSync(directory).sort()).toEqual(['out.html', 'real.html']);
  });

  test('stays as it was where the recording is bad', async () => {
    writeFileSync(out, 'old');
    const { error } = await run(['--html', out, '-'], [`${header}\n1,900,1,100,0\nx\n`]);
    expect(error?.message).toContain('<stdin>:3:1: ');
    expect(readFileSync(out, 'utf8')).toBe('old');
    expect(readdirSync(directory)).toEqual(['out.html']);
  });

  test.each(['same', 'symbolic', 'hard'])('that is the recording itself is left alone (%s)', async (link) => {
    const recording = join(directory, 'windows.csv');
    const text = [header, ...few, ''].join('\n');
    writeFileSync(recording, text);
    const other = join(directory, 'other.html');
    if (link === 'symbolic') symlinkSync(recording, other);
    if (link === 'hard') linkSync(recording, other);
    const name = link === 'same' ? recording : other;
    const { error, lines } = await run([recording, '--html', name]);
    expect(error).toMatchObject({
      message: `--html ${name} is the recording itself, and was left as it is`,
      remedy: 'name another file',
    });
    expect(lines).toEqual([]);
    expect(readFileSync(recording, 'utf8')).toBe(text);
  });

  test.each([
    ['in a directory that is not there', 'no/such/out.html', 'cannot be written: there is no directory', /^make it/],
    ['a directory', '.', 'cannot be written: what is there is not a file', /^name a file/],
    ['a device', '/dev/full', '/dev/full cannot be written: what is there is not a file', /^name a file/],
    ['a link to nothing', 'dangling.html', 'cannot be written: it is a link to what is not there', /^name a file/],
    ['in a file', 'file/out.html', 'cannot be written: ', /^name a file/],
  ])('%s: is refused before anything is read, with its name and what to do', async (_what, name, message, remedy) => {
    symlinkSync('nothing', join(directory, 'dangling.html'));
    writeFileSync(join(directory, 'file'), '');
    const before = readdirSync(directory);
    let read = false;
    const input = new Readable({
      read() {
        read = true;
        this.push(null);
      },
    });
    const place = name.startsWith('/') ? name : join(directory, name);
    const { error, exitCode } = await run(['--html', place, '-'], input);
    expect(error?.message).toContain(place);
    expect(error?.message).toContain(message);
    expect(error?.remedy).toMatch(remedy);
    expect({ read, exitCode }).toEqual({ read: false, exitCode: null });
    expect(readdirSync(directory)).toEqual(before);
  });

  test.each(['-', ''])('%j is no file', async (name) => {
    expect((await run(['--html', name, '-'])).error?.message).toMatch(/^--html: expected the name of a file, found /);
    expect(existsSync('-')).toBe(false);
  });
});

test('whatever was recorded and asked, every tag is closed and every number is one', async () => {
  const row = fc.record({
    step: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1e9 })),
    counts: fc.array(fc.oneof(fc.nat(3), fc.nat(2 ** 31)), { minLength: 4, maxLength: 4 }),
  });
  const probability = fc.constantFrom('5e-324', '1e-9', '0.01', '0.9', '0.9999999999999999');
  const options = fc.record({ alpha: probability, beta: probability, objective: fc.option(probability) });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 20 }), options, async (rows, { alpha, beta, objective }) => {
      let seconds = 0;
      const lines = rows.map(({ step, counts: [a = 0, b = 0, c = 0, d = 0] }) => {
        seconds += step;
        return [seconds, Math.max(a, b), Math.min(a, b), Math.max(c, d), Math.min(c, d)].join(',');
      });
      const given = ['--alpha', alpha, '--beta', beta, ...(objective === null ? [] : ['--objective', objective])];
      const { page } = await drawn(lines, ...given);
      expect(unbalanced(page)).toEqual([]);
      expect(page.slice(page.indexOf('<body>'))).not.toMatch(/NaN|Infinity|undefined|\d[eE][+]\d/);
    }),
    { numRuns: 150 },
  );
});

function tags(page: string): string[] {
  return [...page.matchAll(/<\/?[a-z!][^\s>]*/gi)].map(([tag]) => tag);
}

/** What is open where something else is closed, or at the end. */
function unbalanced(page: string): string[] {
  const open: string[] = [];
  for (const tag of tags(page)) {
    if (['<!doctype', '<meta'].includes(tag)) continue;
    if (!tag.startsWith('</')) open.push(tag.slice(1));
    else if (open.pop() !== tag.slice(2)) return [...open, tag];
  }
  return open;
}

/** The text that is to be read, with its entities resolved. */
function words(page: string): string {
  return page
    .slice(page.indexOf('<body>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}
