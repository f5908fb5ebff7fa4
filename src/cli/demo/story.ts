import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RolloutStatus } from '../../core/rollout/status.ts';
import { CliError, type Context, type Output } from '../context.ts';
import { type PastRollout, rolloutsOf } from '../journal/history.ts';
import type { Paint } from '../terminal/paint.ts';
import type { Evidence, Outage } from './claims.ts';
import type { Guard } from './guard.ts';
import type { Stage } from './stage.ts';
import type { Users } from './users.ts';
import { type RunningVerb, runVerb, startVerb } from './verbs.ts';

/** Everything that the acts of the story need. */
export type Play = {
  readonly context: Context;
  readonly stage: Stage;
  readonly users: Users;
  readonly guard: Guard;
  readonly screen: Output;
  readonly paint: Paint;
  readonly signal: AbortSignal;
};

/** How long the world is left without a controller. */
const outageMs = 4000;
/** A controller is killed this long after its step began to be judged: in the middle of it. */
const judgedMs = 3000;

/** The story in its order. Returns what the claims are made of; throws when it cannot go on. */
export async function play(act: Play): Promise<Evidence> {
  const { stage } = act;
  await settle(act, 3000);
  title(act, 'Wave 1: the query service moves');
  await apply(act, 'queries', await plan(act, 'queries', true), 0);
  title(act, 'Wave 2: the collector moves, with a build that fails 10 times as often');
  await stage.deploy({ version: 'collector-42', failures: Math.min(0.5, stage.baseline * 10) });
  await apply(act, 'ingest', await plan(act, 'ingest', false), 2);
  await report(act);
  title(act, 'The fixed build is deployed, and moves. In the middle its controller is killed with SIGKILL');
  await stage.deploy({ version: 'collector-43', failures: stage.baseline });
  const fixedFromMs = Date.now();
  const outage = await applyWithOutage(act, 'ingest', await plan(act, 'ingest', false));
  const movedAtMs = Date.now();
  await settle(act, 3000);
  return await evidenceOf(act, { fixedFromMs, movedAtMs, outage });
}

async function plan(act: Play, wave: string, shown: boolean): Promise<string> {
  say(act, act.paint.dim(`$ drover plan --wave ${wave}`));
  const { code, text } = await runVerb(act.stage, ['plan', '--wave', wave], act.screen);
  act.signal.throwIfAborted();
  const hash = / apply .*--plan (\w+)/.exec(text)?.[1];
  if (shown || hash === undefined) act.screen.write(`${text}\n`);
  if (hash === undefined) throw new CliError(`drover plan ended with ${code} and without a plan`);
  return hash;
}

async function apply(act: Play, wave: string, hash: string, expected: number): Promise<void> {
  const code = await running(act, startApply(act, wave, hash)).ended;
  act.signal.throwIfAborted();
  if (code !== expected)
    throw new CliError(`drover apply ended with ${code}; the story goes on only after ${expected}`);
}

async function applyWithOutage(act: Play, wave: string, hash: string): Promise<Outage> {
  const { context, signal } = act;
  const first = running(act, startApply(act, wave, hash));
  let ended = false;
  void first.ended.then(() => {
    ended = true;
  });
  while (!isInTheMiddle(await statusOf(act), context.clock.now())) {
    signal.throwIfAborted();
    if (ended) throw new CliError('drover apply ended before it could be killed');
    await context.clock.sleep(200, signal);
  }
  first.kill('SIGKILL');
  await first.ended;
  const killedAtMs = context.clock.now();
  const before = await weights(act);
  say(act, `\n${act.paint.yellow(`The controller (pid ${first.pid}) was killed with SIGKILL. Nobody drives now.`)}`);
  await settle(act, outageMs);
  const status = await runVerb(act.stage, ['status'], act.screen);
  say(act, act.paint.dim('$ drover status'));
  act.screen.write(status.text);
  const after = await weights(act);
  const ms = context.clock.now() - killedAtMs;
  say(act, '\nThe same command again goes on from the journal:');
  await apply(act, wave, hash, 0);
  return { ms, before, after };
}

function startApply(act: Play, wave: string, hash: string): RunningVerb {
  const args = ['apply', '--wave', wave, '--plan', hash];
  say(act, act.paint.dim(`$ drover ${args.join(' ')}`));
  return startVerb(act.stage, act.guard, args, act.screen);
}

/** An interrupted demo ends its controller first: what it holds is of no use to anybody. */
function running(act: Play, verb: RunningVerb): RunningVerb {
  const end = () => verb.kill('SIGKILL');
  act.signal.addEventListener('abort', end);
  void verb.ended.then(() => act.signal.removeEventListener('abort', end));
  return verb;
}

function isInTheMiddle(status: RolloutStatus | null, nowMs: number): boolean {
  return status?.stage === 'judging' && nowMs - status.stageSinceMs >= judgedMs;
}

async function statusOf({ context, stage }: Play): Promise<RolloutStatus | null> {
  const socket = join(stage.stateDirectory, 'control.sock');
  const answer = await context.world
    .askControl(socket, { kind: 'status' }, AbortSignal.timeout(2000))
    .catch(() => null);
  if (typeof answer !== 'object' || answer === null || !('status' in answer)) return null;
  return answer.status as RolloutStatus | null;
}

/** Weights and states of the collector's servers, as the balancer tells. */
async function weights({ context, stage }: Play): Promise<string> {
  const { config } = stage;
  const traffic = config.services['collector']?.traffic[0];
  const balancer = traffic === undefined ? undefined : config.balancers[traffic.balancer];
  if (traffic === undefined || balancer === undefined) throw new Error('the example has no collector');
  const texts: string[] = [];
  for (const { backend } of context.world.openBackends(balancer, traffic)) {
    const { servers } = await backend.read(AbortSignal.timeout(5000));
    const used = servers.filter((server) => server.weight > 0);
    texts.push(
      used
        .map((server) => `${server.name} ${server.weight}${server.admin === 'ready' ? '' : ` ${server.admin}`}`)
        .join(', '),
    );
  }
  return texts.join('; ');
}

async function report(act: Play): Promise<void> {
  say(act, act.paint.dim('\n$ drover report collector'));
  const { text } = await runVerb(act.stage, ['report', 'collector'], act.screen);
  act.screen.write(`${text}\n`);
}

async function evidenceOf(act: Play, times: Pick<Evidence, 'fixedFromMs' | 'movedAtMs' | 'outage'>): Promise<Evidence> {
  const { context, stage, users } = act;
  await users.stop();
  const counted = await countedEvents(stage);
  const journal = await context.world.openJournal(join(stage.stateDirectory, 'journal.db'), { readOnly: true });
  const rollouts = await rolloutsOf(context.world, journal, null);
  await journal.close();
  return {
    ...times,
    rows: await users.ledger(),
    logged: await loggedEvents(join(stage.directory, 'data')),
    counted,
    baseline: stage.baseline,
    perSecond: 2 * stage.perSecond,
    query: named(rollouts, 'rollout-query-1'),
    bad: named(rollouts, 'rollout-collector-1'),
    fixed: named(rollouts, 'rollout-collector-2'),
  };
}

function named(rollouts: readonly PastRollout[], operation: string): PastRollout {
  const rollout = rollouts.find(({ state }) => state.operation === operation);
  if (rollout === undefined) throw new CliError(`the journal has no ${operation}`);
  return rollout;
}

/** From the query service that moved. A planted failure is asked again. */
async function countedEvents(stage: Stage): Promise<number> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const response = await fetch(`${stage.queryUrl}/count`, { signal: AbortSignal.timeout(10_000) });
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'events' in body) return Number(body.events);
  }
  throw new CliError('the query service does not tell how many events there are');
}

async function loggedEvents(directory: string): Promise<string[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.events'));
  const texts = await Promise.all(files.map((name) => readFile(join(directory, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
}

async function settle({ context, signal }: Play, ms: number): Promise<void> {
  await context.clock.sleep(ms, signal);
  signal.throwIfAborted();
}

function title(act: Play, text: string): void {
  say(act, `\n${act.paint.bold(text)}\n`);
}

function say({ screen }: Play, text: string): void {
  screen.write(`${text}\n`);
}
