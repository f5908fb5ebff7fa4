import type { OperatorRequest } from '../core/rollout/observation.ts';
import { Interruption } from './deadline.ts';
import type { Inbox } from './operation-ports.ts';

/** Requests of operators, oldest first. A way back is urgent: it interrupts whatever the loop is waiting for. */
export function createInbox(): Inbox {
  let requests: OperatorRequest[] = [];
  let waiting: (() => void)[] = [];
  let interrupt = new AbortController();
  return {
    push(request) {
      requests.push(request);
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
      if (request.kind === 'back') interrupt.abort(new Interruption('interrupted by a way back'));
    },
    take() {
      const taken = requests;
      requests = [];
      if (interrupt.signal.aborted) interrupt = new AbortController();
      return taken;
    },
    urgent() {
      return interrupt.signal;
    },
    arrived(signal) {
      if (requests.length > 0 || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const done = () => {
          signal.removeEventListener('abort', done);
          waiting = waiting.filter((one) => one !== done);
          resolve();
        };
        waiting.push(done);
        signal.addEventListener('abort', done, { once: true });
      });
    },
  };
}
