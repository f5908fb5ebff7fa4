import type { GroupConfig, LocalGroupConfig } from '../../../core/fleet/config.ts';
import type { Reading } from '../../../core/observed/reading.ts';
import type { Clock } from '../../../engine/ports.ts';
import type { InstanceRecord } from './lifecycle.ts';
import type { GroupPaths } from './paths.ts';

/** One local group as its parts see it. */
export type Setup = {
  /** Unique in the state directory: `query.origin`. */
  readonly name: string;
  readonly size: { readonly min: number; readonly max: number };
  readonly local: LocalGroupConfig;
  readonly config: GroupConfig;
  readonly paths: GroupPaths;
  readonly clock: Clock;
  /** Time between `stopping` and SIGTERM. */
  readonly drainMs: number;
  /** Load of the whole group, for scaling by load; null: only `resize` changes the size. */
  readonly loadRps: (() => Reading<number>) | null;
  /** What the instances inherit. */
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** `query.origin-1` for index 0. */
export function instanceName(setup: Setup, index: number): string {
  return `${setup.name}-${index + 1}`;
}

export function portOf(setup: Setup, index: number): number {
  return setup.local.firstPort + index;
}

export function addressOf(setup: Setup, record: InstanceRecord): string {
  return `127.0.0.1:${portOf(setup, record.index)}`;
}

export function healthUrl(setup: Setup, record: InstanceRecord): string {
  return `http://${addressOf(setup, record)}${setup.local.health.path}`;
}

/** Replaces `{port}`, `{instance}` and `{index}` (from 1). */
export function filled(setup: Setup, index: number, text: string): string {
  return text
    .replaceAll('{port}', String(portOf(setup, index)))
    .replaceAll('{instance}', instanceName(setup, index))
    .replaceAll('{index}', String(index + 1));
}
