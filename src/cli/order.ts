import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import { calleeFirst, type Figures, figuresOf, randomOrders } from '../core/order/compared.ts';
import { type Edges, type EdgesProblem, edgesOf } from '../core/order/edges.ts';
import { type Ended, OrderSearch, type Solution } from '../core/order/solve.ts';
import { CliError, type Context } from './context.ts';
import { orderIn } from './order/named-order.ts';
import { type Compared, progressLine, textOf } from './order/words.ts';
import { liveBlock } from './terminal/live.ts';
import { unreadable } from './unreadable.ts';

type Options = { readonly seed: string; readonly seconds: string; readonly compare?: string; readonly json?: true };
type OrderContext = Pick<Context, 'stdout' | 'stderr' | 'stdin' | 'directory' | 'clock'>;

/** `drover order EDGES.csv`: in which order services move, so that the least crosses. Exit 0, or 1 for bad input. */
export function addOrder(program: Command, context: OrderContext): void {
  program
    .command('order')
    .description('the order in which services move so that the least crosses the boundary, all moves summed up')
    .argument('<FILE>', 'what calls what, as CSV; - reads standard input')
    .option('--seed <NUMBER>', 'of the search: the same file and seed give the same order', '1')
    .option('--seconds <NUMBER>', 'the search ends after this time, with the best that it has found', '10')
    .option('--compare <ORDER>', 'also what another order costs: callee-first, random, or one from a FILE')
    .option('--json', 'as JSON (docs/reference/order.md)')
    .addHelpText('after', help)
    .action(async (file: string, options: Options) => {
      await order(context, file, options);
    });
}

const help = `
The file has a header with the columns caller and callee and, in any order, rate (default 1) and kind (hard, soft or
telemetry; default hard). A row "name," is a service without any dependency. Telemetry and services that call
themselves do not count.

One service moves after the other. What crosses after a move is the rate of all dependencies with exactly one side
moved; the exposure is the sum over all moves. Of orders that cost the same the one with the smaller peak is taken,
then the one in which more callees move before their callers.

Exit status: 0, or 1 for a file or an option that is wrong, with line and column.

Examples:
  drover order edges.csv
  drover order --json edges.csv | jq -r .order[]
  drover order --compare callee-first edges.csv
  drover order --compare random --seconds 60 edges.csv
`;

async function order(context: OrderContext, file: string, options: Options): Promise<void> {
  const seed = numberOf('seed', options.seed, /^[0-9]{1,10}$/, 'a whole number');
  const seconds = numberOf('seconds', options.seconds, /^([0-9]{1,6}(\.[0-9]+)?|\.[0-9]+)$/, 'a number of seconds');
  const name = file === '-' ? '<stdin>' : file;
  const edges = edgesOf(await textIn(context, file, 'drover order --help tells the columns'));
  if (!('services' in edges)) throw badEdges(name, edges);
  const compared = options.compare === undefined ? null : await comparedWith(context, options.compare, edges, seed);
  const { solution, stopped } = await searched(context, edges, seed, seconds);
  if (options.json === true) {
    const { order, exposure, peak, lowerBound, optimal } = solution;
    const result = { order, exposure, peak, lowerBound, optimal, stopped, ignored: edges.ignored };
    context.stdout.write(`${JSON.stringify(compared === null ? result : { ...result, compared })}\n`);
  } else context.stdout.write(textOf(edges, solution, stopped, compared));
}

/** Looks at the clock, and lets signals in, between the steps of the search. */
async function searched(
  context: OrderContext,
  edges: Edges,
  seed: number,
  seconds: number,
): Promise<{ readonly solution: Solution; readonly stopped: Ended | 'time' }> {
  const { clock } = context;
  const live = liveBlock(context.stderr, clock);
  const startedAt = clock.monotonic();
  let shownAt = startedAt;
  const search = new OrderSearch(edges.services, edges.dependencies, seed);
  const steps = search.search();
  try {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return { solution: search.best(), stopped: step.value };
      const now = clock.monotonic();
      if (now - startedAt >= seconds * 1000) return { solution: search.best(), stopped: 'time' };
      if (now - shownAt < 500) continue;
      live.show([progressLine(search.best(), (now - startedAt) / 1000)]);
      shownAt = now;
      await setImmediate();
    }
  } finally {
    live.close();
  }
}

async function comparedWith(context: OrderContext, what: string, edges: Edges, seed: number): Promise<Compared> {
  if (what === 'callee-first') return { with: what, ...oneOf(figuresOf(edges, [calleeFirst(edges)])) };
  if (what === 'random') {
    const drawn = 500;
    const figures = figuresOf(edges, randomOrders(edges, seed, drawn));
    const sorted = figures.toSorted((one, other) => one.exposure - other.exposure);
    const [least, most] = [oneOf(sorted.slice(0, 1)).exposure, oneOf(sorted.slice(-1)).exposure];
    return { with: what, ...oneOf(sorted.slice(drawn / 2)), drawn, least, most };
  }
  const text = await textIn(
    context,
    what,
    '--compare takes callee-first, random, or a file with one service on each line',
  );
  return { with: what, ...oneOf(figuresOf(edges, [orderIn(text, what, edges.services)])) };
}

function oneOf(figures: readonly Figures[]): Figures {
  return figures[0] ?? { exposure: 0, peak: 0 };
}

async function textIn(context: OrderContext, file: string, remedy: string): Promise<string> {
  try {
    const bytes = file === '-' ? await allOf(context.stdin) : await readFile(resolve(context.directory, file));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isOtherText = 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
    const why = isOtherText ? 'it is not UTF-8' : unreadable(error);
    throw new CliError(`${file}: ${why}`, remedy);
  }
}

async function allOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function badEdges(name: string, problems: readonly EdgesProblem[]): CliError {
  const lines = problems.map(({ line, column, what }) => `${name}:${line}:${column}: ${what}`);
  return new CliError(lines.join('\n'), 'drover order --help tells the columns');
}

function numberOf(option: string, text: string, form: RegExp, expected: string): number {
  const value = Number(text);
  if (form.test(text) && Number.isFinite(value)) return value;
  throw new CliError(`--${option}: expected ${expected}, found ${text}`, 'see drover order --help');
}
