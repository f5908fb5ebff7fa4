import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../../core/fleet/config.ts';
import type { RolloutState } from '../../core/rollout/state.ts';

const sizeSchema = z.object({ min: z.int(), max: z.int(), desired: z.int() });

/**
 * Everything that a way back needs when neither the journal nor the configuration can be read: `.drover/<rollout>.json`,
 * written before the first change, removed when there is nothing left to take back.
 */
const exportSchema = z.object({
  operation: z.string(),
  service: z.string(),
  /** Completed: it is taken back when it is named, or when none is unfinished. */
  completed: z.boolean(),
  balancers: z.array(
    z.object({
      backend: z.string(),
      /** Left out by an earlier version: then the servers that were found are all that is known of the origin. */
      origin: z.string().optional(),
      destination: z.string(),
      balancer: z.union([
        z.object({
          kind: z.literal('haproxy'),
          name: z.string(),
          sockets: z.array(z.string()).readonly(),
          configFile: z.string().nullable(),
        }),
        z.object({
          kind: z.literal('embedded'),
          name: z.string(),
          listen: z.string(),
          socket: z.string(),
          carries: z.enum(['origin', 'destination']),
        }),
      ]),
    }),
  ),
  asFound: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        side: z.enum(['origin', 'destination']),
        weight: z.int().min(0).max(256),
        admin: z.enum(['ready', 'drain', 'maint']),
      }),
    ),
  ),
  /** Of groups that Drover can size; left out by an earlier version. */
  sizes: z.object({ origin: sizeSchema.nullable(), destination: sizeSchema.nullable() }).exactOptional(),
});
export type ExportedState = z.infer<typeof exportSchema>;

/** Throws what the file system says. */
export async function exportState(stateDirectory: string, config: Config, state: RolloutState): Promise<void> {
  if (state.stage.kind === 'rolled-back' || state.retired) {
    await rm(join(stateDirectory, `${state.operation}.json`), { force: true });
    return;
  }
  const balancers = (config.services[state.plan.service]?.traffic ?? []).flatMap(
    ({ backend, origin, destination, balancer: name }) => {
      const balancer = config.balancers[name];
      return balancer === undefined ? [] : [{ backend, origin, destination, balancer }];
    },
  );
  const content: ExportedState = {
    operation: state.operation,
    service: state.plan.service,
    completed: state.stage.kind === 'completed',
    balancers,
    asFound: state.asFound.backends,
    sizes: { origin: state.asFound.origin, destination: state.asFound.destination },
  };
  await writeExport(stateDirectory, content);
}

/**
 * What a controller had no time for that died right after the last entry of its rollout: the export says that it is completed, or
 * is gone where there is nothing left to take back. Everything else in it stays. Throws what the file system says.
 */
export async function settleExport(
  stateDirectory: string,
  exported: ExportedState,
  state: RolloutState,
): Promise<void> {
  if (state.stage.kind === 'rolled-back' || state.retired)
    return await rm(join(stateDirectory, `${exported.operation}.json`), { force: true });
  if (state.stage.kind === 'completed' && !exported.completed)
    await writeExport(stateDirectory, { ...exported, completed: true });
}

async function writeExport(stateDirectory: string, content: ExportedState): Promise<void> {
  const path = join(stateDirectory, `${content.operation}.json`);
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export type Exports = {
  readonly states: readonly ExportedState[];
  /** Files that cannot be understood, each with the reason. */
  readonly problems: readonly string[];
};

/**
 * Every exported rollout of a state directory that can still be taken back, the one that was written last at the end. A damaged
 * file does not hide the others.
 */
export async function exportedStates(stateDirectory: string): Promise<Exports> {
  const states: ExportedState[] = [];
  const problems: string[] = [];
  for (const file of await exportsOf(stateDirectory)) {
    try {
      states.push(parseExport(await readFile(join(stateDirectory, file), 'utf8'), basename(file, '.json')));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(`${join(stateDirectory, file)} cannot be used: ${why}`);
    }
  }
  return { states, problems };
}

async function exportsOf(stateDirectory: string): Promise<string[]> {
  const files = await readdir(stateDirectory).catch(() => []);
  const names = files.filter((one) => one.startsWith('rollout-') && one.endsWith('.json'));
  const writtenMs = async (name: string) => (await stat(join(stateDirectory, name)).catch(() => null))?.mtimeMs ?? 0;
  const rows = await Promise.all(names.map(async (name) => ({ name, atMs: await writtenMs(name) })));
  // `rollout-web-10` comes after `rollout-web-2` where both were written in the same moment.
  const collator = new Intl.Collator('en', { numeric: true });
  rows.sort((one, other) => one.atMs - other.atMs || collator.compare(one.name, other.name));
  return rows.map(({ name }) => name);
}

/** Throws an Error of one sentence. `operation`: by the file's name, so that a copy of a file is not another rollout. */
export function parseExport(text: string, operation: string): ExportedState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(text.trim() === '' ? 'it is empty' : 'it is cut off, or not JSON', { cause: error });
  }
  const parsed = exportSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'not what was written'}`);
  }
  if (parsed.data.operation === operation) return parsed.data;
  throw new Error(
    `it is the exported state of ${JSON.stringify(parsed.data.operation.slice(0, 100))}, and not called so`,
  );
}
