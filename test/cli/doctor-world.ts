import { expect } from 'vitest';
import type { Journal, World } from '../../src/cli/context.ts';
import type { ControllerAnswer } from '../../src/cli/controller/messages.ts';
import type { Check, Diagnosis } from '../../src/cli/doctor/diagnosis.ts';
import type { GroupConfig } from '../../src/core/fleet/config.ts';
import { seal } from '../../src/core/journal/chain.ts';
import { type EventBody, emptyHead } from '../../src/core/journal/entry.ts';
import type { BackendReading, ServerReading } from '../../src/core/observed/backend.ts';
import type { GroupReading } from '../../src/core/observed/group.ts';
import { known, unknown } from '../../src/core/observed/reading.ts';
import { type Backend, PortError } from '../../src/engine/ports.ts';
import { openMemoryJournal } from '../../src/io/journal/memory.ts';
import { sha256 } from '../../src/io/journal/sha256.ts';
import { fileMarker } from '../../src/io/marker/file.ts';
import { differences } from '../docs/page.ts';
import { directoryForEach, runDrover, type Told } from '../made/context.ts';
import { madeReading, madeServer } from '../made/readings.ts';

export const directory = directoryForEach();

export const now = Date.UTC(2026, 0, 1);

export const alive: ControllerAnswer = {
  pid: 42,
  operation: 'rollout-query-1',
  status: null,
  trouble: null,
  standing: [],
};

export type Reads = { readonly servers: readonly ServerReading[]; readonly algorithm?: string };
export type Options = {
  readonly json?: boolean;
  readonly columns?: number;
  readonly services?: readonly string[];
  readonly level?: 'admin' | 'operator' | PortError;
  readonly backend?: Reads | PortError;
  readonly journal?: Journal | PortError;
  readonly control?: unknown;
  readonly isMarked?: boolean;
  /** What the provider tells of the instances of either group. */
  readonly origin?: GroupReading['instances'];
  readonly destination?: GroupReading['instances'];
  readonly path?: string;
  readonly holders?: Readonly<Record<number, { readonly pid: number | null; readonly isOwn: boolean }>>;
};

export type Examined = Told & { readonly diagnosis: Diagnosis };

/** Runs the verb on a world that refuses every write; with --json its output is what the page says. */
export async function doctor({ json = true, columns, services = [], ...options }: Options = {}): Promise<Examined> {
  const { text, code } = await runDrover(['doctor', ...services, ...(json ? ['--json'] : [])], {
    columns,
    env: { NO_COLOR: '1', PATH: options.path },
    directory: directory.path,
    user: 'alice',
    // The pause between two looks is over at once, and no deadline ever.
    clock: {
      now: () => now,
      monotonic: () => 0,
      sleep: (ms) => (ms === 1000 ? Promise.resolve() : new Promise(() => {})),
    },
    world: worldOf(options),
  });
  if (!json) return { diagnosis: { verdict: 'well', sections: [], allow: [] }, text, code };
  const diagnosis = JSON.parse(text) as Diagnosis;
  expect(differences('doctor.md', 'doctor', diagnosis)).toEqual([]);
  return { diagnosis, text, code };
}

export function worldOf({
  level = 'admin',
  backend = healthy,
  journal,
  control,
  holders = {},
  isMarked = false,
  origin = [],
  destination = [],
}: Options): Partial<World> {
  const missing = new PortError('not-found', 'there is no journal', { retriable: false });
  return {
    openJournal: (_, { readOnly }) =>
      readOnly ? settled(journal ?? missing) : Promise.reject(new Error('doctor opens the journal for writing')),
    openBackends: () => [{ id: 'edge/query', address: 'a.sock', backend: reading(backend) }],
    inspectProcess: () =>
      settled(
        typeof level === 'string'
          ? { pid: 7, version: '2.6.12', level, adminLine: 'stats socket X level admin' }
          : level,
      ),
    openGroup: (service, side) => ({
      group: {
        read: () => Promise.resolve({ ...groupOf(service[side]), instances: { origin, destination }[side] }),
        resize: () => Promise.reject(new Error('doctor resizes')),
      },
      close: () => Promise.resolve(),
    }),
    portHolder: (port) => holders[port] ?? null,
    openMarker: (stateDirectory) => ({
      read: (operation) => (isMarked ? Promise.resolve('alice') : fileMarker(stateDirectory).read(operation)),
      write: () => Promise.reject(new Error('doctor marks')),
      remove: () => Promise.reject(new Error('doctor removes marks')),
    }),
    askControl: () => settled(control),
    sha256,
  };
}

/** As it is before anything was started. */
export function groupOf({ environment, size, build }: GroupConfig): GroupReading {
  return {
    size: size === null ? null : { ...size, desired: size.min },
    instances: [],
    build: build.kind === 'http' ? unknown('no instance runs that could tell its build') : known(environment),
  };
}

export async function settled<T>(value: T | PortError): Promise<T> {
  if (value instanceof PortError) throw value;
  return value;
}

export function reading(given: Reads | PortError): Backend {
  const forbidden = () => Promise.reject(new Error('doctor writes'));
  return {
    read: async () => readingOf(await settled(given)),
    attempts: forbidden,
    setWeights: forbidden,
    setStates: forbidden,
  };
}

export const healthy: Reads = {
  servers: [madeServer('classic-1'), madeServer('classic-2'), madeServer('vpc-1', { weight: 0 })],
};

export function readingOf({ servers, algorithm = 'roundrobin' }: Reads): BackendReading {
  const traits = { algorithm: known(algorithm), retryOn: unknown('haproxy.cfg was not given') };
  return madeReading(servers, { traits });
}

export async function journalWith(bodies: readonly EventBody[], atMs: number, damage?: 'edited'): Promise<Journal> {
  const journal = openMemoryJournal();
  const drafts = bodies.map((body) => ({ body, actor: 'alice', atMs, rules: 1 }));
  const { entries } = seal(emptyHead('rollout-query-1'), drafts, sha256);
  const written = damage === undefined ? entries : entries.map((entry) => ({ ...entry, actor: 'mallory' }));
  await journal.append(emptyHead('rollout-query-1'), written);
  return journal;
}

export function checks({ sections }: Diagnosis): readonly Check[] {
  return sections.flatMap((section) => section.checks);
}

export function troubles(diagnosis: Diagnosis): readonly Check[] {
  return checks(diagnosis).filter(({ level }) => level === 'trouble');
}

export function warnings(diagnosis: Diagnosis): string[] {
  return checks(diagnosis).flatMap(({ level, what }) => (level === 'warning' ? [what] : []));
}

export function whats(diagnosis: Diagnosis): string[] {
  return checks(diagnosis).map(({ what }) => what);
}
