import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export type Program = {
  /** As it is to be called in errors: `kcat`, `TopicCommand`. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

export type Ended = { readonly stdout: string; readonly stderr: string };

/** A program that did not do what it was for, with what it said about it. */
export class ProgramFailed extends Error {
  readonly stderr: string;

  constructor(program: Program, how: string, { stdout, stderr }: Ended) {
    const said = (stderr.trim() || stdout.trim() || 'it said nothing').slice(-4000);
    super(`${program.name} ${program.args.slice(-12).join(' ')}: ${how}\n${said}`);
    this.name = 'ProgramFailed';
    this.stderr = stderr;
  }
}

export type Running = {
  readonly pid: number;
  readonly stdin: Writable;
  /** What it has printed until now; the output is cut at the front when it grows beyond some megabytes. */
  printed(): Ended;
  signal(name: NodeJS.Signals): void;
  /** Its output, once it has ended with code 0. Else, and after the time limit, rejects with ProgramFailed. */
  readonly ended: Promise<Ended>;
};

export type RunOptions = {
  readonly timeLimitMs: number;
  /** Takes the standard output instead of `stdout`, for output of any size. */
  readonly onOutput?: (chunk: Uint8Array) => void;
};

const keptCharactersMax = 64 * 1024 * 1024;

/** Starts a program in a process group of its own. Its end has to be awaited: a rejection that nobody sees ends the test run. */
export function start(program: Program, { timeLimitMs, onOutput }: RunOptions): Running {
  const child = spawn(program.path, [...program.args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', ...program.environment },
  });
  const stdout = onOutput === undefined ? keep(child.stdout) : pass(child.stdout, onOutput);
  const stderr = keep(child.stderr);
  const printed = () => ({ stdout: stdout(), stderr: stderr() });
  // It may end without reading what it is given: then its exit code tells.
  child.stdin.on('error', () => {});
  return {
    pid: child.pid ?? 0,
    stdin: child.stdin,
    printed,
    signal: (name) => void child.kill(name),
    ended: endOf(program, child, printed, timeLimitMs),
  };
}

/** Runs a program to its end, with `input` on its standard input. */
export async function run(
  program: Program,
  { input = '', ...options }: RunOptions & { readonly input?: string | Uint8Array },
): Promise<Ended> {
  const running = start(program, options);
  running.stdin.end(input);
  return await running.ended;
}

function endOf(
  program: Program,
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  printed: () => Ended,
  timeLimitMs: number,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeLimitMs);
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new ProgramFailed(program, `cannot be started: ${cause.message}`, printed()));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(printed());
      const how = late ? `not done within ${timeLimitMs} ms` : `ended by ${signal ?? `exit code ${code}`}`;
      reject(new ProgramFailed(program, how, printed()));
    });
  });
}

function keep(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (more: string) => {
    text = (text + more).slice(-keptCharactersMax);
  });
  return () => text;
}

function pass(stream: Readable, onOutput: (chunk: Uint8Array) => void): () => string {
  stream.on('data', onOutput);
  return () => '';
}
