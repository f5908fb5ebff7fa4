import { PortError } from '../../../engine/ports.ts';
import type { Context } from '../../context.ts';
import { copySocket } from './control.ts';
import { type CopyAnswer, parseCopyAnswer } from './messages.ts';

/** The living controller of a copy; null: there is none; `silent`: one listens, and does not answer. Throws other PortErrors. */
export async function copyController(
  context: Context,
  stateDirectory: string,
  operation: string,
): Promise<CopyAnswer | 'silent' | null> {
  try {
    const socket = copySocket(stateDirectory, operation);
    const answer = await context.world.askControl(socket, { kind: 'status' }, AbortSignal.timeout(answerMsMax));
    return answer === undefined ? null : parseCopyAnswer(answer);
  } catch (error) {
    if (error instanceof PortError && error.code === 'timeout') return 'silent';
    throw error;
  }
}

const answerMsMax = 5000;
