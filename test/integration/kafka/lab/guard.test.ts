import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { startCluster } from './cluster.ts';
import { openGuard } from './guard.ts';

const waiting = { timeout: 60_000, interval: 100 };

test('closed, it ends what bears its mark and nothing else, and removes the folder', async () => {
  const [guard, other] = [await openGuard(), await openGuard()];
  const idle = ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'];
  const start = (environment: Readonly<Record<string, string>>) =>
    spawn(process.execPath, idle, { detached: true, stdio: 'ignore', env: { ...process.env, ...environment } });
  const [marked, stopped, foreign] = [start(guard.environment), start(guard.environment), start(other.environment)];
  await vi.waitFor(() => expect(processesOf(guard.folder)).toHaveLength(2), waiting);
  stopped.kill('SIGSTOP');
  const ends = [once(marked, 'exit'), once(stopped, 'exit')];
  await guard.close();
  expect(await Promise.all(ends)).toEqual([
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  expect(existsSync(guard.folder)).toBe(false);
  expect(processesOf(other.folder)).toEqual([foreign.pid]);
  await other.close();
  expect(existsSync(other.folder)).toBe(false);
});

test('a test run that is killed with -9 leaves no broker, no tool and no folder', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'cluster.ts'));
  const source = `import { startCluster } from ${module};
    const cluster = await startCluster({ version: '2.8.2', brokers: 1 });
    console.log(cluster.folder);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await once(child.stdout, 'data');
  const folder = String(printed).trim();
  expect(existsSync(folder)).toBe(true);
  // The broker and its ZooKeeper.
  expect(processesOf(folder)).toHaveLength(2);
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(existsSync(folder)).toBe(false), waiting);
  expect(processesOf(folder)).toEqual([]);
});

test('a cluster that cannot start says why, and leaves nothing', async () => {
  const before = labProcesses();
  const wrong = { 'log.segment.bytes': 'many' };
  await expect(startCluster({ version: '4.3.1', brokers: 1, properties: wrong })).rejects.toThrow('log.segment.bytes');
  expect(labProcesses().filter((pid) => !before.includes(pid))).toEqual([]);
});

function processesOf(folder: string): number[] {
  return processesWith((variable) => variable === `DROVER_KAFKA_LAB=${folder}`);
}

function labProcesses(): number[] {
  return processesWith((variable) => variable.startsWith('DROVER_KAFKA_LAB='));
}

/** Living ones, read from /proc without the guard's code. */
function processesWith(wanted: (variable: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => contentOf(pid, 'environ').some(wanted) && contentOf(pid, 'cmdline').join('') !== '')
    .map(Number);
}

function contentOf(pid: string, file: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    // It ended meanwhile, or belongs to somebody else.
    return [];
  }
}
