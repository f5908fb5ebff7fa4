import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { checkout, kill, leftovers, run } from '../../scripts/test/child.ts';
import { isAlive } from './proc.ts';

test('a step passes on its exit code', async () => {
  expect(await run('node', ['-e', 'process.exit(7)'])).toBe(7);
  expect(await run('node', ['-e', ''])).toBe(0);
});

test('a command that cannot be started has failed', async () => {
  expect(await run('no-such-command-of-drover', [])).toBe(1);
});

test.runIf(process.platform === 'linux')(
  'a process that a step leaves behind is found, even in a session of its own',
  async () => {
    const idle = 'setInterval(() => {}, 1000)';
    const script = `require('node:child_process').spawn('node', ['-e', '${idle}'], { detached: true, stdio: 'ignore' }).unref()`;
    expect(await run('node', ['-e', script])).toBe(0);
    const left = await leftovers();
    expect(left.map(({ command }) => command)).toEqual([`node -e ${idle}`]);
    for (const { pid } of left) kill(pid);
    expect(await leftovers()).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')(
  'what runs behind others yields to them, writes into its file, and leaves its own behind',
  async () => {
    const output = join(await freshFolder(), 'output');
    const idle = 'setInterval(() => {}, 2000)';
    const script = `console.log(os.getPriority());
    child_process.spawn('node', ['-e', '${idle}'], { detached: true, stdio: 'ignore' }).unref();
    process.exit(3)`;
    expect(await run('node', ['-e', script], { step: 'behind', behind: output })).toBe(3);
    expect(await readFile(output, 'utf8')).toBe('19\n');
    expect(await leftovers('another step')).toEqual([]);
    const left = await leftovers('behind');
    expect(left.map(({ command }) => command)).toEqual([`node -e ${idle}`]);
    for (const { pid } of left) kill(pid);
  },
);

describe.runIf(process.platform === 'linux')('an interrupted test command', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'ends what runs on %s, however stubborn, begins nothing more, and says how it ended',
    async (signal, code) => {
      const folder = await freshFolder();
      const child = await start(
        folder,
        `import { endEverything, run } from ${moduleAt('test', 'child.ts')};
       import { writeFileSync } from 'node:fs';
       const unlessInterrupted = endOnSignals(endEverything);
       void run('node', ['-e', 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)']);
       await run('node', ['-e', 'setInterval(() => {}, 1000)']);
       await unlessInterrupted();
       writeFileSync(${JSON.stringify(join(folder, 'next'))}, 'a step more');`,
      );
      const stubborn = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
      const ended = once(child, 'exit');
      child.kill(signal);
      // Asked again, it neither begins anew nor leaves the first end half done.
      child.kill(signal);
      expect(await ended).toEqual([code, null]);
      expect(isAlive(stubborn)).toBe(false);
      expect(await readdir(folder)).not.toContain('next');
    },
  );

  test('leaves no half of what it was fetching, and no apt at work', async () => {
    const folder = await freshFolder();
    const [cache, apt] = [join(folder, 'cache'), join(folder, 'bin', 'apt-get')];
    await mkdir(join(folder, 'bin'));
    await writeFile(apt, `#!/bin/sh\necho half > half\necho $$ > '${join(folder, 'pid')}'\nexec sleep 60\n`, {
      mode: 0o755,
    });
    const child = await start(
      folder,
      `import { fetchProgram } from ${moduleAt('fetch', 'debian.ts')};
       const stop = new AbortController();
       let fetched = Promise.resolve();
       endOnSignals(async () => { stop.abort(); await fetched; });
       process.env.PATH = ${JSON.stringify(dirname(apt))} + ':' + process.env.PATH;
       const wanted = { package: 'none', program: 'usr/sbin/none-of-drover', probe: [], cache: ${JSON.stringify(join(cache, 'none'))} };
       fetched = fetchProgram(wanted, () => {}, stop.signal).then(() => {}, () => {});`,
    );
    const pid = await vi.waitFor(() => writtenPid(join(folder, 'pid')), { timeout: 30_000 });
    const [stage = ''] = await readdir(cache);
    expect(await readdir(join(cache, stage))).toContain('half');
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect(await readdir(cache)).toEqual([]);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 30_000 });
  });
});

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-command-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function writtenPid(path: string): Promise<number> {
  const content = await readFile(path, 'utf8');
  expect(content).toMatch(/^\d+\n$/);
  return Number(content);
}

/** The path of a module of `scripts`, as source. */
function moduleAt(...path: readonly string[]): string {
  return JSON.stringify(join(checkout, 'scripts', ...path));
}

/** A program of this source, which has endOnSignals. */
async function start(folder: string, source: string): Promise<ChildProcessByStdio<null, Readable, null>> {
  const script = join(folder, 'interrupted.ts');
  await writeFile(script, `import { endOnSignals } from ${moduleAt('interruption.ts')};\n${source}`);
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
