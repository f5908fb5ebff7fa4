import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isAlive } from '../proc.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');

test('a small copy by all of them ends with a line of figures, and leaves nothing behind', async () => {
  const directory = temporary();
  const { status, out, err } = await new Promise<{ status: unknown; out: string; err: string }>((resolve) => {
    const args = ['scripts/bench.ts', 'kafka-copy', 'one-lz4-16', '--runs', '1', '--megabytes', '20'];
    const env = { ...process.env, TMPDIR: directory };
    execFile(process.execPath, args, { cwd: checkout, env }, (error, out, err) =>
      resolve({ status: error === null ? 0 : error.code, out, err }),
    );
  });
  expect(err).toBe('');
  expect(out).toMatch(/^npm run bench -- kafka-copy one-lz4-16 --runs 1 --megabytes 20 --seed 1$/m);
  for (const who of ['MirrorMaker 2', 'mover', 'relay', 'mover, one in flight'])
    expect(out).toContain(`one-lz4-16, run 1, ${who}: `);
  expect(out).toMatch(/^\| one-lz4-16 +\| \d+ KiB /m);
  expect(status).toBe(out.includes('MISSED') ? 2 : 0);
  expect(readdirSync(directory)).toEqual([]);
  expect(belongingTo(directory)).toEqual([]);
}, 300_000);

test('a bench of real brokers that is interrupted ends them, and removes their files', async () => {
  const directory = temporary();
  const child = spawn(process.execPath, ['scripts/bench.ts', 'kafka-copy', 'lz4-64'], {
    cwd: checkout,
    env: { ...process.env, TMPDIR: directory },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pids = await vi.waitFor(
    () => {
      const found = belongingTo(directory);
      expect(found.length).toBeGreaterThan(1);
      return found;
    },
    { timeout: 60_000, interval: 100 },
  );
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(readdirSync(directory)).toEqual([]);
  expect(pids.filter(isAlive)).toEqual([]);
}, 120_000);

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'drover-kafka-bench-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Whatever runs in a laboratory whose folder is in there. */
function belongingTo(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`DROVER_KAFKA_LAB=${directory}`));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
