import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../../test/integration/kafka/lab/running.ts';
import { brokerPid, type Lab } from './lab.ts';
import { startMirrorMaker } from './mirror-maker.ts';
import { endsOf, sumOf } from './offsets.ts';
import { cpuSeconds, peakMib } from './process-use.ts';
import { startCopying } from './programs.ts';
import type { Row } from './rows.ts';
import { type Sample, scaled } from './samples.ts';

/** One copy of all the data: what it took, without the start of the process that made it. */
export type Turn = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly targetCpuSeconds: number;
  readonly peakMib: number;
  /** Before the first record. */
  readonly startCpuSeconds: number;
};

/** From the word to begin to the end of all of it, with whatever the process has to compile on the way. */
export async function turnOfOurs(
  kind: 'mover' | 'relay',
  { source, target }: Lab,
  topic: string,
  ends: readonly number[],
  inFlightMax: number,
): Promise<Turn> {
  const [from, to] = [source.bootstrap(), target.bootstrap()];
  const task = { source: from, target: to, topic, start: 0, ends, isCounted: true, inFlightMax };
  const copying = await startCopying(kind, target, task);
  const startCpuSeconds = cpuSeconds(copying.pid);
  const targetBefore = cpuSeconds(brokerPid(target));
  copying.go();
  const seconds = await copying.done;
  const turn: Turn = {
    seconds,
    cpuSeconds: cpuSeconds(copying.pid) - startCpuSeconds,
    targetCpuSeconds: cpuSeconds(brokerPid(target)) - targetBefore,
    peakMib: peakMib(copying.pid),
    startCpuSeconds,
  };
  await copying.close();
  return turn;
}

/** By the middle of the copy, see `scaled`. */
export async function turnOfMirrorMaker(
  { source, target, to }: Lab,
  topic: string,
  ends: readonly number[],
  { codec, tasks }: Row,
): Promise<Turn> {
  const records = sumOf(ends);
  const running = await startMirrorMaker(source, target, { topic, codec, tasks, lingerMs: 10 });
  let isOver = false;
  const ended = running.ended
    .catch((error: unknown) => error)
    .finally(() => {
      isOver = true;
    });
  try {
    const samples: Sample[] = [];
    const untilMs = performance.now() + timeLimitMs;
    for (let copied = 0; copied < records; await sleep(50)) {
      if (isOver) throw await ended;
      if (performance.now() > untilMs || /Failed to configure MirrorSource/.test(running.printed().stderr))
        throw new Error(
          `MirrorMaker 2 has ${copied} of ${records} records after ${timeLimitMs / 60_000} minutes: ${said(running)}`,
        );
      copied = sumOf(await endsOf(to, topic, ends.length));
      samples.push(sampleOf(running, brokerPid(target), copied / records));
    }
    return {
      ...scaled(samples),
      peakMib: peakMib(running.pid),
      startCpuSeconds: samples.findLast(({ part }) => part === 0)?.cpuSeconds ?? 0,
    };
  } finally {
    running.signal('SIGKILL');
    await ended;
  }
}

const timeLimitMs = 300_000;

function said(running: Running): string {
  const { stdout, stderr } = running.printed();
  return `${stdout}${stderr}`.slice(-3000);
}

function sampleOf({ pid }: Running, target: number, part: number): Sample {
  const atSeconds = performance.now() / 1000;
  return { part, atSeconds, cpuSeconds: cpuSeconds(pid), targetCpuSeconds: cpuSeconds(target) };
}
