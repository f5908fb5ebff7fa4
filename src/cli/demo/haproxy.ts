import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CliError } from '../context.ts';

/** Path of a HAProxy: on PATH (or in the sbin folders that a user's PATH often lacks), else in a checkout's cache; null: none. */
export async function findHaproxy(path: string | undefined): Promise<string | null> {
  const folders = [
    ...(path ?? '').split(delimiter).filter((one) => one !== ''),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
  ];
  const cached = fileURLToPath(new URL('../../../.cache/haproxy/haproxy', import.meta.url));
  for (const candidate of [...folders.map((folder) => join(folder, 'haproxy')), cached]) {
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

export type RunningHaproxy = { readonly version: string; stop(): Promise<void> };

/**
 * Ends when its standard input does: a demo that is killed takes its balancer along. In a session of its own, so that Ctrl-C
 * reaches the demo alone.
 */
const untilInputEnds = '"$@" & pid=$!; trap "kill $pid 2>/dev/null" EXIT; cat >/dev/null';
const startMsMax = 10_000;

export async function startHaproxy(program: string, directory: string): Promise<RunningHaproxy> {
  const child = spawn('/bin/sh', ['-c', untilInputEnds, 'drover-demo', program, '-db', '-f', 'haproxy.cfg'], {
    cwd: directory,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  const deadline = performance.now() + startMsMax;
  while (!(await isThere(join(directory, 'haproxy.sock')))) {
    if (/ALERT/.test(said) || performance.now() > deadline) {
      await stop();
      throw new CliError(
        `HAProxy did not start: ${said.trim() || 'it said nothing'}`,
        'or play without it: --balancer embedded',
      );
    }
    await sleep(20);
  }
  return { version: await versionOf(program), stop };
}

async function versionOf(program: string): Promise<string> {
  const child = spawn(program, ['-v'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(child, 'close');
  return /version (\d+\.\d+\.\d+)/.exec(text)?.[1] ?? 'of an unknown version';
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
