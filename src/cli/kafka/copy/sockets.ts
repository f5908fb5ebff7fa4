import { join } from 'node:path';
import { PortError } from '../../../engine/ports.ts';
import { CliError, type Context, type ControlHandler, type ControlRequest } from '../../context.ts';
import { type CopyAnswer, parseCopyAnswer } from './messages.ts';

/** The living controller of a copy; null: there is none; `silent`: what listens does not answer. Throws other PortErrors. */
export async function copyController(
  context: Context,
  stateDirectory: string,
  operation: string,
): Promise<CopyAnswer | 'silent' | null> {
  const answer = await askCopy(context, stateDirectory, operation, { kind: 'status' });
  return answer === null || answer === 'silent' ? answer : parseCopyAnswer(answer);
}

/** What the living controller of a copy answers. One that was stopped keeps its socket, and whoever came after it has the next. */
export async function askCopy(
  context: Context,
  stateDirectory: string,
  operation: string,
  request: ControlRequest,
): Promise<unknown> {
  let found: null | 'silent' = null;
  for (const socket of socketsOf(stateDirectory, operation)) {
    try {
      const answer = await context.world.askControl(socket, request, AbortSignal.timeout(answerMsMax));
      if (answer !== undefined) return answer;
    } catch (error) {
      if (!(error instanceof PortError && error.code === 'timeout')) throw error;
      found = 'silent';
    }
  }
  return found;
}

/** Takes a socket for this process. Throws CliError where a controller answers, or too many hang. */
export async function listenForCopy(
  context: Context,
  stateDirectory: string,
  operation: string,
  handler: ControlHandler,
): Promise<{ close(): Promise<void> }> {
  const found = await copyController(context, stateDirectory, operation);
  if (found !== null && found !== 'silent') throw underWay(operation, found.pid);
  for (const socket of socketsOf(stateDirectory, operation)) {
    const listening = await context.world.listenControl(socket, handler);
    if (listening !== 'busy') return listening;
  }
  throw new CliError(
    `controllers of ${operation} listen and do not answer`,
    'if their processes were stopped, `kill -CONT` lets them go on; else end them (`fuser` on their sockets names them)',
  );
}

export function underWay(operation: string, pid: number): CliError {
  return new CliError(
    `${operation} is under way already (pid ${pid})`,
    'see it with `drover kafka status`; it takes `drover hold`, `resume` and `abort`',
  );
}

/** Each copy has its own: one never waits for another. */
function socketsOf(stateDirectory: string, operation: string): string[] {
  return ['', '.second', '.third'].map((which) => join(stateDirectory, `${operation}${which}.sock`));
}

const answerMsMax = 3000;
