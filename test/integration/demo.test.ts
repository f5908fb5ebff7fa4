import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fetchHaproxy } from '../../scripts/fetch/haproxy.ts';
import { differences } from '../docs/page.ts';
import { findMarked } from './local/marked.ts';

const program = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

let mark = '';
let directory = '';

beforeAll(async () => {
  // The demo takes it from the cache of the checkout.
  await fetchHaproxy();
});

beforeEach(async () => {
  mark = randomUUID();
  directory = await mkdtemp(join(tmpdir(), 'drover-demo-test-'));
});

afterEach(async () => {
  const left = findMarked(mark);
  for (const { pid } of left) process.kill(pid, 'SIGKILL');
  await rm(directory, { recursive: true, force: true });
  expect(left, 'processes of the demo are left').toEqual([]);
});

describe('the demo', () => {
  test.each(['haproxy', 'embedded'])(
    'every claim holds with %s, and nothing is left',
    { timeout: 420_000 },
    async (balancer) => {
      const demo = start(['--fast', '--json', '--balancer', balancer]);
      const code = await demo.ended;
      const { ok, claims }: { ok: boolean; claims: { name: string; holds: boolean; found: string }[] } = JSON.parse(
        demo.stdout(),
      );
      expect(differences('demo.md', 'demo', JSON.parse(demo.stdout()))).toEqual([]);
      expect(
        claims.filter((claim) => !claim.holds),
        demo.stderr(),
      ).toEqual([]);
      expect({ ok, code, claims: claims.length }).toEqual({ ok: true, code: 0, claims: 11 });
      expect(await readdir(directory)).toEqual([]);
    },
  );

  test('interrupted in the middle, it ends everything that it had started', { timeout: 120_000 }, async () => {
    const demo = start(['--fast', '--balancer', 'embedded']);
    await until(() => demo.stdout().includes('step 1: judging'));
    demo.child.kill('SIGINT');
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain('everything that it had started was ended');
    expect(await readdir(directory)).toEqual([]);
  });

  test('a story that ends differently is an error, not a success', { timeout: 120_000 }, async () => {
    const demo = start(['--fast', '--balancer', 'embedded', '--keep', join(directory, 'demo')]);
    await until(() => demo.stdout().includes('step 1: judging'));
    const back = start(['--reason', 'somebody had a doubt'], 'back', join(directory, 'demo'));
    expect(await back.ended).toBe(2);
    expect(await demo.ended).toBe(1);
    expect(demo.stderr()).toContain('drover apply ended with 2');
  });
});

type Started = {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
};

function start(args: readonly string[], verb = 'demo', cwd = directory): Started {
  const child = spawn(process.execPath, [program, verb, ...args], {
    cwd,
    env: { ...process.env, MARK: mark, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]: (number | null)[]) => code ?? null);
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return;
    await sleep(100);
  }
  throw new Error('it did not come to that');
}
