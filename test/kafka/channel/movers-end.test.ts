import { describe, expect, test } from 'vitest';
import type { Beginning, FromMover } from '../../../src/io/kafka/channel/messages.ts';
import { type MoverHost, MoversEnd } from '../../../src/io/kafka/channel/movers-end.ts';

const beginning: Beginning = {
  source: { bootstrap: [], tls: null, checksNames: true, sasl: null, clientId: null },
  target: { bootstrap: [], tls: null, checksNames: true, sasl: null, clientId: null },
  version: '0',
  ledgers: 'ledgers',
  record: 'record',
  partitions: [],
  untilNs: 1000n,
  isHeld: false,
  rate: null,
};

/** A process whose mover takes its time to begin; `let` lets it. */
function slowProcess() {
  const done: string[] = [];
  const begun = Promise.withResolvers<void>();
  const told: FromMover[] = [];
  const host: MoverHost = {
    clockNs: () => 0n,
    every: () => () => undefined,
    endPrevious: async () => undefined,
    async start({ isHeld, rate }) {
      await begun.promise;
      done.push(isHeld ? 'begins held' : 'begins', `at ${rate}`);
      return {
        ended: new Promise<void>(() => undefined),
        figures: () => ({ isHeld: false, bytes: 0, partitions: [] }),
        hold: async () => void done.push('holds'),
        goOn: () => void done.push('goes on'),
        changeRate: (to) => void done.push(`changes to ${to}`),
        stop: async () => void done.push('stops'),
      };
    },
    tell: (message) => void told.push(message),
    leave: (message) => void done.push(`leaves ${message.kind}`),
  };
  return { end: new MoversEnd(host), done, begin: begun.resolve, turn: () => new Promise((run) => setImmediate(run)) };
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
    expect(done).toEqual(['leaves stopped']);
  });
});
