import type { OperatorRequest } from '../../core/rollout/observation.ts';
import type { Inbox } from '../../engine/operation-ports.ts';

/**
 * The way into a loop for what is asked of it from outside. What was accepted is performed or refused, and never thrown away:
 * whoever asked for a way back goes another one as soon as he is told that this one is closed.
 */
export type Reception = {
  /** Throws once it is closed. */
  accept(request: OperatorRequest): void;
  /** After the loop has ended. false: a way back came in that it had no time to take, so it has to run again. */
  close(): boolean;
  /** Whatever has come in: the asker learns from the controller's end that nothing came of it. */
  shut(): void;
};

export function openReception(operation: string, inbox: Inbox): Reception {
  let isOpen = true;
  return {
    accept(request) {
      if (!isOpen) throw new Error(`the controller of ${operation} is ending, and takes nothing any more`);
      inbox.push(request);
    },
    close() {
      const left = inbox.take();
      if (!left.some(({ kind }) => kind === 'back')) isOpen = false;
      else for (const request of left) inbox.push(request);
      return !isOpen;
    },
    shut() {
      isOpen = false;
    },
  };
}
