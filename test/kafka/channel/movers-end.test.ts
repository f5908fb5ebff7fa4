import { describe, expect, test } from 'vitest';
import type { Beginning, FromMover } from '../../../src/io/kafka/channel/messages.ts';
import { type MoverHost, MoversEnd } from '../../../src/io/kafka/channel/movers-end.ts';

const beginning: Beginning = {
  source: { bootstrap: [], tls: null, checksNames: true, sasl: null, clientId: null },
  target: { bootstrap: [], tls: null, checksNames: true, sasl: null, clientId: null },
  version: '0',
  partitionsPerBroker: null,
  ledgers: 'ledgers',
  record: 'record',
  partitions: [],
  untilNs: 1000n,
  isHeld: false,
  rate: null,
};

/** A process whose mover takes its time to begin; `let` lets it. */
function slowProcess({ wasSettled = true, isSettled = true } = {}) {
  const done: string[] = [];
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const told: FromMover[] = [];
  const host: MoverHost = {
    clockNs: () => 0n,
    every: () => () => undefined,
    endPrevious: async () => wasSettled,
    forget: () => void done.push('is forgotten'),
    async start({ isHeld, rate }, isPreviousSettled) {
      if (!isPreviousSettled) done.push('waits for what may still come');
      await begun.promise;
      done.push(isHeld ? 'begins held' : 'begins', `at ${rate}`);
      return {
        ended: ended.promise,
        isSettled,
        figures: () => ({ isHeld: false, bytes: 0, partitions: [] }),
        hold: async () => void done.push('holds'),
        goOn: () => void done.push('goes on'),
        changeRate: (to) => void done.push(`changes to ${to}`),
        stop: async () => ended.resolve(),
      };
    },
    tell: (message) => void told.push(message),
    leave: (message) => void done.push(leaving(message)),
  };
  const turn = () => new Promise((run) => setImmediate(run));
  return { end: new MoversEnd(host), done, begin: begun.resolve, turn, finish: ended.resolve };
}

function leaving(message: FromMover): string {
  if (message.kind === 'figures') return 'leaves with figures';
  return `leaves ${message.kind}, ${message.isSettled ? 'settled' : 'unsettled'}`;
}

describe('what is asked of a mover that is still beginning', () => {
  test('a hold holds it before it has sent anything', async () => {
    const { end, done, begin, turn } = slowProcess();
    void end.obey({ kind: 'begin', ...beginning });
    await turn();
    await end.obey({ kind: 'hold' });
    begin();
    await turn();
    expect(done).toEqual(['begins', 'at null', 'holds']);
  });

  test('a hold that comes before its beginning too, and the rate with it', async () => {
    const { end, done, begin, turn } = slowProcess();
    void end.obey({ kind: 'begin', ...beginning });
    void end.obey({ kind: 'hold' });
    void end.obey({ kind: 'rate', rate: 7 });
    begin();
    await turn();
    expect(done).toEqual(['begins held', 'at 7']);
  });

  test('one that is held from the start and told to go on goes on', async () => {
    const { end, done, begin, turn } = slowProcess();
    void end.obey({ kind: 'begin', ...beginning, isHeld: true });
    await turn();
    await end.obey({ kind: 'go-on' });
    await end.obey({ kind: 'rate', rate: 9 });
    begin();
    await turn();
    expect(done).toEqual(['begins held', 'at null', 'goes on', 'changes to 9']);
  });

  test('an end is told at once, and nothing begins', async () => {
    const { end, done, turn } = slowProcess();
    void end.obey({ kind: 'begin', ...beginning });
    await turn();
    await end.obey({ kind: 'stop' });
    expect(done).toEqual(['leaves stopped, unsettled']);
  });
});

describe('the record of who writes', () => {
  test('goes with a mover of which nothing can come any more', async () => {
    const { end, done, begin, finish, turn } = slowProcess();
    void end.obey({ kind: 'begin', ...beginning });
    begin();
    await turn();
    finish();
    await turn();
    expect(done).toEqual(['begins', 'at null', 'is forgotten', 'leaves done, settled']);
  });

  test('stays behind one that leaves something on its way, and the next one is told', async () => {
    const { end, done, begin, turn } = slowProcess({ wasSettled: false, isSettled: false });
    void end.obey({ kind: 'begin', ...beginning });
    begin();
    await turn();
    await end.obey({ kind: 'stop' });
    await turn();
    expect(done).toEqual(['waits for what may still come', 'begins', 'at null', 'leaves stopped, unsettled']);
  });

  test('goes with one whose lease was over before it could begin, but not what the one before has left', async () => {
    for (const wasSettled of [true, false]) {
      const { end, done, turn } = slowProcess({ wasSettled });
      void end.obey({ kind: 'begin', ...beginning, untilNs: 0n });
      await turn();
      const left = `leaves stopped, ${wasSettled ? 'settled' : 'unsettled'}`;
      expect(done).toEqual(wasSettled ? ['is forgotten', left] : [left]);
    }
  });
});
