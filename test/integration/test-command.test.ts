import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkout, kill, leftovers, run } from '../../scripts/test/child.ts';

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
  'an interrupted test command ends what it runs, and says how it ended',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'drover-test-command-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const script = join(folder, 'interrupted.ts');
    const source = JSON.stringify(join(checkout, 'scripts', 'test', 'child.ts'));
    await writeFile(
      script,
      `import { endEverything, run } from ${source};
     process.once('SIGINT', () => void endEverything().then(() => process.exit(130)));
     await run('node', ['-e', 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)']);`,
    );
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const stubborn = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(await commandOf(stubborn)).toBe('');
  },
);

/** Empty for a process that has ended, whether or not its parent has noticed. */
function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
}
