import type { Config } from '../../core/fleet/config.ts';
import type { Observation } from '../../core/rollout/observation.ts';
import { hasEnded } from '../../core/rollout/state.ts';
import type { Context } from '../context.ts';
import { rolloutsOf } from '../journal/history.ts';
import type { OpenJournal } from '../journal/open.ts';
import { novelties } from './novelties.ts';

const never = new AbortController().signal;

/** Starts the embedded balancers of the configuration that do not run yet. Throws PortError. */
export async function startBalancers(
  context: Context,
  config: Config,
  stateDirectory: string,
  signal: AbortSignal = never,
  onStarted: (name: string) => void = () => undefined,
): Promise<void> {
  for (const { kind, name } of Object.values(config.balancers)) {
    if (kind !== 'embedded') continue;
    if ((await context.world.startBalancer(config, name, stateDirectory, signal)) === 'started') onStarted(name);
  }
}

/** Embedded balancers that a command has started, so that there was something to look at. */
export type OwnBalancers = {
  start(signal: AbortSignal): Promise<void>;
  /**
   * Ends those of them for whose service nothing was begun, and nothing is unfinished: nobody would answer behind them. Those
   * that ran before stay, and so do those that had died and were started again.
   */
  endUnused(): Promise<void>;
};

/** `opened`: the journal as it is before the command begins anything. */
export async function ownBalancers(context: Context, config: Config, opened: OpenJournal): Promise<OwnBalancers> {
  const { journal, stateDirectory } = opened;
  const ended = new Set(
    (await rolloutsOf(context.world, journal, null))
      .map(({ state }) => state)
      .filter(hasEnded)
      .map(({ operation }) => operation),
  );
  const started: string[] = [];
  return {
    start: (signal) => startBalancers(context, config, stateDirectory, signal, (name) => started.push(name)),
    async endUnused() {
      if (started.length === 0) return;
      try {
        const begun = (await rolloutsOf(context.world, journal, null)).filter(
          ({ state }) => !ended.has(state.operation),
        );
        const used = new Set(
          begun.flatMap(({ state }) => config.services[state.plan.service]?.traffic.map(({ balancer }) => balancer)),
        );
        const balancers = started.splice(0).filter((name) => !used.has(name));
        if (balancers.length > 0) await context.world.endStarted(stateDirectory, { groups: [], balancers });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        context.stderr.write(`drover: what this command started may be left: ${why}; \`drover stop\` ends it\n`);
      }
    },
  };
}

/** Looks after the embedded balancers of the service that a controller moves. */
export type BalancerKeeper = {
  /** Never waits: a start goes on beside the loop, whose next passes see what came of it. */
  look(observation: Observation): void;
  close(): Promise<void>;
};

/** Between two tries to start one that does not stay. */
const pauseMs = 5000;

/**
 * Starts an embedded balancer again that has died: it is Drover's own, and without it nobody is answered. It begins at its
 * configured weights, as after a reload of HAProxy, so that the destination gets nothing; the loop sees a new process, and
 * raises the share again under the rules of a repair.
 */
export function keepBalancers(
  context: Context,
  config: Config,
  service: string,
  stateDirectory: string,
  onTrouble: (line: string) => void,
): BalancerKeeper {
  const own = (config.services[service]?.traffic ?? []).filter(
    ({ balancer }) => config.balancers[balancer]?.kind === 'embedded',
  );
  const fresh = novelties();
  const givenUp = new AbortController();
  let busy: Promise<void> | null = null;
  let notBeforeMs = 0;
  const start = async (names: readonly string[]) => {
    const troubles: string[] = [];
    for (const name of names) {
      try {
        const how = await context.world.startBalancer(config, name, stateDirectory, givenUp.signal);
        if (how !== 'runs') onTrouble(`the embedded balancer "${name}" had died, and was started again`);
      } catch (error) {
        if (!givenUp.signal.aborted) troubles.push(error instanceof Error ? error.message : String(error));
      }
    }
    for (const line of fresh(troubles)) onTrouble(line);
    notBeforeMs = context.clock.monotonic() + pauseMs;
    busy = null;
  };
  return {
    look({ backends }) {
      if (busy !== null || context.clock.monotonic() < notBeforeMs) return;
      const silent = own.filter(({ balancer, backend }) => backends[`${balancer}/${backend}`]?.reading.known === false);
      if (silent.length > 0) busy = start(silent.map(({ balancer }) => balancer));
    },
    async close() {
      givenUp.abort();
      await busy;
    },
  };
}
