import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isAlive } from './proc.ts';

const checkout = join(import.meta.dirname, '..', '..');

type Ran = { readonly status: number | string | null; readonly out: string; readonly err: string };

function bench(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/bench.ts', ...args], { cwd: checkout }, (error, out, err) =>
      resolve({ status: error === null ? 0 : (error.code ?? null), out, err }),
    );
  });
}

describe('npm run bench', () => {
  test('without a name it lists every bench and runs none', async () => {
    const { status, out } = await bench();
    expect(status).toBe(0);
    for (const file of globSync('bench/*.ts', { cwd: checkout })) expect(out).toContain(`${basename(file, '.ts')}\n`);
    expect(out).not.toContain('machine:');
  });

  test('a run says how to repeat it, on what, of which code and under which load', async () => {
    const { status, out } = await bench('judge-promotion', 'good-10', '--reported-runs', '3');
    expect(status).toBe(0);
    expect(out).toMatch(/^npm run bench -- judge-promotion good-10 --runs 20000 --reported-runs 3 --seed 1$/m);
    expect(out).toMatch(/^machine: \d+ × .+\ncommit: .+\nload: .+ before$/m);
    expect(out).toMatch(/^\| good-10 .+\| 3 +\| 3 /m);
    expect(out).toMatch(/^load: .+ after; took .+$/m);
  });

  test('the same line gives the same figures', async () => {
    const table = ({ out }: Ran) => out.split('\n').filter((line) => line.startsWith('|'));
    const [one, other] = [await runs('7'), await runs('7')];
    expect(table(one)).toEqual(table(other));
    expect(table(one)).not.toEqual(table(await runs('8')));
  });

  test('a goal that is missed makes the exit status 2, and is told in capitals', async () => {
    const { status, out } = await bench('judge-detection', '10x-late-r0-2', '--runs', '3', '--seed', '1');
    expect(out).toMatch(/^(met {3}|MISSED) {2}10x-late-r0-2: median ≤ 25 s: /m);
    expect(status).toBe(out.includes('MISSED') ? 2 : 0);
  });

  test.each([
    [['no-such-bench'], /^bench: there is no bench no-such-bench; there are .*judge-promotion/],
    [['judge-promotion', 'no-such-case'], /^bench: judge-promotion has no case no-such-case; there are .*good-10/],
    [['judge-promotion', '--runs', 'many'], /^bench: --runs takes a number, not "many"/],
    [['kafka-copy', '--all', '7'], /^bench: kafka-copy has no case 7; there are none-16/],
    [['judge-promotion', '--no-such-option'], /^bench: .*--no-such-option/],
  ])('%j is told in one line, with what there is', async (args, said) => {
    const { status, out, err } = await bench(...args);
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(said);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});

test('a bench of real traffic that is interrupted ends its instances, its balancer and its users, and removes its files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'drover-interrupted-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['scripts/bench.ts', 'share', 'embedded'], {
    cwd: checkout,
    env: { ...process.env, TMPDIR: directory },
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pids = await vi.waitFor(
    () => {
      const found = startedIn(directory);
      expect(found.length).toBeGreaterThan(1);
      return found;
    },
    { timeout: 30_000, interval: 100 },
  );
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(readdirSync(directory)).toEqual([]);
  expect(pids.filter(isAlive)).toEqual([]);
});

/** Pids of the instances and of the balancer, by Drover's records. */
function startedIn(directory: string): number[] {
  return globSync('*/.drover/{local/*/instance-*.json,balancers/*.running}', { cwd: directory }).flatMap((file) => {
    const pid = /"pid":\s*(\d+)/.exec(readFileSync(join(directory, file), 'utf8'))?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}

function runs(seed: string): Promise<Ran> {
  return bench('judge-detection', '10x-r0-1', '--runs', '20', '--seed', seed);
}
