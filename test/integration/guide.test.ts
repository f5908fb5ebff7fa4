import { afterEach, expect, test } from 'vitest';
import { HaproxyBackend } from '../../src/io/balancer/haproxy/backend.ts';
import { askRuntime } from '../../src/io/balancer/haproxy/runtime-socket.ts';
import { type Block, blocksOf } from './guide/blocks.ts';
import { openReader, type Reader, type Typed } from './guide/reader.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function reader(): Promise<Reader> {
  const opened = await openReader();
  closing.push(opened.close);
  return opened;
}

test('who types what the guide to the first rollout says arrives where it says', { timeout: 300_000 }, async () => {
  const someone = await reader();
  const going = new Going(someone);
  for (const block of blocksOf('first-rollout.md')) {
    if (block.command === 'systemctl reload haproxy') await someone.reload({ classic: 0, vpc: 100 });
    else await going.follow(block);
    if (block.command.startsWith('drover init')) someone.fillIn();
    if (block.command.startsWith('drover back')) await going.expectEnd();
    if (block.command.startsWith('drover back')) expect(await weights(someone)).toEqual([100, 100, 0, 0]);
  }
  expect(going.text('drover retire')).toContain('the reserve was given up');
  expect(await weights(someone)).toEqual([0, 0, 100, 100]);
});

test('and what to do at night, by each way', { timeout: 300_000 }, async () => {
  const someone = await reader();
  const going = new Going(someone);
  const init = 'drover init --haproxy /run/haproxy/admin.sock --config /etc/haproxy/haproxy.cfg';
  await going.follow({ how: 'run', exit: 0, command: init });
  someone.fillIn();
  await going.follow({ how: 'run', exit: 2, command: 'drover plan' });
  let pid = 0;
  closing.push(async () => end(pid));
  for (const block of blocksOf('running-the-controller.md')) {
    if (block.command === 'drover resume') {
      // As systemctl stop and start would: the next controller finds the rollout held.
      await going.until('drover status', 'judging');
      await end(pid, 'SIGTERM');
      await going.follow({ how: 'run', exit: 0, command: 'drover apply --plan HASH --detach' });
      pid = pidIn(going.text('drover apply'));
      await going.until('drover status', 'the controller was asked to end (SIGTERM)');
    }
    if (block.how === 'by hand') await byHand(someone, block.command);
    else await going.follow(block);
    if (block.command.endsWith('--detach')) pid = pidIn(going.text('drover apply'));
    if (block.command.startsWith('drover back --reason')) expect(await weights(someone)).toEqual([100, 100, 0, 0]);
    if (block.command.startsWith('drover back --offline')) expect(await states(someone)).toEqual(asideStates);
    if (block.command.startsWith('drover back --offline')) await wake(someone);
  }
  expect(await states(someone)).toEqual(asideStates);
});

const asideStates = ['ready', 'ready', 'maint', 'maint'];

/** One reader's session: what was typed, and what goes on in the background. */
class Going {
  readonly #reader: Reader;
  readonly #texts = new Map<string, string>();
  #hash: string | null = null;
  #background: { readonly typed: Typed; readonly block: Block } | null = null;

  constructor(someone: Reader) {
    this.#reader = someone;
  }

  async follow(block: Block): Promise<void> {
    const typed = this.#reader.type(block.command, { hash: this.#hash });
    if (block.how === 'background') {
      this.#background = { typed, block };
      await expect.poll(() => typed.text(), { timeout: 90_000 }).toContain('judging');
      return;
    }
    if (block.how === 'interrupt') {
      await expect.poll(() => typed.text().split('\n').length, { timeout: 90_000 }).toBeGreaterThan(2);
      typed.child.kill('SIGINT');
    }
    const code = await typed.exit;
    expect({ command: block.command, code, text: typed.text() }).toMatchObject({ code: block.exit });
    this.#hash = /^Plan ([0-9a-f]{64})$/m.exec(typed.text())?.[1] ?? this.#hash;
    this.#texts.set(block.command.split(' ').slice(0, 2).join(' '), typed.text());
  }

  text(verb: string): string {
    return this.#texts.get(verb) ?? '';
  }

  async until(command: string, expected: string): Promise<void> {
    const look = async () => {
      const typed = this.#reader.type(command);
      await typed.exit;
      return typed.text();
    };
    await expect.poll(look, { timeout: 90_000, interval: 500 }).toContain(expected);
  }

  async expectEnd(): Promise<void> {
    if (this.#background === null) throw new Error('nothing goes on in the background');
    const { typed, block } = this.#background;
    expect({ code: await typed.exit, text: typed.text() }).toMatchObject({ code: block.exit });
    this.#background = null;
  }
}

function pidIn(text: string): number {
  return Number(/\(pid (\d+)\)/.exec(text)?.[1]);
}

async function end(pid: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (!(pid > 0)) return;
  try {
    process.kill(pid, signal);
    await expect.poll(() => isThere(pid), { timeout: 60_000 }).toBe(false);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** `echo 'COMMANDS' | socat stdio SOCKET`, without socat. */
async function byHand({ haproxy }: Reader, command: string): Promise<void> {
  const commands = /^echo '(.*)' \| socat stdio \/run\/haproxy\/admin\.sock$/.exec(command)?.[1]?.split('; ') ?? [];
  expect(commands.length).toBeGreaterThan(0);
  const answers = await askRuntime(haproxy.socket, commands, AbortSignal.timeout(10_000));
  expect(answers).toEqual(commands.map(() => ''));
}

async function read({ haproxy }: Reader) {
  const backend = new HaproxyBackend({ socket: haproxy.socket, backend: 'web', configFile: null });
  return (await backend.read(AbortSignal.timeout(10_000))).servers;
}

async function weights(someone: Reader): Promise<number[]> {
  return (await read(someone)).map(({ weight }) => weight);
}

async function states(someone: Reader): Promise<string[]> {
  return (await read(someone)).map(({ admin }) => admin);
}

async function wake({ haproxy }: Reader): Promise<void> {
  const commands = ['vpc-1', 'vpc-2'].map((name) => `set server web/${name} state ready`);
  await askRuntime(haproxy.socket, commands, AbortSignal.timeout(10_000));
}
