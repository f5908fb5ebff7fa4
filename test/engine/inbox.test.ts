import { createInbox } from '../../src/engine/inbox.ts';
import type { Inbox } from '../../src/engine/operation-ports.ts';
import { testPlanted } from '../contract/clauses.ts';
import { inboxClauses, inboxContract } from '../contract/inbox.ts';

inboxContract('in this process', createInbox);

type Wrong = { readonly wrong: string; readonly clause: string; readonly as: (inbox: Inbox) => Partial<Inbox> };

const wrong: readonly Wrong[] = [
  {
    wrong: 'only the newest request is kept',
    clause: 'requests are taken once, all of them, oldest first',
    as: (inbox) => ({ take: () => inbox.take().slice(-1) }),
  },
  {
    wrong: 'a way back waits its turn',
    clause: 'a way back is urgent until it is taken, and nothing else is',
    as: () => ({ urgent: () => new AbortController().signal }),
  },
  {
    wrong: 'what has arrived before somebody waits wakes nobody',
    clause: 'everybody who waits is woken by a request, and who comes later does not wait at all',
    as: (inbox) => {
      let count = 0;
      return {
        push(request) {
          count += 1;
          inbox.push(request);
        },
        arrived: (signal) => (count > 0 ? new Promise<void>(() => {}) : inbox.arrived(signal)),
      };
    },
  },
];

testPlanted<Inbox>(
  'contract of an inbox',
  inboxClauses(),
  { open: async () => createInbox(), close: async () => undefined },
  wrong.map(({ as, ...planted }) => ({ ...planted, plant: (inbox) => ({ ...inbox, ...as(inbox) }) })),
);
