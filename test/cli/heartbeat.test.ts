import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { expectHeartbeatUrl, heartbeat } from '../../src/cli/controller/heartbeat.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a heartbeat', () => {
  test.each(['hc.example/secret', 'ftp://a.example/secret', 'localhost:80', ''])('to %j is refused at once', (text) => {
    expect(() => expectHeartbeatUrl(text)).toThrow(/^--heartbeat is not a URL that can be called \(its value is not/);
  });

  test('that fails says so once, without the address, and says when it works again; the last one is waited for', async () => {
    let fails = true;
    let calls = 0;
    const said: string[] = [];
    const ping = async () => {
      calls++;
      await Promise.resolve();
      if (fails) throw new Error('it was answered with 404');
    };
    const context = { world: { ping } as Partial<Context['world']> } as Context;
    const heart = heartbeat(context, 'https://a.example/secret', (line) => said.push(line));
    await vi.advanceTimersByTimeAsync(65_000);
    expect(said).toEqual(['the heartbeat is not delivered, so its silence says nothing: it was answered with 404']);
    fails = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(said.slice(1)).toEqual(['the heartbeat is delivered again']);
    const before = calls;
    await heart.stop();
    expect(calls).toBe(before + 1);
    await vi.advanceTimersByTimeAsync(90_000);
    expect(calls).toBe(before + 1);
  });
});
