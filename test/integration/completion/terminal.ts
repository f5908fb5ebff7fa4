import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export type Terminal = { type(keys: string): void; close(): Promise<void> };

/** A program on a terminal of its own (util-linux `script` makes it), where it edits lines as it does for people. */
export function openTerminal(command: string, directory: string, env: Readonly<Record<string, string>>): Terminal {
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    cwd: directory,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout.resume();
  child.stderr.resume();
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    type: (keys) => void child.stdin.write(keys),
    async close() {
      child.stdin.end();
      child.kill('SIGHUP');
      await ended;
    },
  };
}

/** The lines that the shell has written into `file` since `from`, once it has written `last`. */
export async function linesUntil(file: string, from: number, last: string): Promise<string[]> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(from, -1) : [];
    if (lines.at(-1) === last) return lines;
    await sleep(25);
  }
  throw new Error(`the shell did not answer ${last}: ${existsSync(file) ? readFileSync(file, 'utf8') : 'nothing'}`);
}
