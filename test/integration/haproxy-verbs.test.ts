import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { type HaproxyHarness, openHaproxy } from './haproxy-harness.ts';

const run = promisify(execFile);
const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function fleet(): Promise<HaproxyHarness> {
  const harness = await openHaproxy({
    names: ['classic-1', 'classic-2', 'vpc-1'],
    server: (name) => (name.startsWith('vpc') ? 'weight 0' : 'weight 100'),
  });
  closing.push(harness.close);
  await harness.traffic(40);
  return harness;
}

describe('a team that meets Drover for the first time', () => {
  test('observe needs a socket only, tells what happened since the start, and writes nothing', async () => {
    const { haproxy, backend } = await fleet();
    const before = await backend.read(AbortSignal.timeout(20_000));
    const { stdout } = await run(process.execPath, [main, 'observe', '--haproxy', haproxy.socket, '--once']);
    expect(stdout).toMatch(/^classic-1 +no check +100 +50.0 % +20 +0 %$/m);
    expect(stdout).toMatch(/^vpc-1 +no check +0 +0 % +0 +–$/m);
    expect(await backend.read(AbortSignal.timeout(20_000))).toEqual(before);
  });

  test('observe goes on each second until it is interrupted, and ends with 0', async () => {
    const { haproxy, traffic } = await fleet();
    const arguments_ = [main, 'observe', '--haproxy', haproxy.socket, '--destination', 'vpc-*', '--json'];
    const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
    closing.push(() => void child.kill('SIGKILL'));
    const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
    let text = '';
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += chunk;
      await traffic(10);
      if (text.split('\n').length > 3) break;
    }
    child.kill('SIGINT');
    expect(await exit).toBe(0);
    const [first, second] = text.split('\n').map((line) => JSON.parse(line === '' ? '{}' : line));
    expect(first).toMatchObject({ kind: 'since-start', attempts: 40, failures: 0, share: 0 });
    expect(second).toMatchObject({ kind: 'window', groups: { destination: { attempts: 0 } } });
  });

  test('observe ends when its reader does', async () => {
    const { haproxy } = await fleet();
    const command = `"${process.execPath}" "${main}" observe --haproxy "${haproxy.socket}" --json | head -1`;
    const { stdout } = await run('sh', ['-c', command], { timeout: 60_000 });
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'since-start' });
  });

  test('a socket that is not there is exit 1, with the line to add', async () => {
    const failed = run(process.execPath, [main, 'observe', '--haproxy', '/nosuch/admin.sock']);
    await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('level admin') });
  });

  test('a file in place of a socket is told as one', async () => {
    const failed = run(process.execPath, [main, 'observe', '--haproxy', main]);
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it is a file, and not a socket'),
    });
  });

  test('what belongs to nobody or was put aside is named by plan, check and doctor, and keeps nothing from starting', async () => {
    const harness = await openHaproxy({
      names: ['classic-1', 'classic-2', 'vpc-1', 'vpc-2', 'other-1'],
      server: (name) => `${name.startsWith('vpc') ? 'weight 0' : 'weight 100'} check inter 100ms`,
    });
    closing.push(harness.close);
    const directory = mkdtempSync(join(tmpdir(), 'drover-plan-'));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    writeFileSync(join(directory, 'drover.yaml'), configuration(harness));
    await healthy(harness);
    const aside = { 'classic-2': 'maint', 'vpc-2': 'maint' } as const;
    await harness.backend.setStates(aside, AbortSignal.timeout(20_000));
    const drover = async (...words: string[]) => {
      const outcome = await run(process.execPath, [main, ...words], { cwd: directory }).catch(
        (error: { stdout: string; code: number }) => error,
      );
      return { code: 'code' in outcome ? outcome.code : 0, text: outcome.stdout.replace(/\s+/g, ' ') };
    };
    const plan = await drover('plan', 'web');
    expect(plan.code).toBe(2);
    expect(plan.text).not.toContain('refused');
    expect(plan.text).toContain('put aside by somebody: classic-2 is in maint, vpc-2 is in maint');
    const doctor = await drover('doctor', 'web');
    expect(doctor.text).not.toContain('add `check`');
    expect(doctor.text).not.toContain('TROUBLE');
    expect(doctor.text).toContain('put aside by somebody: classic-2 is in maint, vpc-2 is in maint');
    const check = await drover('check');
    for (const { text } of [plan, doctor, check]) expect(text).toContain('servers of neither group: other-1');
  });

  test('init writes down what is there, and check names what is left to fill in', async () => {
    const { haproxy } = await fleet();
    const directory = mkdtempSync(join(tmpdir(), 'drover-init-'));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const options = { cwd: directory };
    await run(process.execPath, [main, 'init', '--haproxy', haproxy.socket, '--config', haproxy.configFile], options);
    const written = readFileSync(join(directory, 'drover.yaml'), 'utf8');
    expect(written).toContain('destination: "vpc-*" # a guess: 1 server; all of its servers wait');
    expect(written).toContain('40 attempts, of which 0 % failed');
    const marks = written.match(/: # FILL IN/g)?.length;
    const check = run(process.execPath, [main, 'check', '--offline', '--json'], options);
    await expect(check).rejects.toMatchObject({ code: 1 });
    const { stdout } = await check.catch((error: { stdout: string }) => error);
    expect(JSON.parse(stdout).problems).toHaveLength(marks ?? 0);
  });
});

function configuration({ haproxy }: HaproxyHarness): string {
  return `version: 1
name: shop
environments: { classic: { provider: none }, vpc: { provider: none } }
balancers:
  edge: { haproxy: { socket: ${haproxy.socket}, config: ${haproxy.configFile} } }
services:
  web:
    owner: team-web
    kind: stateless
    objective: { failures: 1% }
    traffic:
      - { balancer: edge, backend: web, origin: "classic-*", destination: "vpc-*" }
    origin: { environment: classic, capacity: 1000/s, build: v1 }
    destination: { environment: vpc, capacity: 1000/s, build: v2 }
`;
}

async function healthy({ backend }: HaproxyHarness): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  while (!(await backend.read(signal)).servers.every(({ health }) => health === 'up'))
    await new Promise((resolve) => setTimeout(resolve, 20));
}
