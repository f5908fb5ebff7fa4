import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TcpProxy } from './proxy.ts';
import type { Program } from './running.ts';

export type Server = {
  /** null: it does not run. */
  pid(): number | null;
  /** Starts it; whether it serves is another matter. */
  start(): Promise<void>;
  /** SIGTERM: a broker hands its leadership over, and writes what a clean start needs. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP: the process is there, its sockets too, and nothing answers. */
  pause(): void;
  resume(): void;
  /** What it has logged and printed last. */
  log(): string;
  /** Resident memory now. */
  memoryMib(): number;
  /** Why it has ended although nobody asked for it; null: it has not. */
  collapse(): string | null;
};

export type Broker = Server & {
  readonly id: number;
  /** Its `log.dirs`. */
  readonly data: string;
  /** In front of the listener `proxied`, where the cluster has it. */
  readonly proxy: TcpProxy | null;
};

/** A long-running program whose output goes into `logFile`, so that it needs no reader. */
export function serverOf(program: Program, logFile: string): Server {
  let child: ChildProcess | null = null;
  let wanted = false;
  const living = () => (child !== null && child.exitCode === null && child.signalCode === null ? child : null);
  const log = () => readFileSync(logFile, 'utf8').slice(-6000);
  const end = async (signal: NodeJS.Signals) => {
    wanted = false;
    const ending = living();
    if (ending === null) return;
    const exit = once(ending, 'exit');
    ending.kill(signal);
    if (signal === 'SIGKILL') return void (await exit);
    const late = await Promise.race([exit.then(() => false), sleep(60_000, true, { ref: false })]);
    if (!late) return;
    ending.kill('SIGKILL');
    await exit;
    throw new Error(`${program.name} did not end within 60 s of ${signal}:\n${log()}`);
  };
  return {
    pid: () => living()?.pid ?? null,
    start: async () => {
      if (living() !== null) throw new Error(`${program.name} runs already, as process ${living()?.pid}`);
      const output = openSync(logFile, 'a');
      const env = { ...process.env, LC_ALL: 'C', ...program.environment };
      child = spawn(program.path, [...program.args], { detached: true, stdio: ['ignore', output, output], env });
      closeSync(output);
      await once(child, 'spawn');
      wanted = true;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void living()?.kill('SIGSTOP'),
    resume: () => void living()?.kill('SIGCONT'),
    log,
    memoryMib: () => residentMib(living()?.pid),
    collapse: () => {
      if (!wanted || living() !== null) return null;
      return `${program.name} ended by ${child?.signalCode ?? `exit code ${child?.exitCode}`}:\n${log()}`;
    },
  };
}

function residentMib(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib ?? 0) / 1024);
}
