import type { GroupReading, InstanceReading, InstanceState } from '../../../core/observed/group.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import { buildByHttp, joinBuilds } from '../build-by-http.ts';
import { commandBuild } from './command-build.ts';
import type { Health, HealthMonitor } from './health.ts';
import { type Fact, type InstanceRecord, isCrashLooping, processOf } from './lifecycle.ts';
import { lastLines } from './output.ts';
import { logFile } from './paths.ts';
import { translated, type Wanted } from './records.ts';
import { addressOf, filled, healthUrl, instanceName, type Setup } from './setup.ts';

/** What is known of an instance at one moment. `problem`: what kept Drover from doing its part for it. */
export type Observed = {
  readonly record: InstanceRecord;
  readonly fact: Fact;
  readonly wanted: boolean;
  readonly problem: string | null;
};

const outputLinesMax = 20;

/** Checks what was never checked, then puts the reading together. Throws PortError if the output cannot be read. */
export async function describeGroup(
  setup: Setup,
  wanted: Wanted,
  observed: readonly Observed[],
  monitor: HealthMonitor,
  signal: AbortSignal,
): Promise<GroupReading> {
  const alive = observed.filter(({ record, fact }) => record.phase.kind === 'running' && fact === 'alive');
  await Promise.all(alive.map(({ record }) => monitor.decide(record.token, healthUrl(setup, record))));
  const instances = await Promise.all(observed.map((one) => describeInstance(setup, one, monitor)));
  const healthy = observed.filter((_, position) => instances[position]?.state === 'healthy');
  return {
    size: { min: wanted.min, max: setup.size.max, desired: wanted.desired },
    instances,
    build: await describeBuild(setup, observed, healthy, signal),
  };
}

async function describeInstance(setup: Setup, one: Observed, monitor: HealthMonitor): Promise<InstanceReading> {
  const { record } = one;
  const health = monitor.healthOf(record.token);
  const late = setup.clock.now() - record.startedAtMs >= setup.local.health.startMsMax;
  const state = stateOf(one, health, late, health.failures >= setup.local.health.fall);
  return {
    id: instanceName(setup, record.index),
    server: filled(setup, record.index, setup.local.serverName),
    state,
    restarts: record.restarts,
    startedAtMs: record.startedAtMs,
    lastOutput: state === 'healthy' ? [] : await describeTrouble(setup, one, health, late),
  };
}

function stateOf({ record, fact, wanted }: Observed, health: Health, late: boolean, hasFallen: boolean): InstanceState {
  // Told before anything is done about it, so that whoever routes traffic may act first.
  if (!wanted) return 'stopping';
  switch (record.phase.kind) {
    case 'waiting':
    case 'claimed':
      return isCrashLooping(record) ? 'crash-looping' : 'starting';
    case 'stopping':
      return 'stopping';
    case 'running':
      if (isCrashLooping(record)) {
        // One that answers again may carry; whether it stays up is not known yet.
        return fact === 'alive' && health.verdict === 'healthy' ? 'starting' : 'crash-looping';
      }
      if (fact !== 'alive') return 'unhealthy';
      if (health.verdict !== 'undecided') return health.verdict;
      // Nobody knows how often it failed before this process began to look: it fails as often as any other to be called so.
      return late && hasFallen ? 'unhealthy' : 'starting';
  }
}

async function describeTrouble(setup: Setup, one: Observed, health: Health, late: boolean): Promise<string[]> {
  const file = logFile(setup.paths, one.record.index);
  const { phase } = one.record;
  const isEarlier = phase.kind === 'waiting' && phase.startFailed === true;
  const lines = isEarlier ? [] : await translated(file, () => lastLines(file, outputLinesMax));
  return [...lines, ...remarks(setup, one, health, late).map((remark) => `drover: ${remark}`)];
}

function remarks(setup: Setup, { record, fact, problem }: Observed, health: Health, late: boolean): string[] {
  const said: string[] = [];
  if (record.note !== null) said.push(record.note);
  if (problem !== null) said.push(problem);
  if (record.phase.kind !== 'running') return said;
  const { pid } = record.phase.process;
  if (fact === 'gone' || fact === 'leftovers') said.push(`process ${pid} has ended`);
  if (fact === 'unsure') {
    said.push(
      `process ${pid} has the recorded start time but does not show Drover's token in its environment; it is neither stopped nor replaced`,
    );
  }
  if (fact !== 'alive') return said;
  if (health.problem !== null) said.push(`health check ${healthUrl(setup, record)}: ${health.problem}`);
  if (late && health.verdict === 'undecided') {
    said.push(`not healthy within ${setup.local.health.startMsMax / 1000} s of its start`);
  }
  return said;
}

async function describeBuild(
  setup: Setup,
  observed: readonly Observed[],
  healthy: readonly Observed[],
  signal: AbortSignal,
): Promise<Reading<string>> {
  const { build } = setup.config;
  switch (build.kind) {
    case 'declared':
      return { known: true, value: build.build };
    case 'http':
      // One that is not healthy gets no traffic, and often cannot answer yet.
      return buildByHttp(
        healthy.map(({ record }) => addressOf(setup, record)),
        build.path,
        signal,
      );
    case 'command': {
      const started = observed.map(({ record }) => record).filter((record) => processOf(record) !== null);
      if (started.length === 0) return commandBuild(build, setup.local);
      const builds = started.map((record) => record.build);
      if (builds.includes(null))
        return { known: false, why: 'an instance runs whose build was not recorded when it was started' };
      return { known: true, value: joinBuilds(builds.filter((one) => one !== null)) };
    }
  }
}
