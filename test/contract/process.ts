import { expect } from 'vitest';
import type { BalancerProcess } from '../../src/core/observed/balancer-process.ts';
import { collectClauses, testClauses } from './clauses.ts';

/** A balancer that runs, asked over a socket on which everything is allowed. */
export type ProcessHarness = {
  inspect(signal: AbortSignal): Promise<BalancerProcess>;
  /** Of the process that carries the traffic now, from the operating system's side. */
  pid(): Promise<number>;
  restart(): Promise<void>;
  kill(): Promise<void>;
  /** Stops the process from doing anything until the returned function is called. */
  freeze(): Promise<() => Promise<void>>;
  close(): Promise<void>;
};

/** What `inspectProcess` must do for every kind of balancer that has a process; the simulated ones have none to ask. */
export function processContract(name: string, open: () => Promise<ProcessHarness>): void {
  testClauses(`contract of a balancer process: ${name}`, processClauses(), {
    open,
    close: (harness) => harness.close(),
  });
}

export function processClauses() {
  const soon = () => AbortSignal.timeout(20_000);
  return collectClauses<ProcessHarness>((write) => {
    write('it tells the pid of the process that carries the traffic, and what the socket allows', async (harness) => {
      const told = await harness.inspect(soon());
      expect(told).toMatchObject({ pid: await harness.pid(), level: 'admin' });
      expect(told.version).not.toBe('');
      expect(await harness.inspect(soon())).toEqual(told);
    });

    write('after a restart it is another process, and the rest is the same', async (harness) => {
      const before = await harness.inspect(soon());
      await harness.restart();
      const after = await harness.inspect(soon());
      expect(after).toEqual({ ...before, pid: await harness.pid() });
      expect(after.pid).not.toBe(before.pid);
    });

    write('one that is gone is unreachable', async ({ inspect, kill }) => {
      await kill();
      await expect(inspect(soon())).rejects.toMatchObject({ name: 'PortError', code: 'unreachable' });
    });

    write('one that hangs is a timeout when the signal says so, and answers when it goes on', async (harness) => {
      const thaw = await harness.freeze();
      const hanging = harness.inspect(AbortSignal.timeout(100)).finally(thaw);
      await expect(hanging).rejects.toMatchObject({ name: 'PortError', code: 'timeout' });
      await expect(harness.inspect(AbortSignal.abort())).rejects.toMatchObject({ name: 'PortError', code: 'timeout' });
      expect((await harness.inspect(soon())).pid).toBe(await harness.pid());
    });
  });
}
