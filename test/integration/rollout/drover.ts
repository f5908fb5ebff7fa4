import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const main = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** The real command, as a user runs it. */
export type Drover = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  output(): string;
  /** Resolves when what it has written matches. */
  until(pattern: RegExp): Promise<void>;
  /** Its end; throws with all that it said where it ends otherwise. */
  endsWith(code: number): Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
};

/** Commands in one directory; `endAll` ends those that a failed test has left. */
export type Commands = {
  drover(...args: string[]): Drover;
  /** The command's end, for verbs that end by themselves. */
  run(...args: string[]): Promise<Ended>;
  /** The hash of the plan as `drover plan` tells it. */
  plan(...args: string[]): Promise<string>;
  /** Any other command; `$0` of a shell script is Node, `$1` is Drover. */
  start(program: string, args: readonly string[], options?: Options): Drover;
  shell(script: string, options?: Options): Drover;
  endAll(): Promise<void>;
};

type Options = { readonly stdin?: StdioOptions; readonly env?: Readonly<Record<string, string>> };

export function openCommands(directory: string): Commands {
  const started: Drover[] = [];
  const startHere: Commands['start'] = (program, args, options = {}) => {
    const one = start(directory, program, args, options);
    started.push(one);
    return one;
  };
  const drover = (...args: string[]) => startHere(process.execPath, [main, ...args]);
  const run = (...args: string[]) => drover(...args).ended;
  return {
    drover,
    run,
    async plan(...args) {
      const ended = await run('plan', '--json', ...args);
      if (ended.code !== 2) throw new Error(`drover plan ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
      return String(JSON.parse(ended.stdout).hash);
    },
    start: startHere,
    shell: (script, options = {}) => startHere('sh', ['-c', script, process.execPath, main], options),
    async endAll() {
      for (const one of started) await end(one);
    },
  };
}

/** In a process group of its own, so that nothing of it is left. */
function start(directory: string, program: string, args: readonly string[], { stdin, env }: Options): Drover {
  const child = spawn(program, [...args], {
    cwd: directory,
    detached: true,
    stdio: [(stdin ?? 'ignore') as 'ignore', 'pipe', 'pipe'],
    // As on a person's machine: where CI is set, no terminal is taken for one.
    env: { ...process.env, CI: undefined, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let over = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    ended,
    output: () => stdout + stderr,
    async until(pattern) {
      const endsAt = performance.now() + 60_000;
      while (!pattern.test(stdout + stderr)) {
        if (over || performance.now() > endsAt) throw new Error(`never said ${pattern}:\n${stdout}\n${stderr}`);
        await sleep(10);
      }
    },
    async endsWith(code) {
      const how = await ended;
      if (how.code === code) return how;
      throw new Error(`ended with ${how.code ?? how.signal}, not ${code}:\n${stdout}\n${stderr}`);
    },
    kill: (signal) => void child.kill(signal),
  };
}

async function end(one: Drover): Promise<void> {
  try {
    process.kill(-one.pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  await one.ended.catch(() => undefined);
}

export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  what: string,
  msMax = 60_000,
): Promise<T> {
  const endsAt = performance.now() + msMax;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > endsAt) throw new Error(`never: ${what}; at last ${JSON.stringify(seen)}`);
    await sleep(20);
  }
}
