import { embeddedProcess } from '../../src/io/balancer/embedded/process-facts.ts';
import { haproxyProcess } from '../../src/io/balancer/haproxy/process-facts.ts';
import { testPlanted } from '../contract/clauses.ts';
import { type ProcessHarness, processClauses, processContract } from '../contract/process.ts';
import { openEmbedded } from './embedded/harness.ts';
import { openHaproxy } from './haproxy-harness.ts';

processContract('HAProxy', async () => {
  const harness = await openHaproxy();
  const { haproxy } = harness;
  return {
    inspect: (signal) => haproxyProcess(haproxy.socket, signal),
    pid: () => haproxy.worker(),
    restart: () => harness.restart(),
    kill: () => harness.kill(),
    freeze: () => frozen(haproxy.worker()),
    close: () => harness.close(),
  };
});
processContract('embedded', openEmbeddedProcess);

async function openEmbeddedProcess(): Promise<ProcessHarness> {
  const harness = await openEmbedded();
  return {
    inspect: (signal) => embeddedProcess(harness.config.socket, signal),
    pid: async () => harness.running.pid,
    restart: () => harness.restart(),
    kill: () => harness.kill(),
    freeze: () => frozen(Promise.resolve(harness.running.pid)),
    close: () => harness.close(),
  };
}

async function frozen(pid: Promise<number>): Promise<() => Promise<void>> {
  const stopped = await pid;
  process.kill(stopped, 'SIGSTOP');
  return async () => void process.kill(stopped, 'SIGCONT');
}

testPlanted<ProcessHarness>(
  'contract of a balancer process',
  processClauses(),
  { open: openEmbeddedProcess, close: (harness) => harness.close() },
  [
    {
      wrong: 'what was told once is told for ever',
      clause: 'after a restart it is another process, and the rest is the same',
      plant(harness) {
        const told = harness.inspect(AbortSignal.timeout(20_000));
        return { ...harness, inspect: () => told };
      },
    },
    {
      wrong: 'one that is gone is whatever went wrong',
      clause: 'one that is gone is unreachable',
      plant: (harness) => ({
        ...harness,
        inspect: (signal) =>
          harness.inspect(signal).catch(() => {
            throw new Error('it did not work');
          }),
      }),
    },
  ],
);
