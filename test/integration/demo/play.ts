import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { differences } from '../../docs/page.ts';
import { findMarked } from '../local/marked.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');

let mark = '';
/** Where the demo makes its own directory; anew for each test. */
export let directory = '';

/** Nothing of a demo runs on after a test. */
export function endingWithNothingLeft(): void {
  beforeEach(async () => {
    mark = randomUUID();
    directory = await mkdtemp(join(tmpdir(), 'drover-test-of-demo-'));
  });
  afterEach(async () => {
    const left = running();
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    await rm(directory, { recursive: true, force: true });
    expect(left, 'processes of the demo are left').toEqual([]);
  });
}

export function running(): ReturnType<typeof findMarked> {
  return findMarked(mark);
}

export async function playsWell(balancer: 'haproxy' | 'embedded'): Promise<void> {
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
}

export type Started = {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout(): string;
  stderr(): string;
};

export function start(args: readonly string[], verb = 'demo', cwd = directory): Started {
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

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error('it did not come to that');
}
