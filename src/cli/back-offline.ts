import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { BalancerConfig } from '../core/fleet/config.ts';
import { matchesGlob } from '../core/fleet/glob.ts';
import type { Backend } from '../engine/ports.ts';
import { CliError, type Context } from './context.ts';

export type OfflineOptions = {
  readonly haproxy?: string;
  readonly embedded?: string;
  readonly backend?: string;
  readonly destination?: string;
};

type Target = {
  readonly id: string;
  readonly backend: Backend;
  readonly destination: string;
  /** Weights of the origin as the rollout found them; empty: the configured ones. */
  readonly originWeights: Readonly<Record<string, number>>;
};

const callMs = 3000;

/**
 * The way back without journal, controller or configuration: the origin gets its weights, the destination goes into maint,
 * on every balancer that can be reached. The marker tells controllers that come back.
 */
export async function backOffline(context: Context, options: OfflineOptions, name: string | undefined): Promise<void> {
  const given = options.haproxy !== undefined || options.embedded !== undefined;
  const targets = given ? await givenTargets(context, options) : await exportedTargets(context, name);
  const outcomes = await Promise.all(targets.map((target) => takeBack(context, target)));
  const failed = outcomes.filter((outcome) => !outcome);
  context.setExitCode(failed.length > 0 ? 1 : 2);
  if (failed.length > 0)
    context.stderr.write(
      `drover: ${failed.length} of ${targets.length} balancers still stand: run the same command again\n`,
    );
}

async function takeBack(context: Context, target: Target): Promise<boolean> {
  const signal = AbortSignal.timeout(callMs);
  try {
    const reading = await target.backend.read(signal);
    const destination = reading.servers.filter((server) => matchesGlob(target.destination, server.name));
    if (destination.length === 0) throw new CliError(`no server matches "${target.destination}"`);
    const weights: Record<string, number> = {};
    for (const server of reading.servers) {
      if (destination.includes(server)) continue;
      const weight = target.originWeights[server.name] ?? server.configuredWeight;
      if (server.weight !== weight && weight > 0) weights[server.name] = weight;
    }
    if (Object.keys(weights).length > 0) await target.backend.setWeights(weights, signal);
    await target.backend.setStates(
      Object.fromEntries(destination.map((server) => [server.name, 'maint' as const])),
      signal,
    );
    const after = await target.backend.read(signal);
    const left = after.servers.filter(
      (server) => destination.some(({ name }) => name === server.name) && server.admin !== 'maint',
    );
    if (left.length > 0) throw new CliError(`${left.map((server) => server.name).join(', ')} are not in maint`);
    context.stdout.write(
      `${target.id}: ${destination.length} destination servers are in maint; the origin carries everything\n`,
    );
    return true;
  } catch (error) {
    context.stderr.write(`${target.id}: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

async function givenTargets(context: Context, options: OfflineOptions): Promise<Target[]> {
  const { destination } = options;
  if (destination === undefined) throw new CliError('--destination GLOB is needed: which servers are to be taken back');
  const balancer = givenBalancer(options);
  const names =
    options.backend === undefined
      ? await context.world.listBackends(balancer, AbortSignal.timeout(callMs))
      : [options.backend];
  const targets: Target[] = [];
  for (const backend of names) {
    for (const opened of context.world.openBackends(balancer, { backend })) {
      const reading = options.backend === undefined ? await opened.backend.read(AbortSignal.timeout(callMs)) : null;
      const matches = reading === null || reading.servers.some((server) => matchesGlob(destination, server.name));
      if (matches) targets.push({ ...opened, destination, originWeights: {} });
    }
  }
  if (targets.length === 0) throw new CliError(`no backend has a server that matches "${destination}"`);
  return targets;
}

function givenBalancer({ haproxy, embedded }: OfflineOptions): BalancerConfig {
  if (haproxy !== undefined) return { kind: 'haproxy', name: haproxy, sockets: [haproxy], configFile: null };
  return { kind: 'embedded', name: 'embedded', listen: '', socket: embedded ?? '' };
}

const balancerSchema = z.union([
  z.object({
    kind: z.literal('haproxy'),
    name: z.string(),
    sockets: z.array(z.string()),
    configFile: z.string().nullable(),
  }),
  z.object({ kind: z.literal('embedded'), name: z.string(), listen: z.string(), socket: z.string() }),
]);
const exportSchema = z.object({
  operation: z.string(),
  balancers: z.array(z.object({ balancer: balancerSchema, backend: z.string(), destination: z.string() })),
  asFound: z.record(z.string(), z.record(z.string(), z.object({ side: z.string(), weight: z.number() }))),
});

/** What the rollout exported before its first change, and the marker for whoever controls it next. */
async function exportedTargets(context: Context, name: string | undefined): Promise<Target[]> {
  const directory = join(context.directory, '.drover');
  const files = (await readdir(directory).catch(() => [])).filter(
    (file) => file.startsWith('rollout-') && file.endsWith('.json'),
  );
  const chosen = name === undefined ? files : files.filter((file) => file === `${name}.json`);
  const [file, other] = chosen;
  if (file === undefined || other !== undefined) {
    const remedy = 'name the rollout, or the balancer: drover back --offline --haproxy SOCKET --destination GLOB';
    throw new CliError(`${chosen.length === 0 ? 'no' : 'more than one'} exported rollout in ${directory}`, remedy);
  }
  const parsed = exportSchema.parse(JSON.parse(await readFile(join(directory, file), 'utf8')));
  await context.world
    .openMarker(directory)
    .write(parsed.operation, `${context.user}, offline`)
    .catch(() => undefined);
  return parsed.balancers.flatMap(({ balancer, backend, destination }) =>
    context.world
      .openBackends(balancer, { backend })
      .map((opened) => ({ ...opened, destination, originWeights: originWeights(parsed.asFound[opened.id]) })),
  );
}

function originWeights(
  found: Readonly<Record<string, { readonly side: string; readonly weight: number }>> | undefined,
): Record<string, number> {
  const weights: Record<string, number> = {};
  for (const [name, { side, weight }] of Object.entries(found ?? {})) if (side === 'origin') weights[name] = weight;
  return weights;
}
