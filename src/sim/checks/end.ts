import type { Server } from '../world/servers.ts';
import type { World } from '../world/world.ts';
import type { Chain } from './chain.ts';
import { knowledgeMs } from './vantage.ts';
import type { Report } from './violation.ts';

/** What must be true of the world at the moment an operation says that it has ended. */
export function checkEnd(world: World, chain: Chain, report: Report): void {
  if (chain.end === 'rolled-back') asFound(world, chain, report);
  if (chain.end === 'completed') wholeShare(world, report);
}

function asFound(world: World, chain: Chain, report: Report): void {
  const found = chain.asFound;
  if (found === null) return;
  for (const balancer of world.balancers.values()) {
    for (const [name, was] of Object.entries(found.backends[balancer.id] ?? {})) {
      const server = balancer.server(name);
      if (!server?.present || was.admin !== 'ready' || disturbed(world, server)) continue;
      // As if it were drained: whoever put a server of the origin aside has not taken it back.
      if (server.isPutAside && server.side === 'origin') continue;
      if (server.weight === was.weight && server.admin === was.admin) continue;
      report(
        'as found after a way back',
        `${name} at ${balancer.id} has weight ${server.weight} and is ${server.admin}; found were ${was.weight} and ${was.admin}`,
      );
    }
  }
  for (const side of ['origin', 'destination'] as const) {
    const was = found[side];
    if (was === null) continue;
    const { size, handAtMs } = world.fleet(side);
    if (handAtMs >= knownSinceMs(world)) continue;
    if (size.min !== was.min) {
      report('as found after a way back', `the ${side}'s minimum is ${size.min}; found was ${was.min}`);
    }
    if (side === 'destination' && size.desired !== was.desired) {
      report('as found after a way back', `the destination's size is ${size.desired}; found was ${was.desired}`);
    }
  }
}

/** Also of servers that were put aside before the operation and woken since: they are not its to write, but then it must not end so. */
function wholeShare(world: World, report: Report): void {
  for (const balancer of world.balancers.values()) {
    if (balancer.servers.some((server) => disturbed(world, server))) continue;
    for (const server of balancer.servers) {
      if (server.side !== 'origin') continue;
      const weight = balancer.weightOf(server);
      if (weight > 0)
        report('whole share after completion', `${balancer.id} still gives ${server.name} weight ${weight}`);
    }
  }
}

/** Somebody else, or a write that its sender had given up, changed this server so recently that nobody could have seen it. */
function disturbed(world: World, server: Server): boolean {
  const knownMs = knownSinceMs(world);
  return server.handAtMs >= knownMs || server.strayAtMs >= knownMs || server.reloadedAtMs >= knownMs;
}

function knownSinceMs(world: World): number {
  return world.schedule.nowMs - knowledgeMs(world);
}
