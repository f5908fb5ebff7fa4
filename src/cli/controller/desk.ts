import { CliError, type Context, type ControlHandler, type ControlRequest } from '../context.ts';
import type { OpenJournal } from '../journal/open.ts';
import { type ControllerAnswer, parseControlRequest } from './messages.ts';

/** The control socket of a process that controls one rollout after the other: taken once, so that nobody comes in between. */
export type ControlDesk = {
  /** Who answers from now on; null: nothing is under way. */
  attend(handler: ControlHandler | null): void;
  close(): Promise<void>;
};

/** Throws CliError where another controller answers, and PortError where the socket cannot be made. */
export async function openDesk(context: Context, opened: Pick<OpenJournal, 'controlSocket'>): Promise<ControlDesk> {
  let attending: ControlHandler | null = null;
  const control = await context.world.listenControl(opened.controlSocket, async (request) =>
    (attending ?? idle)(parseControlRequest(request)),
  );
  if (control === 'busy') {
    throw new CliError(
      `a controller is running already (it listens at ${opened.controlSocket})`,
      'see what it does with `drover status`; it takes `drover hold`, `drover resume` and `drover back`',
    );
  }
  return {
    attend(handler) {
      attending = handler;
    },
    close: () => control.close(),
  };
}

async function idle(request: ControlRequest): Promise<unknown> {
  if (request.kind !== 'status') throw new Error('this controller is between two rollouts: try again in a moment');
  return { pid: process.pid, operation: null, status: null, trouble: null, standing: [] } satisfies ControllerAnswer;
}
