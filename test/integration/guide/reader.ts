import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { openUpstream } from '../embedded/upstreams.ts';
import { freePort } from '../free-ports.ts';
import { type RunningHaproxy, startHaproxy } from '../haproxy-process.ts';
import { wordsOf } from './blocks.ts';

const main = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
const names = ['classic-1', 'classic-2', 'vpc-1', 'vpc-2'];

/** Somebody who reads a guide and types: an HAProxy with servers and users, and a directory to work in. */
export type Reader = {
  readonly directory: string;
  readonly haproxy: RunningHaproxy;
  /** Types a command of the guide, with the places of this machine in it. */
  type(command: string, options?: { readonly hash?: string | null }): Typed;
  /** Fills in what `init` could not know, and makes the steps short. */
  fillIn(): void;
  /** What a reload brings: `weights` by environment. */
  reload(weights: { readonly classic: number; readonly vpc: number }): Promise<void>;
  close(): Promise<void>;
};

export type Typed = {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  text(): string;
};

export async function openReader(): Promise<Reader> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-guide-'));
  const upstreams = await Promise.all(names.map(openUpstream));
  const port = await freePort();
  const sections = ({ classic, vpc }: { readonly classic: number; readonly vpc: number }) => [
    ...['frontend entry', `  bind 127.0.0.1:${port}`, '  default_backend web', 'backend web', '  balance roundrobin'],
    ...['  option httpchk GET /health', '  timeout connect 1s', '  timeout server 1s'],
    ...upstreams.map(
      (upstream) =>
        `  server ${upstream.name} 127.0.0.1:${upstream.port} check inter 200ms weight ${upstream.name.startsWith('vpc') ? vpc : classic}`,
    ),
  ];
  const haproxy = await startHaproxy({ sections: sections({ classic: 100, vpc: 0 }) });
  const users = startUsers(`http://127.0.0.1:${port}`);
  const open = new Set<Typed>();
  return {
    directory,
    haproxy,
    type(command, { hash = null } = {}) {
      const typed = start(directory, haproxy, command, hash);
      open.add(typed);
      void typed.exit.then(() => open.delete(typed));
      return typed;
    },
    fillIn: () => fillIn(join(directory, 'drover.yaml')),
    reload: (weights) => haproxy.reload(sections(weights)),
    async close() {
      for (const { child } of open) child.kill('SIGKILL');
      await Promise.all([...open].map(({ exit }) => exit));
      await users.close();
      await haproxy.close();
      await Promise.all(upstreams.map((upstream) => upstream.close()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function start(directory: string, haproxy: RunningHaproxy, command: string, hash: string | null): Typed {
  const here = command
    .replaceAll('/run/haproxy/admin.sock', haproxy.socket)
    .replaceAll('/etc/haproxy/haproxy.cfg', haproxy.configFile)
    .replaceAll('HASH', hash ?? 'HASH');
  const [program, ...words] = wordsOf(here);
  if (program !== 'drover') throw new Error(`a guide runs ${program}`);
  const child = spawn(process.execPath, [main, ...words], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, exit, text: () => text };
}

function fillIn(path: string): void {
  const answers: readonly (readonly [RegExp, string])[] = [
    [/owner: # FILL IN.*/, 'owner: team-web'],
    [/kind: # FILL IN.*/, 'kind: stateless'],
    [/failures: # FILL IN.*/, 'failures: 50%'],
    [/build: # FILL IN.*/, 'build: v41'],
    [/# capacity: 120\/s/, 'capacity: 400/s'],
    [/build: # FILL IN.*/, 'build: v42'],
  ];
  const filled = answers.reduce((text, [mark, answer]) => text.replace(mark, answer), readFileSync(path, 'utf8'));
  writeFileSync(
    path,
    `${filled}\nrollout:\n  attempt: 2s\n  drill: { requests: 1, time: 2s, bound: 10s }\n  steps: [{ weight: 50%, bake: 8s }]\n`,
  );
}

function startUsers(url: string): { close(): Promise<void> } {
  const agent = new Agent({ connections: 4 });
  let isOver = false;
  const ask = async () => {
    while (!isOver) {
      await request(url, { dispatcher: agent })
        .then(({ body }) => body.dump())
        .catch(() => undefined);
      await sleep(15);
    }
  };
  const asking = [ask(), ask(), ask(), ask()];
  return {
    async close() {
      isOver = true;
      await Promise.all(asking);
      await agent.destroy();
    },
  };
}
