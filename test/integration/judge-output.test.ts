import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkout } from '../../scripts/test/child.ts';

const recording = `seconds,origin_requests,origin_failures,destination_requests,destination_failures
1,900,0,100,1
2,900,0,100,40
`;

/** `drover judge - --json` with its output there; how it ended and what it complained of. */
async function judgeInto(stdout: number | 'pipe', afterStart: (child: ReturnType<typeof spawn>) => void = () => {}) {
  const child = spawn(process.execPath, [join(checkout, 'src/main.ts'), 'judge', '-', '--json'], {
    stdio: ['pipe', stdout, 'pipe'],
  });
  afterStart(child);
  child.stdin?.on('error', () => {});
  child.stdin?.end(recording);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = child.stderr === null ? '' : await text(child.stderr);
  return { exitCode: await ended, stderr };
}

describe('an output that cannot be written', () => {
  test.runIf(existsSync('/dev/full'))(
    'on a full disk: one line that says so, and exit 1 whatever the verdict',
    async () => {
      const full = openSync('/dev/full', 'w');
      const { exitCode, stderr } = await judgeInto(full);
      closeSync(full);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^drover: the output cannot be written: ENOSPC.*\n$/);
    },
  );

  test('a page for which there is no room: exit 1 with its name, and the old page stays whole', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'drover-page-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'windows.csv'), recording);
    await writeFile(join(directory, 'page.html'), 'old');
    const main = join(checkout, 'src/main.ts');
    const words = ['--fsize=2000', process.execPath, main, 'judge', 'windows.csv', '--html', 'page.html'];
    const child = spawn('prlimit', words, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await ended).toBe(1);
    expect(stdout).toMatch(/^roll back after 2 s: /m);
    expect(stderr).toMatch(/^drover: page\.html cannot be written: .*\n {2}name a file that can be written\n$/);
    expect(await readFile(join(directory, 'page.html'), 'utf8')).toBe('old');
    expect((await readdir(directory)).sort()).toEqual(['page.html', 'windows.csv']);
  });

  test('a reader that has gone away is no error, and the verdict is still the exit status', async () => {
    const { exitCode, stderr } = await judgeInto('pipe', (child) => child.stdout?.destroy());
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
  });
});
