import type { BalancerConfig } from '../../core/fleet/config.ts';
import { matchesGlob } from '../../core/fleet/glob.ts';
import type { Rules } from '../../core/judge/judge.ts';
import type { Groups } from '../../core/observed/tally.ts';
import type { Backend } from '../../engine/ports.ts';
import { CliError, type Context } from '../context.ts';
import { loadConfig } from '../load-config.ts';

/** One backend of one balancer process to observe. */
export type Subject = {
  readonly title: string;
  readonly backend: Backend;
  readonly groups: Groups | null;
  /** What the judge would judge by. */
  readonly rules: Rules;
};

/** Those of a policy that says nothing else. */
const defaultRules: Rules = { alpha: 0.001, beta: 0.01, tolerate: 2, bad: 3, dispersion: 3, objective: null };

export type HaproxySelection = {
  readonly sockets: readonly string[];
  readonly backend: string | null;
  readonly destination: string | null;
  readonly configFile: string | null;
};

const deadlineMs = 5000;

/** What is behind these sockets, without any configuration. Each process by itself: they are never pooled. */
export async function subjectsOfSockets(context: Context, selection: HaproxySelection): Promise<Subject[]> {
  const { sockets, backend, destination, configFile } = selection;
  const groups = destination === null ? null : { origin: '*', destination };
  const balancers = sockets.map(
    (socket): BalancerConfig => ({ kind: 'haproxy', name: socket, sockets: [socket], configFile }),
  );
  const names = backend === null ? await backendsOf(context, balancers) : [backend];
  const subjects = balancers.flatMap((balancer) =>
    names.flatMap((name) => {
      const title = sockets.length === 1 ? name : `${name} at ${balancer.name}`;
      return context.world
        .openBackends(balancer, { backend: name })
        .map(({ backend }) => ({ title, backend, groups, rules: defaultRules }));
    }),
  );
  return destination === null ? subjects : await withServers(subjects, destination);
}

/** Several processes of one service have the same backends, so one that is away now is asked for those of the others. */
async function backendsOf(context: Context, balancers: readonly BalancerConfig[]): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(deadlineMs);
  const lists = await Promise.allSettled(balancers.map((balancer) => context.world.listBackends(balancer, signal)));
  const names = new Set(lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : [])));
  if (names.size > 0) return [...names];
  const failed = lists.find((list) => list.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const where = balancers.map((balancer) => balancer.name).join(', ');
  throw new CliError(`HAProxy at ${where} has no backend with servers`, 'name another socket with --haproxy');
}

/** Keeps the backends in which a server's name fits; none at all is a mistake in the pattern. */
async function withServers(subjects: readonly Subject[], destination: string): Promise<Subject[]> {
  const signal = AbortSignal.timeout(deadlineMs);
  const readings = await Promise.allSettled(subjects.map(({ backend }) => backend.read(signal)));
  const serversOf = (at: number) => {
    const reading = readings[at];
    return reading?.status === 'fulfilled' ? reading.value.servers.map((server) => server.name) : null;
  };
  const fits = subjects.map((_, at) => serversOf(at)?.some((name) => matchesGlob(destination, name)) ?? null);
  if (fits.includes(true)) return subjects.filter((_, at) => fits[at] !== false);
  const failed = readings.find((reading) => reading.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const names = subjects.flatMap((_, at) => serversOf(at) ?? []);
  const some = names.length > 8 ? `${names.slice(0, 8).join(', ')} …` : names.join(', ');
  throw new CliError(`no server fits --destination ${destination}`, `the servers are named ${some}`);
}

/** What drover.yaml names: each service at each of its balancers' processes, in its groups. */
export async function subjectsOfConfig(context: Context, path: string | undefined): Promise<Subject[]> {
  const { config, file } = await loadConfig(context, path);
  const subjects: Subject[] = [];
  for (const service of Object.values(config.services)) {
    const rules = { ...service.rollout.judge, objective: service.objective?.failureRate ?? null };
    for (const traffic of service.traffic) {
      const balancer = config.balancers[traffic.balancer];
      if (balancer === undefined) throw new CliError(`${file}: there is no balancer ${traffic.balancer}`);
      const groups = { origin: traffic.origin, destination: traffic.destination };
      for (const { id, backend } of context.world.openBackends(balancer, traffic)) {
        subjects.push({ title: `${service.name} at ${id}`, backend, groups, rules });
      }
    }
  }
  if (subjects.length === 0) throw new CliError(`${file} names no service with traffic`);
  return subjects;
}
