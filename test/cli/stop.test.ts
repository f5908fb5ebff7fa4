import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { StartedHere, World } from '../../src/cli/context.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { PortError } from '../../src/engine/ports.ts';
import { differences } from '../docs/page.ts';
import { contextInMemory, directoryForEach, type Told } from '../made/context.ts';

const group = (environment: string, ports: number) =>
  `{ environment: ${environment}, size: 1..2, command: [run], ports: ${ports}, server: "${environment}-{index}", health: / }`;
const service = (name: string, balancer: string, ports: number) => `  ${name}:
    owner: team
    kind: stateless
    objective: { failures: 1% }
    traffic: { balancer: ${balancer}, backend: ${name}, origin: "classic-*", destination: "vpc-*" }
    origin: ${group('classic', ports)}
    destination: ${group('vpc', ports + 10)}
`;
const config = `version: 1
name: shop
environments: { classic: { provider: local }, vpc: { provider: local } }
balancers:
  edge: { embedded: { listen: 127.0.0.1:24100 } }
  side: { embedded: { listen: 127.0.0.1:24101 } }
services:
${service('query', 'edge', 24200)}${service('store', 'side', 24300)}`;

const directory = directoryForEach();
beforeEach(() => writeFile(join(directory.path, 'drover.yaml'), config));

/** A machine with these processes; `immortal`: pids that nothing ends. */
async function stop(
  words: readonly string[],
  { isBusy = false, immortal = [] as readonly number[], isFresh = false, isDamaged = false } = {},
): Promise<Told & { readonly alive: readonly number[] }> {
  if (!isFresh) await mkdir(join(directory.path, '.drover'), { recursive: true });
  let processes: StartedHere[] = [
    { kind: 'instance', of: 'query.origin', name: 'query.origin-1', pid: 11 },
    { kind: 'instance', of: 'query.destination', name: 'query.destination-1', pid: 12 },
    { kind: 'instance', of: 'store.origin', name: 'store.origin-1', pid: 13 },
    { kind: 'instance', of: 'gone.origin', name: 'gone.origin-1', pid: 14 },
    { kind: 'balancer', of: 'edge', name: 'edge', pid: 21 },
    { kind: 'balancer', of: 'side', name: 'side', pid: 22 },
  ];
  let isHeld = false;
  const world: Partial<World> = {
    openJournal: () =>
      Promise.reject(
        isDamaged
          ? new PortError('corrupt', 'the journal is damaged', { retriable: false })
          : new PortError('not-found', 'there is no journal', { retriable: false }),
      ),
    listenControl: () => {
      isHeld = !isBusy;
      return Promise.resolve(
        isBusy
          ? 'busy'
          : {
              close: () => {
                isHeld = false;
                return Promise.resolve();
              },
            },
      );
    },
    startedHere: () => Promise.resolve(processes),
    endStarted: (_, only) => {
      if (!isHeld) return Promise.reject(new Error('a controller could begin meanwhile'));
      const isMeant = ({ kind, of }: StartedHere) =>
        only === null || (kind === 'instance' ? only.groups : only.balancers).includes(of);
      processes = processes.filter((one) => !isMeant(one) || immortal.includes(one.pid));
      return Promise.resolve(immortal);
    },
  };
  let said = '';
  const stderr = {
    write: (more: string) => {
      said += more;
    },
    terminal: null,
  };
  const { context, told } = contextInMemory({ directory: directory.path, user: 'alice', world, stderr });
  const refused = await buildProgram(context)
    .parseAsync(['stop', ...words], { from: 'user' })
    .then(
      () => null,
      (error: unknown) => String(error),
    );
  expect(isHeld).toBe(false);
  const alive = processes.map(({ pid }) => pid);
  return refused === null ? { ...told, text: told.text + said, alive } : { text: told.text + refused, code: 1, alive };
}

const everything = [11, 12, 13, 14, 21, 22];

test('all that was started from the state directory ends, also what the configuration does not name any more', async () => {
  const { text, code, alive } = await stop(['--yes']);
  expect(alive).toEqual([]);
  expect(code).toBe(0);
  expect(text).toContain('ended  instance gone.origin-1 (pid 14)\n');
  expect(text).toContain('ended  embedded balancer edge (pid 21)\n');
});

test('of one service: its groups and its balancer, and the others run on', async () => {
  const { text, code, alive } = await stop(['query', '--yes', '--json']);
  expect(alive).toEqual([13, 14, 22]);
  expect(code).toBe(0);
  const document = JSON.parse(text) as { readonly ended: readonly { readonly pid: number }[] };
  expect(document.ended.map(({ pid }) => pid)).toEqual([11, 12, 21]);
  expect(differences('stop.md', 'stop', document)).toEqual([]);
});

test.each([
  ['a controller is alive', ['--yes'], { isBusy: true }, /a controller is running already/],
  ['nobody could be asked', [], {}, /4 instances and 2 embedded balancers would be ended, and nothing was done/],
  ['a program would have to be asked', ['--json'], {}, /would be ended, and nothing was done/],
  ['the service is not known', ['qeury', '--yes'], {}, /there is no service "qeury"/],
])('nothing ends where %s', async (_, words, given, expected) => {
  const { text, code, alive } = await stop(words, given);
  expect(text).toMatch(expected);
  expect(code).toBe(1);
  expect(alive).toEqual(everything);
});

test('a journal that is damaged keeps nothing running, and that is said', async () => {
  const { text, code, alive } = await stop(['--yes'], { isDamaged: true });
  expect({ code, alive }).toEqual({ code: 0, alive: [] });
  expect(text).toContain('whether a rollout is unfinished is not known: the journal is damaged\n');
});

test('what is left is named, and is no success', async () => {
  const { text, code } = await stop(['--yes'], { immortal: [13] });
  expect(code).toBe(1);
  expect(text).toContain('LEFT   pid 13');
  expect(text).not.toContain('ended  instance store.origin-1');
});

test('where nothing was started nothing is asked, and nothing is made', async () => {
  const { text, code } = await stop([], { isFresh: true });
  expect({ text, code }).toEqual({ text: 'nothing that Drover started runs here\n', code: 0 });
  expect(await readdir(directory.path)).toEqual(['drover.yaml']);
});
