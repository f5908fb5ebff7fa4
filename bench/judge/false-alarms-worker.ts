import { parentPort } from 'node:worker_threads';
import { cases } from './cases.ts';
import { runCase } from './runs.ts';

/** Consecutive seeds of one case. */
export type Task = {
  readonly name: string;
  readonly firstSeed: number;
  readonly runs: number;
  readonly seconds: number;
};
/** The seeds that raised an alarm, and when. */
export type Alarms = {
  readonly runs: number;
  readonly alarms: readonly { readonly seed: number; readonly second: number }[];
};

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker of bench/judge-false-alarms.ts');
port.on('message', ({ name, firstSeed, runs, seconds }: Task) => {
  const one = cases.find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error(`no case ${name}`);
  const alarms: { seed: number; second: number }[] = [];
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const second = runCase(one, seed, seconds);
    if (second !== null) alarms.push({ seed, second });
  }
  const answer: Alarms = { runs, alarms };
  port.postMessage(answer);
});
