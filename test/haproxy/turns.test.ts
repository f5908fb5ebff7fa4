import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Turns } from '../../src/io/balancer/haproxy/turns.ts';

const never = new AbortController().signal;

describe('turns at one address', () => {
  test('the next one begins when one ends, in the order in which they came', async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3].map((at) =>
      turns.take('a', never).then((end) => {
        begun.push(at);
        return end;
      }),
    );
    await settle();
    expect(begun).toEqual([0, 1]);
    (await ends[1])?.();
    await settle();
    expect(begun).toEqual([0, 1, 2]);
    (await ends[0])?.();
    await settle();
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  test('nobody waits for another address', async () => {
    const turns = new Turns(1);
    await turns.take('a', never);
    expect(await turns.take('b', never)).not.toBeNull();
  });

  test('who gives up while waiting leaves the turn to those behind', async () => {
    const turns = new Turns(1);
    const end = await turns.take('a', never);
    const impatient = new AbortController();
    const gone = turns.take('a', impatient.signal);
    const next = turns.take('a', never);
    impatient.abort();
    expect(await gone).toBeNull();
    end?.();
    expect(await next).not.toBeNull();
    expect(await turns.take('a', AbortSignal.abort())).toBeNull();
  });

  test('safety and liveness: never more than allowed at once, and everybody who waits gets a turn, whoever gives up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (max, patience) => {
          const turns = new Turns(max);
          let [now, most] = [0, 0];
          const impatient = new AbortController();
          const calls = patience.map(async (isPatient) => {
            const end = await turns.take('a', isPatient ? never : impatient.signal);
            if (end === null) return;
            most = Math.max(most, ++now);
            await settle();
            now--;
            end();
          });
          impatient.abort();
          await Promise.all(calls);
          expect(most).toBeLessThanOrEqual(max);
          expect(now).toBe(0);
        },
      ),
    );
  });
});

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
