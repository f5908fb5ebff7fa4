import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry } from '../../../src/core/journal/entry.ts';
import type { FleetEvent } from '../../../src/core/journal/fleet.ts';
import type { RolloutEvent } from '../../../src/core/rollout/events.ts';
import { askControl } from '../../../src/io/control/socket.ts';
import { openSqliteJournal } from '../../../src/io/journal/sqlite.ts';
import { type Drover, type Ended, eventually } from '../rollout/drover.ts';
import { baseline, entriesOf, type World } from '../rollout/site.ts';
import { changed, controllerEntry } from './changes.ts';
import { type Ground, haproxyGround, localGround } from './ground.ts';
import { inProcess } from './in-process.ts';
import { type Point, pointsIn } from './points.ts';

/** A whole rollout, as short as it can be, that is repeated once for each of its points. */
export type Scenario = {
  readonly name: string;
  readonly open: () => Promise<Ground>;
  /** What somebody asks while it runs; null: nobody asks for anything. */
  readonly asks: ((run: Running) => Promise<void>) | null;
};

/** What is there when all is over. */
export type End = {
  readonly reached: readonly Point[];
  /** The command that went on after the kill; null: nothing was killed. */
  readonly next: Next | null;
  /** The controller that was to be killed. */
  readonly first: Ended;
  readonly world: World;
  /** Of the state directory, without what SQLite may leave beside its file. */
  readonly files: readonly string[];
  readonly instances: Readonly<Record<string, number>>;
  readonly operations: readonly string[];
  readonly events: readonly RolloutEvent[];
  readonly fleet: readonly FleetEvent[];
  readonly isVerified: boolean;
  /** What HAProxy was told, by server and lever, from how it was found; a word that was only repeated counts once. */
  readonly told: Readonly<Record<string, readonly string[]>>;
  readonly tookMs: number;
};

/** `wasOver`: the rollout had ended before the kill. */
export type Next = { readonly command: string; readonly wasOver: boolean; readonly ended: Ended };

type Running = { readonly ground: Ground; readonly log: string; readonly controller: Drover };

const operation = 'rollout-web-1';

const at = (bake: string) => ({ steps: [`{ weight: 50%, bake: ${bake} }`] });

/** Behind HAProxy; the second and the third turn off from the first one. */
export const haproxyScenarios: readonly Scenario[] = [
  { name: 'completed', open: () => haproxyGround(at('0s')), asks: null },
  // The drill is on the other server, so that the judge finds it. Less than half of the destination's requests fail, so that whoever goes
  // on has no new reason to hurry.
  {
    name: 'taken back by the judge',
    open: () => haproxyGround({ ...at('0s'), failing: { server: 'vpc-2', failures: 0.7 } }),
    asks: null,
  },
  { name: 'taken back because somebody asked', open: () => haproxyGround(at('60s')), asks: askBack },
];

/** With instances and a balancer that Drover starts itself. */
export const localScenarios: readonly Scenario[] = [
  { name: 'completed, with instances of its own', open: () => localGround(baseline), asks: null },
  { name: 'taken back, with instances of its own', open: () => localGround(0.4), asks: null },
];

async function askBack({ ground, log, controller }: Running): Promise<void> {
  const isJudging = async () => {
    const kinds = await ground.kinds(operation);
    return kinds.filter((kind) => kind === 'stage-entered').length >= 6;
  };
  let isOver = false;
  void controller.ended.then(() => {
    isOver = true;
  });
  await eventually(
    async () => isOver || (await isJudging()),
    (is) => is,
    `a rollout that is judged (${log})`,
    180_000,
  );
  const request = { kind: 'back', by: 'test', reason: null, all: false };
  const socket = join(ground.directory, '.drover', 'control.sock');
  await askControl(socket, { kind: 'operator', operation, request }, AbortSignal.timeout(20_000)).catch(
    () => undefined,
  );
}

/** The rollout took another course, or did not begin: another process of a busy machine took its port, say. */
export class PassedBy extends Error {}

const grounds = new Set<Ground>();

/** Ends everything that runs now, for whoever is interrupted. */
export async function closeAll(): Promise<void> {
  await Promise.all([...grounds].map((ground) => ground.close()));
}

/** Runs it to its end; killed at `point`, it is gone on with by the real command. Throws PassedBy where it was not killed. */
export async function perform(scenario: Scenario, point: Point | null): Promise<End> {
  const startedAt = performance.now();
  const ground = await scenario.open();
  grounds.add(ground);
  try {
    const hash = String(JSON.parse((await inProcess(ground.directory, 'plan', '--json')).stdout).hash);
    const found = await ground.found();
    const log = join(ground.directory, 'points');
    const points = point === null ? { log } : { log, fate: { at: point, signal: 'SIGKILL' as const } };
    const controller = ground.start(process.execPath, [controllerEntry, 'apply', '--plan', hash], changed({ points }));
    ground.begun();
    await scenario.asks?.({ ground, log, controller });
    const first = await controller.ended;
    if (point !== null && first.signal !== 'SIGKILL')
      throw new PassedBy(`the point was not reached: ${JSON.stringify(first)}`);
    const next = point === null ? null : await goOn(ground, scenario, hash);
    const left = await lookAt(ground, log, found).catch((error: unknown) => {
      const said = [first, next?.ended].map((one) => JSON.stringify(one)).join(' and then ');
      throw new Error(`what is left cannot be looked at, after ${said}`, { cause: error });
    });
    return { ...left, first, next, tookMs: performance.now() - startedAt };
  } finally {
    grounds.delete(ground);
    await ground.close();
  }
}

/** The same command again; who has asked for the way back asks again, where nothing has been heard of it. */
async function goOn(ground: Ground, { asks }: Scenario, hash: string): Promise<Next> {
  const kinds = await ground.kinds(operation);
  const isHeard =
    existsSync(join(ground.directory, '.drover', `${operation}.back`)) || kinds.includes('back-performed');
  const command = asks === null || isHeard ? ['apply', '--plan', hash] : ['back'];
  const wasOver = kinds.includes('completed') || kinds.includes('rolled-back');
  return { command: command.join(' '), wasOver, ended: await ground.run(...command) };
}

async function lookAt(ground: Ground, log: string, found: World): Promise<Omit<End, 'first' | 'next' | 'tookMs'>> {
  const { directory } = ground;
  const verified = await inProcess(directory, 'journal', 'verify');
  const fleet = (await entriesOf(directory, 'fleet')) as readonly Entry[];
  return {
    reached: pointsIn(log),
    world: await ground.world(),
    files: filesOf(join(directory, '.drover')),
    instances: await ground.instances(),
    operations: await operationsOf(directory),
    events: (await entriesOf(directory, operation)).map(({ body }) => body),
    fleet: fleet.map(({ body }) => body as FleetEvent),
    isVerified: verified.code === 0,
    told: levers(found, ground.told()),
  };
}

/** What `back --offline` goes by says whether its rollout is over. */
function filesOf(stateDirectory: string): string[] {
  const names = readdirSync(stateDirectory).filter((name) => !/-(wal|shm)$/.test(name));
  return names.sort().map((name) => {
    if (!name.startsWith('rollout-') || !name.endsWith('.json')) return name;
    return `${name} (completed: ${JSON.parse(readFileSync(join(stateDirectory, name), 'utf8')).completed})`;
  });
}

async function operationsOf(directory: string): Promise<string[]> {
  const journal = await openSqliteJournal(join(directory, '.drover', 'journal.db'), { readOnly: true });
  const heads = await journal.heads();
  await journal.close();
  return heads.map((head) => head.operation).sort((one, other) => (one < other ? -1 : 1));
}

/** What each lever was moved to, beginning with how it was found. */
function levers(found: World, commands: readonly string[]): Record<string, string[]> {
  const told: Record<string, string[]> = {};
  for (const [name, { weight, admin }] of Object.entries(found)) {
    told[`web/${name} weight`] = [String(weight)];
    told[`web/${name} state`] = [admin];
  }
  for (const command of commands) {
    const [, , server = '', lever = '', value = ''] = command.split(' ');
    const words = told[`${server} ${lever}`] ?? [];
    if (words.at(-1) !== value) told[`${server} ${lever}`] = [...words, value];
  }
  return told;
}
