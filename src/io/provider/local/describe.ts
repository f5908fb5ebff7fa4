import type { GroupReading, InstanceReading, InstanceState } from '../../../core/observed/group.ts';
import { known, type Reading, unknown } from '../../../core/observed/reading.ts';
import { buildOfAll, buildsByHttp } from '../build-by-http.ts';
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
  const described = await Promise.all(observed.map((one) => describeInstance(setup, one, monitor)));
  const healthy = observed.filter((_, position) => described[position]?.state === 'healthy');
  const builds = await describeBuilds(setup, observed, healthy, signal);
  const instances = observed.flatMap((one, position) => {
    const instance = described[position];
    const build = builds.get(one);
    return instance === undefined ? [] : [{ ...instance, build: build?.known ? build.value : null }];
  });
  return {
    size: { min: wanted.min, max: setup.size.max, desired: wanted.desired },
    instances,
    build: await describeBuild(setup, builds),
  };
}

async function describeInstance(
  setup: Setup,
  one: Observed,
  monitor: HealthMonitor,
): Promise<Omit<InstanceReading, 'build'>> {
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

/** What those tell of their builds who can: whoever is not named was not asked. */
async function describeBuilds(
  setup: Setup,
  observed: readonly Observed[],
  healthy: readonly Observed[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Observed, Reading<string>>> {
  const { build } = setup.config;
  switch (build.kind) {
    case 'declared':
      return new Map(observed.map((one) => [one, known(build.build)]));
    case 'http': {
      // One that is not healthy gets no traffic, and often cannot answer yet.
      const addresses = healthy.map(({ record }) => addressOf(setup, record));
      const answers = await buildsByHttp(addresses, build.path, signal);
      return new Map(healthy.map((one, position) => [one, answers[position] ?? unrecorded]));
    }
    case 'command': {
      const started = observed.filter(({ record }) => processOf(record) !== null);
      return new Map(started.map((one) => [one, one.record.build === null ? unrecorded : known(one.record.build)]));
    }
  }
}

const unrecorded = unknown('an instance runs whose build was not recorded when it was started');

async function describeBuild(
  { config: { build }, local }: Setup,
  told: ReadonlyMap<Observed, Reading<string>>,
): Promise<Reading<string>> {
  if (build.kind === 'declared') return known(build.build);
  if (build.kind === 'command' && told.size === 0) return commandBuild(build, local);
  return buildOfAll([...told.values()]);
}
