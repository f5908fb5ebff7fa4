import { userInfo } from 'node:os';
import { CommanderError } from 'commander';
import { type Clock, PortError } from '../engine/ports.ts';
import { CliError, type Context, type Output, type World } from './context.ts';
import { buildProgram } from './program.ts';

/** The command that this process was started with, in the world that it is given; sets the exit code. */
export async function runCommand(world: World, clock: Clock): Promise<void> {
  const context: Context = {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    stdin: process.stdin,
    env: process.env,
    directory: process.cwd(),
    user: userName(),
    clock,
    setExitCode: (code) => {
      process.exitCode = code;
    },
    world,
  };
  try {
    await buildProgram(context).parseAsync(process.argv);
  } catch (error) {
    process.exitCode = report(error, context.stderr);
  }
}

function outputOf(stream: NodeJS.WriteStream): Output {
  let gone = false;
  // `| head` goes away early; that is no error of ours.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const told = gone || error.code === 'EPIPE';
    gone = true;
    if (told) return;
    // A full disk, most likely. A controller goes on all the same: the journal is what counts, and not what it prints.
    if (stream !== process.stderr) process.stderr.write(`drover: the output cannot be written: ${error.message}\n`);
    process.once('exit', () => {
      process.exitCode = 1;
    });
  });
  const dumb = process.env.TERM === 'dumb' || process.env.CI !== undefined;
  return {
    write: (text) => void stream.write(text),
    get terminal() {
      return stream.isTTY && !dumb ? { columns: stream.columns, rows: stream.rows } : null;
    },
    get gone() {
      return gone;
    },
  };
}

/** By `drover` the journal means Drover itself, not a user of that name whom a service manager runs it as. */
function userName(): string {
  try {
    const { username } = userInfo();
    return username === 'drover' ? 'user drover' : username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function report(error: unknown, stderr: Output): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof CliError) {
    stderr.write(`drover: ${error.message}\n${error.remedy === null ? '' : `  ${error.remedy}\n`}`);
    return 1;
  }
  if (error instanceof PortError) {
    stderr.write(`drover: ${error.message}\n`);
    return 1;
  }
  stderr.write(
    `drover: this is a defect of Drover's: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}
