import { percent } from '../../config/quantities.ts';
import type { BalancerConfig, Config, ServiceConfig, TrafficConfig } from '../../core/fleet/config.ts';
import { controllability } from '../../core/fleet/controllability.ts';
import { matchesGlob } from '../../core/fleet/glob.ts';
import type { BackendReading, ServerReading } from '../../core/observed/backend.ts';
import { leastShareAt } from '../../core/plan/shares.ts';
import { PortError } from '../../engine/ports.ts';
import type { OpenBackend, World } from '../context.ts';

/** What a running balancer tells about one backend of the file. */
export type BackendCheck = {
  readonly id: string;
  readonly service: string;
  readonly state: 'checked' | 'unreachable';
  readonly findings: readonly BackendFinding[];
};

/** `refuse`: no rollout starts with it. */
export type BackendFinding = {
  readonly severity: 'refuse' | 'warn';
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
};

/** Reads every backend that the services name, all at once, each within the deadline. A balancer that is silent is a finding. */
export async function checkBackends(config: Config, world: World, deadlineMs: number): Promise<BackendCheck[]> {
  const checks: Promise<BackendCheck>[] = [];
  for (const service of Object.values(config.services)) {
    for (const traffic of service.traffic) {
      const balancer = config.balancers[traffic.balancer];
      if (balancer === undefined) throw new Error(`a checked configuration has the balancer ${traffic.balancer}`);
      for (const open of world.openBackends(balancer, traffic)) {
        checks.push(checkBackend({ service, traffic, balancer }, open, deadlineMs));
      }
    }
  }
  return await Promise.all(checks);
}

type Subject = {
  readonly service: ServiceConfig;
  readonly traffic: TrafficConfig;
  readonly balancer: BalancerConfig;
};

async function checkBackend(subject: Subject, open: OpenBackend, deadlineMs: number): Promise<BackendCheck> {
  const { id, backend } = open;
  try {
    const reading = await backend.read(AbortSignal.timeout(deadlineMs));
    return { id, service: subject.service.name, state: 'checked', findings: findingsOf(subject, reading) };
  } catch (error) {
    const silent = error instanceof PortError || (error instanceof Error && error.name === 'TimeoutError');
    if (!silent) throw error;
    const finding: BackendFinding = {
      severity: 'warn',
      what: 'it cannot be read',
      why: error.message,
      remedy: 'Start the balancer or correct its address, or leave balancers out with --offline.',
    };
    return { id, service: subject.service.name, state: 'unreachable', findings: [finding] };
  }
}

function findingsOf(subject: Subject, reading: BackendReading): BackendFinding[] {
  const origin = serversOf(reading, subject.traffic.origin);
  const destination = serversOf(reading, subject.traffic.destination);
  return [
    ...controllability(reading.traits, [...origin, ...destination]),
    ...(subject.balancer.kind === 'haproxy' ? emptyGroups(subject, reading, { origin, destination }) : []),
    ...weighedDestination(destination, origin),
    ...coarseSteps(subject, reading),
    ...attemptFindings(subject, reading),
    ...strangers(reading, [...origin, ...destination]),
  ];
}

function serversOf(reading: BackendReading, pattern: string): ServerReading[] {
  return reading.servers.filter((server) => matchesGlob(pattern, server.name));
}

function emptyGroups(
  { traffic }: Subject,
  reading: BackendReading,
  groups: Readonly<Record<'origin' | 'destination', readonly ServerReading[]>>,
): BackendFinding[] {
  const sides = (['origin', 'destination'] as const).filter((side) => groups[side].length === 0);
  const names = reading.servers.slice(0, 5).map((server) => server.name);
  return sides.map((side) => ({
    severity: 'refuse',
    what: `no server fits the pattern "${traffic[side]}" of the ${side}`,
    why: names.length === 0 ? 'The backend has no servers.' : `The servers are named ${names.join(', ')} …`,
    remedy: 'Correct the pattern, or add the `server` lines.',
  }));
}

/** A reload brings configured weights back, and would undo a roll back later, unwatched. */
function weighedDestination(destination: readonly ServerReading[], origin: readonly ServerReading[]): BackendFinding[] {
  const names = destination.filter((server) => server.configuredWeight > 0).map((server) => server.name);
  if (names.length === 0) return [];
  const bare = origin.filter(({ weight, configuredWeight }) => weight > 0 && configuredWeight === 0);
  const first = bare.map(({ name, weight }) => `\`weight ${weight}\` on the line of ${name}, `).join('');
  return [
    {
      severity: 'refuse',
      what: `servers of the destination have a weight in the balancer's configuration: ${names.slice(0, 5).join(', ')}`,
      why: 'A reload sets this weight again, and would undo a roll back later, when nobody watches.',
      remedy:
        bare.length === 0
          ? 'Write `weight 0` on their `server` lines.'
          : `Write ${first}and \`weight 0\` on those of the destination: with the last alone a reload would leave nobody any weight.`,
    },
  ];
}

/** Weights are whole numbers of a range: below some share they make more than what was asked for. */
function coarseSteps({ service, traffic }: Subject, reading: BackendReading): BackendFinding[] {
  return service.rollout.steps.flatMap((step, index) => {
    const least = leastShareAt(traffic, reading, step);
    if (least === null || step.kind !== 'weight') return [];
    const made = percent(Number(least.toPrecision(2)));
    return [
      {
        severity: 'warn' as const,
        what: `step ${index + 1} asks for ${percent(step.share)}, and the least that the weights of these servers make is ${made}`,
        why: 'A weight is a whole number from 1 to 256: the destination gets more than the step says.',
        remedy: `Write at least weight: ${made}.`,
      },
    ];
  });
}

/** Left out of everything, so they are named. */
function strangers({ servers }: BackendReading, ours: readonly ServerReading[]): BackendFinding[] {
  const names = servers.filter((server) => !ours.includes(server)).map((server) => server.name);
  // Where no server is anybody's, the patterns are wrong, and that is said already.
  if (names.length === 0 || ours.length === 0) return [];
  return [
    {
      severity: 'warn',
      what: `servers of neither group: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
      why: 'They keep their weights and their traffic, which is not moved, not judged and in no share.',
      remedy: 'Where they should move too, widen the pattern `origin` or `destination` of this service.',
    },
  ];
}

function attemptFindings({ service }: Subject, reading: BackendReading): BackendFinding[] {
  const { attemptMsMax } = reading.traits;
  const configuredMs = service.rollout.attemptMsMax;
  if (!attemptMsMax.known || attemptMsMax.value <= configuredMs) return [];
  const seconds = Math.ceil(attemptMsMax.value / 1_000);
  return [
    {
      severity: 'refuse',
      what: `an attempt can last ${seconds}s here, and rollout.attempt says ${configuredMs / 1_000}s`,
      why: 'Failures are counted when requests end: one that ends later than expected is judged by a share that no longer holds.',
      remedy: `Write attempt: ${seconds}s, or shorten the balancer's time-outs.`,
    },
  ];
}

export function describeObjective(service: ServiceConfig): string {
  return service.objective === null ? 'none' : percent(service.objective.failureRate);
}
