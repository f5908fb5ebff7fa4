import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedBackend } from '../../../src/io/balancer/embedded/backend.ts';
import { stopEmbedded } from '../../../src/io/balancer/embedded/lifecycle.ts';
import { stopAll } from '../../../src/io/provider/local/stop-all.ts';
import { freePorts } from '../free-ports.ts';
import { findMarked } from '../local/marked.ts';
import { type Commands, eventually, openCommands } from './drover.ts';
import { type Load, startLoad } from './load.ts';
import { baseline, entriesOf, type World } from './site.ts';

/** A service that Drover runs itself, behind its own balancer: nothing but drover.yaml is there before the first `apply`. */
export type LocalSite = Commands & {
  readonly directory: string;
  readonly ports: { readonly entry: number; readonly origin: number; readonly destination: number };
  /** Writes what the instances of the destination started from now on do: it is their build. */
  release(behaviour: { failures: number; build: string; crashes?: true }): void;
  /** Users come when somebody answers. */
  openLoad(): Promise<Load>;
  world(): Promise<World>;
  /** Size that a group is wanted to have, from its file. */
  size(side: 'origin' | 'destination'): { readonly min: number; readonly desired: number };
  /** Processes of a group, found without the provider. */
  processes(side: 'classic' | 'vpc'): number;
  kinds(operation: string): Promise<readonly string[]>;
  /** Removes something of the state directory, where nobody uses it. */
  forget(name: string): void;
  configure(change: (yaml: string) => string): void;
  close(): Promise<void>;
};

const rps = 150;

export async function openLocalSite(policy: readonly string[] = []): Promise<LocalSite> {
  const directory = mkdtempSync(join(tmpdir(), 'drover-rollout-'));
  const state = join(directory, '.drover');
  const mark = randomUUID();
  const first = await freePorts(9);
  const ports = { entry: first, origin: first + 1, destination: first + 5 };
  const file = join(directory, 'drover.yaml');
  const release: LocalSite['release'] = (behaviour) =>
    writeFileSync(join(directory, 'vpc.json'), JSON.stringify(behaviour));
  writeFileSync(join(directory, 'classic.json'), JSON.stringify({ failures: baseline, build: 'v1' }));
  release({ failures: baseline, build: 'v2' });
  writeFileSync(file, configuration(mark, ports, policy));
  const commands = openCommands(directory);
  const url = `http://127.0.0.1:${ports.entry}/`;
  let load: Load | null = null;
  return {
    ...commands,
    ...{ directory, ports, release },
    async openLoad() {
      const answers = () =>
        fetch(url).then(
          ({ status }) => status === 200,
          () => false,
        );
      await eventually(answers, (does) => does, 'the first answer');
      load = startLoad([url], rps);
      return load;
    },
    async world() {
      const { servers } = await embeddedBackend(join(state, 'edge.sock'), 'web').read(AbortSignal.timeout(20_000));
      return Object.fromEntries(servers.map(({ name, weight, admin }) => [name, { weight, admin }]));
    },
    size: (side) => JSON.parse(readFileSync(join(state, 'local', `web.${side}`, 'group.json'), 'utf8')),
    processes: (side) => findMarked(mark).filter(({ commandLine }) => commandLine.includes(`${side}-`)).length,
    kinds: async (operation) => (await entriesOf(directory, operation)).map(({ body }) => body.kind),
    forget: (name) => rmSync(join(state, name), { recursive: true, force: true }),
    configure: (change) => writeFileSync(file, change(readFileSync(file, 'utf8'))),
    async close() {
      await commands.endAll();
      await load?.stop();
      await stopEmbedded('edge', join(state, 'balancers'));
      await stopAll(state, 1000);
      const left = findMarked(mark);
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
    },
  };
}

function configuration(
  mark: string,
  ports: { readonly entry: number; readonly origin: number; readonly destination: number },
  policy: readonly string[],
): string {
  const service = join(import.meta.dirname, 'local-service.ts');
  const group = (name: string, port: number, size: string) => [
    `      environment: ${name}`,
    `      size: ${size}`,
    '      capacity: 100/s',
    `      command: [${process.execPath}, ${service}, "{port}", "${name}-{index}", ${name}.json]`,
    `      env: { MARK: ${mark} }`,
    `      build: { files: [${name}.json] }`,
    `      ports: ${port}`,
    `      server: "${name}-{index}"`,
    '      health: { path: /health, interval: 100ms, rise: 1 }',
    '      stop: 2s',
  ];
  return [
    'version: 1',
    'name: shop',
    'environments: { classic: { provider: local }, vpc: { provider: local } }',
    'balancers:',
    '  edge:',
    '    embedded:',
    `      listen: "127.0.0.1:${ports.entry}"`,
    'services:',
    '  web:',
    '    owner: team-web',
    '    kind: stateless',
    '    objective: { failures: 20% }',
    '    traffic: { balancer: edge, backend: web, origin: "classic-*", destination: "vpc-*" }',
    '    origin:',
    ...group('classic', ports.origin, '1..4'),
    '    destination:',
    ...group('vpc', ports.destination, '0..4'),
    'rollout:',
    '  steps: [{ weight: 50%, bake: 1s }]',
    '  control-share: 50%',
    '  judge: { dispersion: 1 }',
    '  drill: { requests: 3, time: 2s }',
    '  attempt: 2s',
    '  drain: 5s',
    ...policy.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
