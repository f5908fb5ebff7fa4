import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../../test/integration/kafka/lab/running.ts';
import { brokerPid, type Lab } from './lab.ts';
import { startMirrorMaker } from './mirror-maker.ts';
import { endsOf, sumOf } from './offsets.ts';
import { cpuSeconds, peakMib } from './process-use.ts';
import { startCopying } from './programs.ts';
import type { Row } from './rows.ts';

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

/** The part of the records by which MirrorMaker 2 is measured, so that neither its start nor its last fetches count; then scaled to all. */
const [measuredFrom, measuredTo] = [0.5, 0.95];

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
    const [one, other] = [sampleAt(samples, measuredFrom), sampleAt(samples, measuredTo)];
    const whole = (measured: (sample: Sample) => number) =>
      (measured(other) - measured(one)) / (measuredTo - measuredFrom);
    return {
      seconds: whole(({ atSeconds }) => atSeconds),
      cpuSeconds: whole((sample) => sample.cpuSeconds),
      targetCpuSeconds: whole((sample) => sample.targetCpuSeconds),
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

type Sample = {
  readonly part: number;
  readonly atSeconds: number;
  readonly cpuSeconds: number;
  readonly targetCpuSeconds: number;
};

function sampleOf({ pid }: Running, target: number, part: number): Sample {
  const atSeconds = performance.now() / 1000;
  return { part, atSeconds, cpuSeconds: cpuSeconds(pid), targetCpuSeconds: cpuSeconds(target) };
}

/** Between the two samples around it, in proportion. */
function sampleAt(samples: readonly Sample[], part: number): Sample {
  const behind = samples.findIndex((sample) => sample.part >= part);
  const [one, other] = [samples[behind - 1], samples[behind]];
  if (one === undefined || other === undefined) throw new Error(`too few samples: ${samples.length}`);
  const share = (part - one.part) / (other.part - one.part);
  const between = (low: number, high: number) => low + share * (high - low);
  return {
    part,
    atSeconds: between(one.atSeconds, other.atSeconds),
    cpuSeconds: between(one.cpuSeconds, other.cpuSeconds),
    targetCpuSeconds: between(one.targetCpuSeconds, other.targetCpuSeconds),
  };
}
