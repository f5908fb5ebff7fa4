import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What was asked for cannot be done, and why. */
export class Wrong extends Error {}

/** What `npm run sim` was asked for. Nothing of it is overlooked: what would have no effect is `Wrong`. */
export type Asked = {
  readonly first: number;
  /** null: one world, of `first`. */
  readonly seeds: number | null;
  readonly workers: number | null;
  /** Whether to count the pairs of state and crash point anew. */
  readonly pairs: boolean;
  readonly json: string | null;
  readonly verbose: boolean;
  readonly mutation: string | null;
  readonly shrink: boolean;
  readonly without: readonly string[];
  readonly healAtMs: number | null;
  readonly keep: string | null;
  readonly why: string | null;
  readonly exportTo: string | null;
};

const ofOneWorld = ['mutation', 'shrink', 'without', 'heal-at', 'keep', 'why', 'export'] as const;
const ofManyWorlds = ['workers', 'pairs'] as const;

export function askedBy(args: readonly string[]): Asked {
  const values = parsedBy(args, {
    ...worldOptions,
    workers: { type: 'string' },
    pairs: { type: 'boolean' },
    json: { type: 'string' },
    export: { type: 'string' },
  });
  const only = values.seeds === undefined ? ofManyWorlds : ofOneWorld;
  for (const name of only) {
    if (values[name] === undefined) continue;
    throw new Wrong(
      values.seeds === undefined
        ? `--${name} is about many worlds: it needs --seeds N`
        : `--${name} is about one world: give --seed N without --seeds`,
    );
  }
  if (values.shrink && (values.without !== undefined || values['heal-at'] !== undefined))
    throw new Wrong('--shrink finds by itself what --without and --heal-at say');
  if (values.why !== undefined && values.keep === undefined) throw new Wrong('--why belongs to --keep NAME');
  return {
    first: count('--seed', values.seed ?? '1', 0),
    seeds: values.seeds === undefined ? null : count('--seeds', values.seeds, 1),
    workers: values.workers === undefined ? null : count('--workers', values.workers, 1),
    pairs: values.pairs === true,
    json: values.json ?? null,
    verbose: values.verbose === true,
    mutation: values.mutation ?? null,
    shrink: values.shrink === true,
    without: values.without?.split(',') ?? [],
    healAtMs: values['heal-at'] === undefined ? null : count('--heal-at', values['heal-at'], 0),
    keep: values.keep ?? null,
    why: values.why ?? null,
    exportTo: values.export ?? null,
  };
}

/** Of both simulators: which worlds, and what to do with one. */
export const worldOptions = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  verbose: { type: 'boolean' },
  mutation: { type: 'string' },
  shrink: { type: 'boolean' },
  without: { type: 'string' },
  'heal-at': { type: 'string' },
  keep: { type: 'string' },
  why: { type: 'string' },
} as const;

/** Throws Wrong. */
export function parsedBy<Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Wrong(error instanceof Error ? error.message : String(error));
  }
}

function count(option: string, text: string, min: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
  throw new Wrong(`${option} takes a whole number from ${min} on, not "${text}"`);
}
