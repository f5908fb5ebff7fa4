import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError, type Context } from '../context.ts';
import type { OpenJournal } from '../journal/open.ts';
import { controllerAt } from './reach.ts';
import type { Signals } from './signals.ts';

/** How long the new process may take until it answers as the controller: it observes the services first. */
const startMsMax = 60_000;
const lastLinesMax = 10;
const never = new AbortController().signal;

/**
 * The same command again as a process of its own, its output in a file. Returns when that one answers at the control socket,
 * or is done already; throws CliError with its last lines when it has failed.
 */
export async function detach(
  context: Context,
  opened: OpenJournal,
  command: (verb: string) => string,
  { interrupted }: Pick<Signals, 'interrupted'>,
): Promise<void> {
  const log = join(opened.stateDirectory, 'apply.log');
  const before = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  const child = start(context, log);
  let ended: string | null = null;
  let code: number | null = null;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (itsCode, signal) => {
    code = itsCode;
    ended = `exit ${itsCode ?? signal}`;
  });
  const endsAt = context.clock.monotonic() + startMsMax;
  while (ended === null) {
    if (interrupted.aborted) {
      child.kill('SIGTERM');
      while (ended === null) await context.clock.sleep(100, never);
      throw failed(`this command was asked to end, and so was it: ${ended}`, log, before);
    }
    const answer = await controllerAt(context, opened.controlSocket).catch(() => null);
    if (answer?.pid === child.pid && answer?.operation !== null) break;
    if (context.clock.monotonic() > endsAt) {
      child.kill('SIGTERM');
      throw failed(`it did not answer within ${startMsMax / 1000} s`, log, before);
    }
    await context.clock.sleep(100, never);
  }
  child.unref();
  if (ended !== null && code !== 0) throw failed(ended, log, before);
  context.stdout.write(
    ended === null
      ? `the controller runs in the background (pid ${child.pid}), its lines go to ${log}\n  ${['status', 'watch', 'hold', 'back'].map(command).join(' · ')}\n`
      : `${lastLines(log, before)}\n`,
  );
}

function start(context: Context, log: string) {
  const args = [...process.execArgv, ...process.argv.slice(1).filter((word) => word !== '--detach')];
  try {
    const file = openSync(log, 'a', 0o600);
    const options = {
      cwd: context.directory,
      detached: true,
      stdio: ['ignore', file, file] as ['ignore', number, number],
    };
    const child = spawn(process.execPath, args, options);
    closeSync(file);
    return child;
  } catch (error) {
    throw new CliError(
      `the output of the controller cannot be written to ${log}: ${error instanceof Error ? error.message : String(error)}`,
      'make the directory writable, or leave out --detach',
      error,
    );
  }
}

function failed(why: string, log: string, before: number): CliError {
  return new CliError(`the controller did not start (${why}). Its last lines:\n${lastLines(log, before)}`);
}

function lastLines(log: string, from: number): string {
  const lines = readFileSync(log).subarray(from).toString('utf8').trimEnd().split('\n');
  return lines
    .slice(-lastLinesMax)
    .map((line) => `  ${line}`)
    .join('\n');
}
