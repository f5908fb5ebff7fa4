import { type Commands, eventually } from '../rollout/drover.ts';
import type { Load } from '../rollout/load.ts';
import { openLocalSite } from '../rollout/local-site.ts';
import { openSite, type SiteOptions, type World } from '../rollout/site.ts';

/** Where a rollout takes place: real balancers and instances, and users. */
export type Ground = Pick<Commands, 'start' | 'run'> & {
  readonly directory: string;
  world(): Promise<World>;
  /** The world before the first command, where there is one. */
  found(): Promise<World>;
  kinds(operation: string): Promise<readonly string[]>;
  /** Commands that HAProxy was given. */
  told(): readonly string[];
  /** Sizes of the groups that Drover runs, and what of them runs, once that has come to rest. */
  instances(): Promise<Readonly<Record<string, number>>>;
  /** The first command has been started. */
  begun(): void;
  close(): Promise<void>;
};

/** Servers that somebody else runs behind HAProxy, under load from the beginning. */
export async function haproxyGround(options: SiteOptions): Promise<Ground> {
  // So few requests that the drill has to do with the weights as they are: otherwise they follow the load of a moment.
  const site = await openSite({ rps: 60, gated: true, ...options });
  return {
    ...site,
    world: () => site.world(),
    found: () => site.world(),
    told: () => (site.gate?.told ?? []).map(({ command }) => command),
    instances: async () => ({}),
    begun: () => undefined,
  };
}

/** Drover's own instances behind its own balancer: nothing runs before the first command, and users come when somebody answers. */
export async function localGround(failures: number): Promise<Ground> {
  const site = await openLocalSite();
  // One instance of each group carries everything, so that the number of them does not depend on how fast this machine is.
  // The same goes for the drill, which needs more requests than it gets by the weights as they are.
  site.configure((yaml) =>
    yaml
      .replaceAll('capacity: 100/s', 'capacity: 1000/s')
      .replace('bake: 1s', 'bake: 0s')
      .replace('requests: 3,', 'requests: 30,'),
  );
  site.release({ failures, build: 'v2' });
  const count = () => ({ classic: site.processes('classic'), vpc: site.processes('vpc') });
  let users: Promise<Load | null> = Promise.resolve(null);
  return {
    ...site,
    found: async () => ({}),
    told: () => [],
    async instances() {
      const [origin, destination] = [site.size('origin'), site.size('destination')];
      const isAtRest = ({ classic, vpc }: ReturnType<typeof count>) =>
        classic === origin.desired && vpc === destination.desired;
      const running = await eventually(count, isAtRest, 'as many instances as are wanted');
      return { ...running, originMin: origin.min, destinationMin: destination.min };
    },
    begun() {
      users = site.openLoad().catch(() => null);
    },
    async close() {
      // Where nobody has answered yet they go on asking for a while, and must not stay when somebody does.
      void users.then((load) => load?.stop());
      await site.close();
    },
  };
}
