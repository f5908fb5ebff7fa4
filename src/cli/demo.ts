import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { CliError, type Context, type Output } from './context.ts';
import { startBalancers } from './controller/balancers.ts';
import { type Claim, claimsOf, type Evidence, figureRows, figuresOf } from './demo/claims.ts';
import { leftByEarlier } from './demo/earlier.ts';
import { commandToEnd, endingOf } from './demo/ending.ts';
import { instancesOf, startFleet } from './demo/fleet.ts';
import { type Guard, guard, livingPath, startGuard } from './demo/guard.ts';
import { findHaproxy, type RunningHaproxy, startHaproxy } from './demo/haproxy.ts';
import { type Stage, setStage } from './demo/stage.ts';
import { play } from './demo/story.ts';
import { startUsers } from './demo/users.ts';
import { percentage, whole } from './terminal/figures.ts';
import { untilInterrupted } from './terminal/interruption.ts';
import { type Paint, paintFor } from './terminal/paint.ts';
import { table } from './terminal/table.ts';

type DemoOptions = {
  readonly balancer: 'auto' | 'haproxy' | 'embedded';
  readonly fast?: true;
  readonly keep?: string;
  readonly guard?: string;
  readonly json?: true;
};

/** `drover demo`: a fleet of three services moves on this machine, under load; every claim at the end is counted. */
export function addDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .description('move a fleet of three services on this machine under load, take a bad build back, survive a kill -9')
    .addOption(
      new Option('--balancer <KIND>', 'what spreads the traffic')
        .choices(['auto', 'haproxy', 'embedded'])
        .default('auto'),
    )
    .option('--fast', 'a little more than two minutes in place of five: twice the failures, one step less')
    .option('--keep <DIRECTORY>', 'play in this directory, and leave its files there')
    .addOption(
      new Option(
        '--guard <DIRECTORY>',
        'end what a demo there has left once standard input ends: how a demo starts its guard',
      ).hideHelp(),
    )
    .option(
      '--json',
      'the claims and figures as one JSON object (docs/reference/demo.md); the story goes to standard error',
    )
    .addHelpText('after', examples)
    .action((options: DemoOptions) =>
      options.guard === undefined ? demo(context, options) : guard(context, options.guard, options.keep === undefined),
    );
}

const examples = `
Starts real processes and a load generator on the loopback interface, and ends all of them. "auto" takes HAProxy
where it is on PATH, else that in the cache of a checkout (.cache/haproxy), else the embedded balancer.
Nothing outside of a temporary directory is written.
Exit status: 0 every claim holds, 1 one does not, or the demo could not be played.

Examples:
  drover demo
  drover demo --fast --balancer embedded
  drover demo --keep ./demo && drover journal --config demo/drover.yaml
`;

async function demo(context: Context, options: DemoOptions): Promise<void> {
  const screen = options.json ? context.stderr : context.stdout;
  const paint = paintFor({ stdout: screen, env: context.env });
  for (const line of await leftByEarlier(context)) screen.write(`${paint.yellow(line)}\n`);
  const balancer = await chooseBalancer(context, options);
  const stage = await setStage({
    balancer: balancer === null ? 'embedded' : 'haproxy',
    fast: options.fast === true,
    directory: options.keep === undefined ? null : resolve(context.directory, options.keep),
  });
  const guard = startGuard(stage);
  const interruption = untilInterrupted(endingOf(stage, guard, screen));
  const living = await context.world.listenControl(livingPath(stage.directory), async () => ({ pid: process.pid }));
  const ended: { left: readonly number[] | null } = { left: null };
  try {
    const setting = { stage, guard, screen, paint, signal: interruption.signal, balancer };
    const evidence = await onStage(context, setting, (pids) => {
      ended.left = pids;
    });
    conclude(context, options, evidence, screen, paint);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    const end = ended.left?.length === 0 ? '; everything that it had started was ended' : '';
    throw new CliError(`the demo was interrupted${end}`);
  } finally {
    if (living !== 'busy') await living.close();
    await leave(stage, guard, ended.left, screen);
    interruption.release();
  }
}

/** `left`: what could not be ended; null: it is not known. */
async function leave(stage: Stage, guard: Guard, left: readonly number[] | null, screen: Output): Promise<void> {
  if (left !== null && left.length === 0) {
    if (stage.temporary) await stage.remove();
    await guard.dismiss();
    return;
  }
  guard.takeOver();
  const pids = left === null ? 'something' : `pid ${left.join(', ')}`;
  screen.write(
    `drover: ${pids} could not be ended. Once whatever holds it is gone:\n  ${commandToEnd(stage.directory)}\n`,
  );
}

/** null: the embedded one. */
async function chooseBalancer({ env }: Context, { balancer }: DemoOptions): Promise<string | null> {
  if (balancer === 'embedded') return null;
  const found = await findHaproxy(env['PATH']);
  if (found === null && balancer === 'haproxy') {
    throw new CliError(
      'there is no haproxy, neither on PATH nor in the cache of a checkout',
      'in a checkout, `npm exec -- node scripts/fetch/haproxy.ts` fetches it into .cache and installs nothing; or play with --balancer embedded',
    );
  }
  return found;
}

type Setting = {
  readonly stage: Stage;
  readonly guard: Guard;
  readonly screen: Output;
  readonly paint: Paint;
  readonly signal: AbortSignal;
  /** Path of HAProxy; null: the embedded balancers. */
  readonly balancer: string | null;
};

/** Starts everything, plays, and ends everything, whatever happens. `onLeft` is told of what could not be ended. */
async function onStage(
  context: Context,
  { balancer, ...setting }: Setting,
  onLeft: (pids: readonly number[]) => void,
): Promise<Evidence> {
  const { stage, screen, paint, signal } = setting;
  let haproxy: RunningHaproxy | null = null;
  let users: ReturnType<typeof startUsers> | null = null;
  try {
    if (balancer !== null) haproxy = await startHaproxy(balancer, stage.directory);
    else await startBalancers(context, stage.config, stage.stateDirectory, signal);
    const name = haproxy === null ? 'embedded (a process of its own for each service)' : `HAProxy ${haproxy.version}`;
    screen.write(`${introduction(stage, name, paint).join('\n')}\n`);
    await startFleet(context, stage, signal);
    users = startUsers(stage, setting.guard);
    return await play({ context, users, ...setting });
  } finally {
    await users?.stop().catch(() => undefined);
    await haproxy?.stop();
    onLeft(await context.world.endStarted(stage.stateDirectory, null));
  }
}

function introduction(stage: Stage, balancer: string, paint: Paint): string[] {
  const rate = whole(stage.perSecond);
  return [
    paint.bold('A fleet of three services moves from "classic" to "vpc", on this machine and under load.'),
    '',
    ...table(
      [
        ['  balancer', balancer],
        ['  fleet', `${instancesOf(stage.config)} in classic, as real processes`],
        [
          '  users',
          `${rate} events/s to the collector and ${rate} pages/s to the front end, which asks query for each`,
        ],
        [
          '  planted',
          `${percentage(stage.baseline)} of the requests to collector and query fail on purpose, everywhere and all the time`,
        ],
        ['  judge', 'its default settings'],
        ['  files', stage.directory],
      ],
      'll',
    ),
  ];
}

function conclude(context: Context, options: DemoOptions, evidence: Evidence, screen: Output, paint: Paint): void {
  const claims = claimsOf(evidence);
  const figures = figuresOf(evidence);
  screen.write(`\n${paint.bold('What was claimed, and what was counted')}\n\n`);
  const rows = figureRows(figures, evidence.baseline).map(([name, value]) => [`  ${name}`, value]);
  screen.write(`${table(rows, 'll').join('\n')}\n\n`);
  for (const claim of claims) screen.write(`${claimLine(claim, paint)}\n`);
  const broken = claims.filter((claim) => !claim.holds).length;
  screen.write(
    broken === 0
      ? `\n${paint.green('Every claim holds.')} Read on with a service of yours: drover observe --haproxy SOCKET\n`
      : `\n${paint.red(`${broken} of ${claims.length} claims do not hold.`)}\n`,
  );
  if (options.json) {
    context.stdout.write(`${JSON.stringify({ ok: broken === 0, claims, figures })}\n`);
  }
  context.setExitCode(broken === 0 ? 0 : 1);
}

function claimLine({ name, holds, found }: Claim, paint: Paint): string {
  return `  ${holds ? paint.green('✓') : paint.red('✗')} ${name}\n      ${paint.dim(found)}`;
}
