import { parentPort } from 'node:worker_threads';
import { type Contest, runContest } from './beside.ts';
import { cases, runCase } from './cases.ts';
import { detections, runDetection } from './detections.ts';
import { promotions, runPromotion } from './promotions.ts';

/** What one run is: the second at which the verdict came that it waits for; null: it did not. */
type Run = (seed: number, seconds: number) => number | null;

/** Consecutive seeds of one case. */
export type Task = {
  readonly subject: 'false alarms' | 'detection' | 'promotion' | 'contest';
  readonly name: string;
  readonly firstSeed: number;
  readonly runs: number;
  readonly seconds: number;
};
export type Ended = { readonly seed: number; readonly second: number | null };

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker of the benches of the judge');
port.on('message', (task: Task) => {
  const run = runOf(task);
  const ended: Ended[] = [];
  for (let seed = task.firstSeed; seed < task.firstSeed + task.runs; seed++)
    ended.push({ seed, second: run(seed, task.seconds) });
  port.postMessage(ended);
});

function runOf({ subject, name }: Task): Run {
  switch (subject) {
    case 'false alarms': {
      const one = named(cases, name);
      return (seed, seconds) => runCase(one, seed, seconds);
    }
    case 'detection': {
      const one = named(detections, name);
      return (seed) => runDetection(one, seed);
    }
    case 'promotion': {
      const one = named(promotions, name);
      return (seed) => runPromotion(one, seed);
    }
    case 'contest': {
      const contest: Contest = JSON.parse(name);
      return (seed) => runContest(contest, seed);
    }
  }
}

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const one = all.find((candidate) => candidate.name === name);
  if (one === undefined) throw new Error(`no case ${name}`);
  return one;
}
