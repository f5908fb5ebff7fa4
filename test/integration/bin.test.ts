import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkout } from '../../scripts/test/child.ts';
import { oldNode } from './package/old-node.ts';

/** Prints its Node and its arguments; ends on SIGTERM and SIGINT as a controller would, or as the first argument says. */
const main = `
  const [what] = process.argv.slice(2);
  if (what === 'wait') {
    process.on('SIGINT', () => process.exit(2));
    setInterval(() => {}, 1000);
  }
  console.log(JSON.stringify({ version: process.version, arguments: process.argv.slice(2) }));
  if (what === 'exit') process.exit(7);
  if (what === 'die') process.kill(process.pid, 'SIGKILL');
`;

describe.each(oldNodes())('started by $name', ({ command, env }) => {
  test('runs on the Node that the package brings, with all arguments, and exits as it does', async () => {
    const started = await start(command, env, ['exit', '--a=b c', '']);
    expect(await started.ended).toEqual({ code: 7, signal: null });
    const said = JSON.parse(started.stdout());
    expect(said.version).toMatch(/^v(2[4-9]|[3-9]\d)\./);
    expect(said.arguments).toEqual(['exit', '--a=b c', '']);
  });

  test('SIGTERM and SIGINT reach it, and how it ended is told', async () => {
    const interrupted = await start(command, env, ['wait']);
    await interrupted.firstLine;
    interrupted.child.kill('SIGINT');
    expect(await interrupted.ended).toEqual({ code: 2, signal: null });
    const terminated = await start(command, env, ['wait']);
    await terminated.firstLine;
    terminated.child.kill('SIGTERM');
    expect(await terminated.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('killed inside: killed outside', async () => {
    const started = await start(command, env, ['die']);
    expect(await started.ended).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('without the package that brings Node: says what is missing and what to do', async () => {
    const started = await start(command, env, ['exit'], { bundled: false });
    expect(await started.ended).toEqual({ code: 1, signal: null });
    expect(started.stderr()).toMatch(/^drover: needs Node 24 or newer, this is v.* Install Node 24 and try again\.\n$/);
  });
});

test('a Node that is new enough runs it without a second process', async () => {
  const started = await start(process.execPath, {}, ['exit'], { bundled: false });
  expect(await started.ended).toEqual({ code: 7, signal: null });
});

/** This Node, told to say that it is an old one, and a real one where the machine has it. */
function oldNodes(): { name: string; command: string; env: Record<string, string> }[] {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.0.0'})`;
  const env = { NODE_OPTIONS: `--import "${pretend}"` };
  const pretending = { name: 'a Node that says it is 20', command: process.execPath, env };
  const real = oldNode();
  return real === null ? [pretending] : [pretending, { name: `Node ${real.major}`, command: real.path, env: {} }];
}

type Started = {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly firstLine: Promise<void>;
  stdout(): string;
  stderr(): string;
};

async function start(
  command: string,
  env: Record<string, string>,
  args: string[],
  { bundled = true } = {},
): Promise<Started> {
  const root = await mkdtemp(join(tmpdir(), 'drover-bin-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'src'));
  await writeFile(join(root, 'src', 'main.ts'), main);
  await cp(join(checkout, 'bin'), join(root, 'bin'), { recursive: true });
  if (bundled) await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'));
  const child = spawn(command, [join(root, 'bin', 'drover.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stderr.on('data', (chunk) => (err += chunk));
  const firstLine = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('\n')) resolve();
    });
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, ended, firstLine, stdout: () => out, stderr: () => err };
}
