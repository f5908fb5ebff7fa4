import { parentPort } from 'node:worker_threads';
import { summarize } from '../../src/sim/swarm.ts';

/** Simulates the seeds it is sent, one list after another, and sends back a summary of each. */
const port = parentPort;
if (port === null) throw new Error('this file runs as a worker of scripts/sim.ts');
port.on('message', (seeds: readonly number[]) => {
  void run(seeds);
});

async function run(seeds: readonly number[]): Promise<void> {
  const summaries = [];
  for (const seed of seeds) summaries.push(await summarize(seed));
  port?.postMessage(summaries);
}
