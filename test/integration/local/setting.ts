import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { GroupConfig, LocalGroupConfig } from '../../../src/core/fleet/config.ts';
import type { Clock } from '../../../src/engine/ports.ts';
import { LocalGroup, type LocalGroupOptions } from '../../../src/io/provider/local/group.ts';
import { stopAll } from '../../../src/io/provider/local/stop-all.ts';
import { freePorts } from '../free-ports.ts';
import { findMarked } from './marked.ts';

export const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms) => void (await sleep(ms)),
};

const serviceFile = fileURLToPath(new URL('./service.ts', import.meta.url));

export type Setting = {
  readonly stateDirectory: string;
  /** In the environment of everything that the provider starts in this setting. */
  readonly mark: string;
  readonly firstPort: number;
  readonly group: GroupConfig;
  open(options?: Partial<LocalGroupOptions>): LocalGroup;
  /** Stops everything; throws if something was left that the provider did not know of. */
  dispose(): Promise<void>;
};

export type SettingOptions = {
  readonly behaviour?: string;
  readonly size?: { readonly min: number; readonly max: number };
  readonly local?: Partial<LocalGroupConfig>;
  readonly build?: GroupConfig['build'];
};

export async function makeSetting(options: SettingOptions = {}): Promise<Setting> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'drover-local-'));
  const mark = randomUUID();
  const size = options.size ?? { min: 0, max: 4 };
  const firstPort = await freePorts(Math.max(1, size.max));
  const local: LocalGroupConfig = {
    command: [process.execPath, serviceFile, '{port}', options.behaviour ?? 'good'],
    workingDirectory: stateDirectory,
    env: { MARK: mark, INSTANCE: '{instance}', BUILD: 'b7', 'odd.name': 'kept' },
    firstPort,
    serverName: 'q{index}',
    health: { path: '/health', intervalMs: 100, timeoutMs: 5_000, rise: 2, fall: 2, startMsMax: 60_000 },
    stopMsMax: 10_000,
    ...options.local,
  };
  const build = options.build ?? { kind: 'declared', build: 'b7' };
  const group: GroupConfig = { environment: 'vpc', size, capacityRps: null, build, local };
  const opened: LocalGroup[] = [];
  return {
    stateDirectory,
    mark,
    firstPort,
    group,
    open(more = {}) {
      const opening = new LocalGroup({ name: 'query.vpc', group, stateDirectory, mode: 'control', clock, ...more });
      opened.push(opening);
      return opening;
    },
    async dispose() {
      for (const one of opened) await one.close();
      await stopAll(stateDirectory, 1_000);
      const left = findMarked(mark);
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      await rm(stateDirectory, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`Left behind: ${JSON.stringify(left)}`);
    },
  };
}
