import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences } from '../docs/page.ts';
import { type HaproxyHarness, openHaproxy } from './haproxy-harness.ts';
import { type Endpoint, openEndpoint } from './notify/endpoint.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
let directory = '';
let harness: HaproxyHarness;
let isOver = false;
let traffic: Promise<void>;
let hook: Endpoint;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drover-reference-'));
  harness = await openHaproxy({
    names: ['classic-1', 'classic-2', 'vpc-1', 'vpc-2'],
    server: (name) => `check inter 200ms weight ${name.startsWith('vpc') ? 0 : 100}`,
    backend: ['balance roundrobin', 'option httpchk GET /health', 'timeout connect 1s', 'timeout server 1s'],
  });
  hook = await openEndpoint();
  writeFileSync(join(directory, 'drover.yaml'), configuration(harness.haproxy.socket));
  traffic = keepAsking();
});

afterAll(async () => {
  isOver = true;
  await traffic;
  await harness.close();
  await hook.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('what each verb prints as JSON is what its page says, through the life of a rollout', () => {
  test('before it: observe, check, doctor, plan', async () => {
    const once = ['observe', '--haproxy', harness.haproxy.socket, '--config', harness.haproxy.configFile, '--once'];
    expectPage('observe.md', 'observe', await drover(once), 0);
    expectPage('check.md', 'check', await drover(['check']), 0);
    expectPage('check.md', 'check', await drover(['check', '--offline']), 0);
    expectPage('doctor.md', 'doctor', await drover(['doctor']), 0);
    expectPage('plan.md', 'plan', await drover(['plan']), 2);
    // Whoever only looks leaves nothing behind.
    expect(existsSync(join(directory, '.drover'))).toBe(false);
  });

  test('a socket of too low a level is found by doctor before a rollout finds it', async () => {
    const low = join(harness.haproxy.directory, 'operator.sock');
    writeFileSync(join(directory, 'low.yaml'), configuration(low));
    const [diagnosis] = expectPage('doctor.md', 'doctor', await drover(['doctor', '--config', 'low.yaml']), 2);
    expect(JSON.stringify(diagnosis)).toContain(`stats socket ${low} mode 660 level admin`);
  });

  test('while it runs: apply, watch, status, doctor, hold, resume; and to its end', async () => {
    const [plan] = await drover(['plan']).then(({ values }) => values);
    const apply = controller(['apply', '--plan', String((plan as { hash: string }).hash)]);
    await expect.poll(() => apply.text(), { timeout: 60_000 }).toContain('"kind":"judging"');
    const watched = controller(['watch']);
    await expect.poll(() => watched.text(), { timeout: 60_000 }).toMatch(/\n.*\n/);
    watched.child.kill('SIGINT');
    expect(await watched.exit).toBe(0);
    expectPage('status.md', 'rollout', { values: valuesOf(watched.text()), code: 0 }, 0);
    const [status] = expectPage('status.md', 'status', await drover(['status']), 0);
    expect(status).toMatchObject({ controller: { pid: apply.child.pid } });
    const [diagnosis] = expectPage('doctor.md', 'doctor', await drover(['doctor']), 0);
    expect(JSON.stringify(diagnosis)).toContain('a controller is alive');
    const held = expectPage('operators.md', 'operators', await drover(['hold', '--reason', 'lunch']), 0);
    expect(held).toEqual([{ told: 'rollout-web-1', request: 'hold' }]);
    await expect.poll(() => apply.text(), { timeout: 60_000 }).toContain('"why":"lunch"');
    expectPage('status.md', 'status', await drover(['status']), 0);
    const resumed = expectPage('operators.md', 'operators', await drover(['resume']), 0);
    expect(resumed).toEqual([{ told: 'rollout-web-1', request: 'resume' }]);
    expect(await apply.exit).toBe(0);
    const lines = valuesOf(apply.text());
    expectPage('apply.md', 'apply', { values: lines, code: 0 }, 0);
    expect(lines.at(-1)).toMatchObject({ end: 'ended', stage: 'completed' });
  });

  test('after it: why, report, journal, export, verify, status with the lines to commit, judge, order', async () => {
    expectPage('why.md', 'why', await drover(['why']), 0);
    expectPage('why.md', 'report', await drover(['report']), 0);
    expectPage('journal.md', 'entry', await drover(['journal']), 0);
    expectPage('journal.md', 'export', await drover(['journal', 'export', 'journal.ndjson']), 0);
    expectPage('journal.md', 'verify', await drover(['journal', 'verify']), 0);
    const [status] = expectPage('status.md', 'status', await drover(['status']), 0);
    expect((status as { configurationToCommit: unknown[] }).configurationToCommit).toHaveLength(4);
    writeFileSync(join(directory, 'windows.csv'), `${header}\n60,1000,10,1000,10\n120,1000,10,1000,200\n`);
    expectPage('judge.md', 'judge', await drover(['judge', 'windows.csv']), 2);
    writeFileSync(
      join(directory, 'edges.csv'),
      'caller,callee,kind\nweb,orders,\norders,stock,\nweb,collector,telemetry\n',
    );
    expectPage('order.md', 'order', await drover(['order', 'edges.csv', '--compare', 'random']), 0);
  });

  test('back: entries, and how it ended; the traffic is where it was', async () => {
    const lines = expectPage('operators.md', 'operators', await drover(['back', '--reason', 'enough']), 2);
    expect(lines.at(-1)).toMatchObject({ stage: 'rolled-back' });
    const { servers } = await harness.backend.read(AbortSignal.timeout(10_000));
    expect(Object.fromEntries(servers.map(({ name, weight, admin }) => [name, `${weight} ${admin}`]))).toEqual({
      'classic-1': '100 ready',
      'classic-2': '100 ready',
      'vpc-1': '0 ready',
      'vpc-2': '0 ready',
    });
    expectPage('why.md', 'report', await drover(['report']), 0);
    expectPage('journal.md', 'entry', await drover(['journal']), 0);
  });

  test('all along: the endpoint was told each event that matters, in order, and the journal knows nothing of it', async () => {
    const { values } = await drover(['journal', 'rollout-web-1']);
    type Body = { readonly kind: string; readonly stage?: { readonly kind: string } };
    const entries = values as readonly { readonly hash: string; readonly body: Body }[];
    const untold = new Set(['intended', 'confirmed', 'checkpoint', 'drained', 'balancer-restarted']);
    const isTold = ({ kind, stage }: Body) => !untold.has(kind) && (stage === undefined || stage.kind === 'judging');
    const told = hook.told.map(({ body }) => body as { event: string; head: { hash: string } });
    for (const each of told) expect(differences('notifications.md', 'webhook', each)).toEqual([]);
    expect(told.map(({ event, head }) => `${event} ${head.hash}`)).toEqual(
      entries.filter(({ body }) => isTold(body)).map(({ body, hash }) => `${body.kind} ${hash}`),
    );
    expect(told.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['started', 'held', 'resumed', 'promoted', 'completed', 'back-performed', 'rolled-back']),
    );
    expect(JSON.stringify(values)).not.toContain('T0KEN');
  });
});

const header = 'seconds,origin_requests,origin_failures,destination_requests,destination_failures';

function configuration(socket: string): string {
  return `version: 1
name: shop
environments:
  classic: { provider: none }
  vpc: { provider: none }
balancers:
  edge: { haproxy: { socket: ${socket}, config: ${harness.haproxy.configFile} } }
services:
  web:
    owner: team-web
    kind: stateless
    objective: { failures: 50% }
    traffic: { balancer: edge, backend: web, origin: "classic-*", destination: "vpc-*" }
    origin: { environment: classic, capacity: 1000/s, build: v41 }
    destination: { environment: vpc, capacity: 1000/s, build: v42 }
    rollout:
      attempt: 2s
      drill: { requests: 1, time: 2s, bound: 10s }
      steps: [{ weight: 50%, bake: 3s }]
notify: [{ webhook: "${hook.url}" }]
`;
}

async function keepAsking(): Promise<void> {
  while (!isOver) {
    await harness.traffic(10);
    await sleep(40);
  }
}

type Output = { readonly values: readonly unknown[]; readonly code: number | null };

/** Each value is as the page says, and the exit status too. */
function expectPage(page: string, name: string, { values, code }: Output, exit: number): readonly unknown[] {
  expect(values.length).toBeGreaterThan(0);
  for (const value of values) expect(differences(page, name, value), JSON.stringify(value).slice(0, 500)).toEqual([]);
  expect(code).toBe(exit);
  return values;
}

function drover(words: readonly string[]): Promise<Output> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...words, '--json'], { cwd: directory, maxBuffer: 1e8 }, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ values: valuesOf(stdout), code });
    });
  });
}

function controller(words: readonly string[]): {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  text(): string;
} {
  const child = spawn(process.execPath, [main, ...words, '--json'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, exit, text: () => text };
}

/** One value a line, or one over several lines. */
function valuesOf(text: string): unknown[] {
  const lines = text.trim().split('\n');
  try {
    return [JSON.parse(text)];
  } catch {
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  }
}
