import type { Command } from 'commander';
import { tallyReading } from '../core/observed/tally.ts';
import { PortError } from '../engine/ports.ts';
import { CliError, type Context } from './context.ts';
import { jsonPrinter, textPrinter, type Watched } from './observe/print.ts';
import { type Subject, subjectsOfConfig, subjectsOfSockets } from './observe/subjects.ts';
import { untilInterrupted } from './terminal/interruption.ts';
import { liveBlock } from './terminal/live.ts';

type ObserveOptions = {
  readonly haproxy?: readonly string[];
  readonly backend?: string;
  readonly destination?: string;
  readonly config?: string;
  readonly json?: true;
  readonly once?: true;
};

/** `drover observe`: what a balancer's counters tell, live, without a plan and without writing anything. */
export function addObserve(program: Command, context: Context): void {
  program
    .command('observe')
    .description('show share, failures and what the judge would see, live; reads only')
    .option('--haproxy <SOCKET|HOST:PORT...>', 'runtime sockets of HAProxy; no configuration file is needed')
    .option('--backend <NAME>', 'only this backend')
    .option('--destination <GLOB>', 'compare the servers with these names with the others')
    .option('--config <FILE>', 'with --haproxy: haproxy.cfg, for what the socket does not tell; else: drover.yaml')
    .option('--json', 'one JSON object per backend and second (docs/reference/observe.md)')
    .option('--once', 'only the figures since the balancer was started')
    .addHelpText('after', examples)
    .action(async (options: ObserveOptions) => {
      const interruption = untilInterrupted();
      try {
        await observe(context, options, interruption.signal);
      } finally {
        interruption.release();
      }
    });
}

const examples = `
Reading needs a socket of any level; level operator also shows the balancing algorithm. Nothing is ever written.
Exit status: 0 when interrupted or with --once, 1 when nothing can be read.

Examples:
  drover observe --haproxy /run/haproxy/admin.sock
  drover observe --haproxy 127.0.0.1:9999 --backend web --destination "vpc-*" --config /etc/haproxy/haproxy.cfg
  drover observe                       what drover.yaml names
  drover observe --haproxy /run/haproxy/admin.sock --json | jq -c '[.at, .backend, .share]'
`;

/** Ends when the signal aborts. Throws when the first readings of all subjects fail. */
export async function observe(context: Context, options: ObserveOptions, signal: AbortSignal): Promise<void> {
  const subjects = await subjectsFor(context, options);
  const watched = subjects.map((subject) => ({ subject, tally: null, failure: null }) satisfies Watched);
  const live = liveBlock(context.stdout, context.clock);
  const print = options.json === true ? jsonPrinter(context) : textPrinter(context, live);
  let current: readonly Watched[] = watched;
  const goesOn = (pass: number) =>
    pass === 0 || !(options.once === true || signal.aborted || context.stdout.gone === true);
  try {
    for (let pass = 0; goesOn(pass); pass++) {
      const startedAtMs = context.clock.monotonic();
      const deadlineMs = pass === 0 ? firstReadMsMax : readMsMax;
      const next = await Promise.all(current.map((each) => readOnce(context, each, deadlineMs)));
      if (pass === 0) throwIfAllFailed(next);
      print(next, current);
      current = next;
      const restMs = intervalMs - (context.clock.monotonic() - startedAtMs);
      if (options.once !== true) await context.clock.sleep(Math.max(0, restMs), signal);
    }
  } finally {
    live.close();
  }
}

const intervalMs = 1000;
/** Below the interval, so that a balancer that hangs does not stop the others' figures. */
const readMsMax = 900;
/** The first one may have to wait for a busy machine. */
const firstReadMsMax = 5000;

async function subjectsFor(context: Context, options: ObserveOptions): Promise<Subject[]> {
  const { haproxy = [], backend = null, destination = null, config } = options;
  if (haproxy.length > 0) {
    return await subjectsOfSockets(context, { sockets: haproxy, backend, destination, configFile: config ?? null });
  }
  if (backend !== null || destination !== null) {
    throw new CliError('--backend and --destination need --haproxy', 'drover.yaml names backends and groups itself');
  }
  return await subjectsOfConfig(context, config);
}

async function readOnce(context: Context, { subject, tally }: Watched, deadlineMs: number): Promise<Watched> {
  try {
    const reading = await subject.backend.read(AbortSignal.timeout(deadlineMs));
    return { subject, tally: tallyReading(tally, reading, context.clock.now(), subject.groups), failure: null };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return { subject, tally, failure: error };
  }
}

function throwIfAllFailed(watched: readonly Watched[]): void {
  const [first] = watched.flatMap(({ failure }) => failure ?? []);
  if (first !== undefined && watched.every(({ failure }) => failure !== null)) throw first;
}
