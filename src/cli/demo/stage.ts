import { cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../core/fleet/config.ts';
import { CliError } from '../context.ts';
import { loadConfig } from '../load-config.ts';

/** Where a demo plays: a copy of `examples/analytics` on ports that are free, and what was changed in it. */
export type Stage = {
  readonly directory: string;
  readonly stateDirectory: string;
  readonly config: Config;
  readonly collectorUrl: string;
  readonly queryUrl: string;
  readonly frontendUrl: string;
  /** Failed fraction of all requests to collector and query, on purpose. */
  readonly baseline: number;
  /** Events and pages per second each. */
  readonly perSecond: number;
  /** Puts a build of the collector into the destination, as a team's pipeline would. */
  deploy(build: { readonly version: string; readonly failures: number }): Promise<void>;
  /** Whether it is removed at the end. */
  readonly temporary: boolean;
  remove(): Promise<void>;
};

export type StageOptions = {
  readonly balancer: 'haproxy' | 'embedded';
  readonly fast: boolean;
  /** null: a temporary one. */
  readonly directory: string | null;
};

/** The same way up from `src/cli/demo/` and from `dist/cli/demo/`. */
const examples = fileURLToPath(new URL('../../../examples/analytics', import.meta.url));

/** The ports that the example's files name: the block from here on. */
const portsInFiles = 28_000;
const portsOffsets = [
  1,
  2,
  3,
  ...[100, 110, 120, 130].flatMap((first) => block(first, 6)),
  ...block(140, 4),
  ...block(150, 4),
];

export async function setStage(options: StageOptions): Promise<Stage> {
  const directory = options.directory ?? (await makeTemporary());
  if (options.directory !== null) await makeEmpty(directory);
  await cp(examples, directory, { recursive: true });
  const firstPort = await freeBlock();
  const baseline = options.fast ? 0.02 : 0.01;
  await rewrite(join(directory, 'haproxy.cfg'), (text) => moved(text, firstPort));
  await rewrite(join(directory, 'drover.yaml'), (text) => adapted(moved(text, firstPort), options));
  for (const build of ['collector-classic', 'collector-vpc', 'query-classic', 'query-vpc']) {
    await rewrite(join(directory, 'builds', `${build}.json`), (text) => {
      const { version }: { version: string } = JSON.parse(text);
      return buildFile({ version, failures: baseline });
    });
  }
  const { config } = await loadConfig({ directory });
  const at = (offset: number) => `http://127.0.0.1:${firstPort + offset}`;
  return {
    directory,
    stateDirectory: join(directory, '.drover'),
    config,
    collectorUrl: at(1),
    queryUrl: at(2),
    frontendUrl: at(3),
    baseline,
    perSecond: options.fast ? 250 : 200,
    deploy: (build) => writeFile(join(directory, 'builds', 'collector-vpc.json'), buildFile(build)),
    temporary: options.directory === null,
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Every change of the example is one that is said here: the balancer, this Node, and what makes `--fast` fast. */
function adapted(text: string, { balancer, fast }: StageOptions): string {
  let adapted = replaced(text, /command: \[node, /g, `command: [${JSON.stringify(process.execPath)}, `);
  if (balancer === 'haproxy') {
    // One HAProxy carries all three backends; an embedded balancer carries one.
    const edge = '  edge: { haproxy: { socket: haproxy.sock, config: haproxy.cfg } }\n';
    adapted = replaced(adapted, /( {2}\w+-edge: .*\n)+/, edge);
    adapted = replaced(adapted, /balancer: \w+-edge/g, 'balancer: edge');
  }
  if (!fast) return adapted;
  adapted = replaced(adapted, /capacity: 110\/s/g, 'capacity: 140/s');
  // Twice the failures and one step less, a larger test group and an objective that is farther off: evidence comes faster.
  adapted = replaced(adapted, /failures: 3%/g, 'failures: 8%');
  adapted = replaced(adapted, / {4}- \{ weight: 50%, bake: 10s \}\n/, '');
  adapted = replaced(adapted, /capacity: 1, bake: 10s/, 'capacity: 3, bake: 5s');
  adapted = replaced(adapted, /control-share: 5%/, 'control-share: 10%');
  adapted = replaced(adapted, /requests: 20, time: 15s/, 'requests: 20, time: 7s');
  return adapted;
}

/** A pattern that is not there would leave the demo playing something else than it says. */
function replaced(text: string, pattern: RegExp, by: string): string {
  const after = text.replace(pattern, () => by);
  if (after === text) throw new Error(`the example has no ${pattern.source}`);
  return after;
}

function moved(text: string, firstPort: number): string {
  return text.replace(/\b28(\d{3})\b/g, (_, offset: string) => String(firstPort + Number(offset)));
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

function buildFile(build: { readonly version: string; readonly failures: number }): string {
  return `${JSON.stringify(build)}\n`;
}

/** Of the names of directories that nobody asked for. */
export const temporaryPrefix = 'drover-demo-';

async function makeTemporary(): Promise<string> {
  try {
    return await realpath(await mkdtemp(join(tmpdir(), temporaryPrefix)));
  } catch (error) {
    const remedy = 'set TMPDIR to one that can be written to, or name one with --keep DIRECTORY';
    throw new CliError(`no directory can be made in ${tmpdir()} (${codeOf(error)})`, remedy, error);
  }
}

async function makeEmpty(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const code = codeOf(error);
    const remedies: Readonly<Record<string, string>> = {
      EEXIST: 'it is there already: --keep takes one that is not',
      ENOENT: 'the directory above it is not there: make that first',
    };
    throw new CliError(
      `${directory} cannot be made (${code})`,
      remedies[code] ?? 'name another one with --keep',
      error,
    );
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** The first port of a block in which every port that the example names is free. */
async function freeBlock(): Promise<number> {
  for (let first = portsInFiles; first >= 10_000; first -= 200) {
    const free = await Promise.all(portsOffsets.map((offset) => isFree(first + offset)));
    if (free.every(Boolean)) return first;
  }
  throw new CliError('no block of free ports was found from 10000 to 28200', 'end what listens there, and try again');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function block(first: number, length: number): number[] {
  return Array.from({ length }, (_, index) => first + index);
}
