import { expect } from 'vitest';
import type { ControlHandler, World } from '../../src/cli/context.ts';
import { PortError } from '../../src/engine/ports.ts';
import { collectClauses, testClauses, type Write } from './clauses.ts';

/** The way from a verb to a running controller, at a place that nobody listens at yet. */
export type ControlHarness = Pick<World, 'listenControl' | 'askControl'> & {
  readonly place: string;
  /** Leaves what a controller leaves that was killed: the place is taken, and nobody is there. */
  leaveBehind(): Promise<void>;
  close(): Promise<void>;
};

/** What every control channel must do: an operator is answered by the one controller that runs, or is told that there is none. */
export function controlContract(name: string, open: () => Promise<ControlHarness>): void {
  testClauses(`contract of a control channel: ${name}`, controlClauses(), {
    open,
    close: (harness) => harness.close(),
  });
}

const soon = () => AbortSignal.timeout(20_000);
const status = { kind: 'status' } as const;
const echo: ControlHandler = async (request) => ({ told: request });

export function controlClauses() {
  return collectClauses<ControlHarness>(answerClauses, endClauses);
}

function answerClauses(write: Write<ControlHarness>): void {
  write('nobody listens: nobody answers, and that is no error', async ({ askControl, place }) => {
    expect(await askControl(place, status, soon())).toBeUndefined();
  });

  write('a request arrives whole, and the answer comes back whole', async ({ listenControl, askControl, place }) => {
    const control = await listening(listenControl(place, echo));
    const why = `${'long '.repeat(5000)}"quoted" \n \u2028 Grüße \u{1f600}`;
    const hold = { kind: 'operator', operation: 'move-1', request: { kind: 'hold', by: 'alice', why } } as const;
    expect(await askControl(place, hold, soon())).toEqual({ told: hold });
    const all = await Promise.all(Array.from({ length: 20 }, () => askControl(place, status, soon())));
    expect(all).toEqual(all.map(() => ({ told: status })));
    await control.close();
  });

  write('a controller that has nothing to say is not nobody', async ({ listenControl, askControl, place }) => {
    const control = await listening(listenControl(place, async () => undefined));
    expect(await askControl(place, status, soon())).not.toBeUndefined();
    await control.close();
  });

  write('a controller that refuses says why', async ({ listenControl, askControl, place }) => {
    const control = await listening(
      listenControl(place, async () => {
        throw new Error('this operation has ended');
      }),
    );
    const refused = await askControl(place, status, soon()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PortError);
    expect(refused).toMatchObject({ code: 'refused', message: expect.stringContaining('this operation has ended') });
    await control.close();
  });
}

function endClauses(write: Write<ControlHarness>): void {
  write('a second controller finds the place taken, and the first one still answers', async (harness) => {
    const { listenControl, askControl, place } = harness;
    const control = await listening(listenControl(place, echo));
    expect(await listenControl(place, async () => 'the second')).toBe('busy');
    expect(await askControl(place, status, soon())).toEqual({ told: status });
    await control.close();
    const next = await listening(listenControl(place, async () => 'the second'));
    expect(await askControl(place, status, soon())).toBe('the second');
    await next.close();
    expect(await askControl(place, status, soon())).toBeUndefined();
  });

  write("what a killed controller has left is nobody, and is in nobody else's way", async (harness) => {
    const { listenControl, askControl, place, leaveBehind } = harness;
    await leaveBehind();
    expect(await askControl(place, status, soon())).toBeUndefined();
    const control = await listening(listenControl(place, echo));
    expect(await askControl(place, status, soon())).toEqual({ told: status });
    await control.close();
  });

  write('a controller that does not answer is a timeout when the signal says so', async (harness) => {
    const { listenControl, askControl, place } = harness;
    const control = await listening(listenControl(place, () => new Promise(() => {})));
    const failure = await askControl(place, status, AbortSignal.timeout(100)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PortError);
    expect(failure).toMatchObject({ code: 'timeout', retriable: true });
    const atOnce = await askControl(place, status, AbortSignal.abort()).catch((error: unknown) => error);
    expect(atOnce).toMatchObject({ name: 'PortError', code: 'timeout' });
    await control.close();
  });

  write('an end that comes before the answer is no answer', async ({ listenControl, askControl, place }) => {
    const asked = Promise.withResolvers<void>();
    const handler = (): Promise<never> => {
      asked.resolve();
      return new Promise(() => {});
    };
    const control = await listening(listenControl(place, handler));
    const answer = askControl(place, status, soon());
    await asked.promise;
    await control.close();
    expect(await answer).toBeUndefined();
  });
}

async function listening(control: ReturnType<World['listenControl']>): Promise<{ close(): Promise<void> }> {
  const opened = await control;
  expect(opened).not.toBe('busy');
  return opened === 'busy' ? { close: async () => undefined } : opened;
}
