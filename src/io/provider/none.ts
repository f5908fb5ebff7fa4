import type { BuildConfig } from '../../core/fleet/config.ts';
import type { GroupReading } from '../../core/observed/group.ts';
import type { Reading } from '../../core/observed/reading.ts';
import { type Group, PortError } from '../../engine/ports.ts';
import { buildOfAll, buildsByHttp } from './build-by-http.ts';
import { throwIfAborted } from './deadline.ts';

export type NoProviderOptions = {
  /** For messages: `query.origin`. */
  readonly name: string;
  readonly environment: string;
  readonly build: BuildConfig;
  /** `host:port` of the group's servers, as the balancer tells. May throw PortError. */
  addresses(signal: AbortSignal): Promise<readonly string[]>;
};

/** Instances that belong to somebody else's tools: seen at the balancer only, and never resized. */
export function openUnprovidedGroup(options: NoProviderOptions): Group {
  const { name, environment } = options;
  return {
    async read(signal): Promise<GroupReading> {
      throwIfAborted(signal, `Reading ${name}`);
      const build = await readBuild(options, signal);
      throwIfAborted(signal, `Reading ${name}`);
      return { size: null, instances: [], build };
    },
    async resize() {
      const message = `${name}: environment "${environment}" has no provider, so Drover cannot change the number of its instances. Change it with the tool that runs them, or use steps of kind "weight".`;
      throw new PortError('refused', message, { retriable: false });
    },
  };
}

async function readBuild({ build, addresses }: NoProviderOptions, signal: AbortSignal): Promise<Reading<string>> {
  switch (build.kind) {
    case 'declared':
      return { known: true, value: build.build };
    case 'http':
      return buildOfAll(await buildsByHttp(await addresses(signal), build.path, signal));
    case 'command':
      return { known: false, why: 'build by command needs the local provider; declare the build or give an http path' };
  }
}
