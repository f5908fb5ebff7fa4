import type { AdminState } from '../../core/observed/backend.ts';
import type { FaultName } from '../faults.ts';
import type { Random } from '../random.ts';
import type { Balancer } from './balancer.ts';
import type { Fleet, Instance } from './fleet.ts';
import type { Server } from './servers.ts';
import type { World } from './world.ts';

/** Has a fault happened: told for the coverage table. */
export type Suffered = (fault: FaultName) => void;

const hourMs = 3_600_000;

/** Enters the faults of a world that happen by themselves, each in a random stream of its own, until the world is healed. */
export function plantMisfortunes(world: World, random: Random, suffered: Suffered): void {
  for (const [name, strike] of Object.entries(misfortunes) as [FaultName, Strike][]) {
    const perHour = world.scenario.faults[name];
    if (perHour === undefined) continue;
    const own = random.fork(name);
    const next = (): void => {
      world.schedule.after(own.exponential(hourMs / perHour), () => {
        if (world.healed) return;
        if (strike(world, own)) suffered(name);
        next();
      });
    };
    next();
  }
}

/** Ends everything that goes wrong for a while. What has happened to the fleets stays happened. */
export function heal(world: World): void {
  world.advance();
  world.healed = true;
  world.hangs = 0;
  world.loadFactor = 1;
  for (const balancer of world.balancers.values()) {
    balancer.reachable = true;
    balancer.skew = 1;
    world.loseOrigin(balancer, false);
  }
  world.origin.downUntilMs = world.schedule.nowMs;
  for (const fleet of [world.origin, world.destination]) {
    fleet.capacityMax = Number.POSITIVE_INFINITY;
    fleet.reconcile();
  }
  world.note('the world is healed: nothing goes wrong from here on');
  world.changed();
}

/** Does its harm; false: there was nothing to harm. */
type Strike = (world: World, random: Random) => boolean;

const misfortunes: Readonly<Partial<Record<FaultName, Strike>>> = {
  'instance-dies': (world, random) => {
    const fleet = random.chance(0.5) ? world.origin : world.destination;
    const living = fleet.instances.filter((one) => one.state === 'healthy');
    if (living.length === 0) return false;
    const victim = random.pick(living);
    fleet.kill(victim);
    if (random.fork(`again at ${world.schedule.nowMs}`).chance(0.2)) killAgain(world, fleet, victim, 3);
    return true;
  },
  'origin-dies': (world, random) => {
    const lastsMs = Math.round(random.spread(1.5, 15) * 60_000);
    if (random.chance(0.6)) {
      world.note(`the whole origin dies; nothing of it comes up for ${Math.round(lastsMs / 1000)} s`);
      world.origin.goDown(lastsMs);
      return true;
    }
    const balancer = random.pick([...world.balancers.values()]);
    world.loseOrigin(balancer, true);
    world.schedule.after(lastsMs, () => world.loseOrigin(balancer, false));
    return true;
  },
  'origin-short': loseAZone,
  'partial-capacity': (world, random) => {
    const fleet = random.chance(0.3) ? world.origin : world.destination;
    fleet.capacityMax = fleet.instances.length + random.integer(0, 1);
    world.note(`no more than ${fleet.capacityMax} instances are to be had for the ${fleet.side}`);
    world.schedule.after(random.between(2, 20) * 60_000, () => {
      fleet.capacityMax = Number.POSITIVE_INFINITY;
      fleet.reconcile();
    });
    return true;
  },
  'scale-in-by-others': scaleInByOthers,
  'counters-cleared': (world, random) => {
    const balancer = random.pick([...world.balancers.values()]);
    world.note(`somebody clears the counters of ${balancer.id}`);
    balancer.clearCounters(world.schedule.nowMs);
    return true;
  },
  'balancer-reload': (world, random) => {
    const balancer = random.pick([...world.balancers.values()]);
    world.note(`${balancer.id} is reloaded: weights and states as configured, counters at zero`);
    balancer.reload(world.schedule.nowMs);
    world.changed();
    return true;
  },
  'server-lines': (world, random) => {
    const balancer = random.pick([...world.balancers.values()]);
    const missing = balancer.lines.filter((server) => !server.present);
    if (missing.length > 0 && random.chance(0.8)) {
      const server = random.pick(missing);
      server.present = true;
      world.note(`${balancer.id} is reloaded with a new line: ${server.name} weight ${server.configuredWeight}`);
    } else {
      const going = lineToSpare(balancer, random);
      if (going === null) return false;
      going.present = false;
      world.note(`${balancer.id} is reloaded without ${going.name}`);
    }
    balancer.reload(world.schedule.nowMs);
    world.changed();
    return true;
  },
  'balancer-unreachable': (world, random) => {
    const balancer = random.pick([...world.balancers.values()]);
    if (!balancer.reachable) return false;
    balancer.reachable = false;
    balancer.mute = random.fork(`mute at ${world.schedule.nowMs}`).chance(0.5);
    const how = balancer.mute ? 'hangs' : 'does not answer any more';
    world.note(`the control socket of ${balancer.id} ${how} (it goes on serving)`);
    world.schedule.after(random.between(0.2, 6) * 60_000, () => {
      if (!balancer.reachable) world.note(`${balancer.id} can be reached again`);
      balancer.reachable = true;
    });
    return true;
  },
  'weights-by-hand': (world, random) => {
    const balancer = random.pick([...world.balancers.values()]);
    const server = random.pick(balancer.servers.filter((one) => one.side !== 'other'));
    const weight = random.pick([0, 1, 10, 50, 100, 256]);
    world.note(`somebody gives ${server.name} on ${balancer.id} weight ${weight} by hand (it had ${server.weight})`);
    balancer.writeByHand(server.name, { weight }, world.schedule.nowMs);
    world.changed();
    return true;
  },
  'server-out': takeOut,
  deployment: (world, random) => deploy(world, random, random.pick([0.5, 1, 1, 1, 1.2])),
  'bad-deployment': (world, random) => deploy(world, random, random.pick([5, 10, 30])),
  'load-spike': (world, random) => {
    const factor = random.between(1.05, 1.15);
    raiseLoad(world, factor, random.between(2, 10) * 60_000);
    return true;
  },
  'share-drifts': (world, random) => {
    world.advance();
    const skew = random.chance(0.5) ? random.spread(2, 10) : random.spread(0.05, 0.5);
    world.note(`the destination gets ${skew.toFixed(1)} times what its weights say`);
    setSkew(world, skew);
    world.schedule.after(random.between(4, 25) * 60_000, () => {
      world.advance();
      setSkew(world, 1);
    });
    return true;
  },
  'hung-requests': (world, random) => {
    world.advance();
    world.hangs = random.between(0.05, 1);
    world.note(`${Math.round(world.hangs * 100)} % of the destination's requests hang`);
    world.schedule.after(random.between(0.5, 5) * 60_000, () => {
      world.advance();
      world.hangs = 0;
    });
    return true;
  },
};

/** A line of which its balancer can do without: two others of its group are up there. null: there is none. */
function lineToSpare(balancer: Balancer, random: Random): Server | null {
  const spare = balancer.servers.filter(
    ({ side, name }) =>
      side !== 'other' &&
      balancer.servers.filter((one) => one.side === side && one.name !== name && one.health === 'up').length >= 2,
  );
  return spare.length === 0 ? null : random.pick(spare);
}

/** Whatever ended it ends it soon after each start. */
function killAgain(world: World, fleet: Fleet, victim: Instance, times: number): void {
  world.schedule.after(10_000, () => {
    if (world.healed) return;
    fleet.kill(victim);
    if (times > 1) killAgain(world, fleet, victim, times - 1);
  });
}

/**
 * Part of the origin is gone with what it ran on, and no more is to be had for a while; meanwhile the load rises. Whoever goes
 * back then has to leave a part where it is, and has to ask for more than was enough before. False: there is nothing to lose.
 */
function loseAZone(world: World, random: Random): boolean {
  const { origin } = world;
  const lost = Math.ceil(origin.instances.length * random.between(0.3, 0.6));
  if (lost >= origin.instances.length) return false;
  const lastsMs = Math.round(random.between(4, 15) * 60_000);
  world.note(`${lost} instances of the origin are gone, and none is to be had for ${Math.round(lastsMs / 1000)} s`);
  origin.capacityMax = origin.instances.length - lost;
  origin.lose(lost);
  world.schedule.after(random.between(0.2, 0.6) * lastsMs, () => {
    if (!world.healed) raiseLoad(world, random.between(1.2, 1.45), 2 * lastsMs);
  });
  world.schedule.after(lastsMs, () => {
    origin.capacityMax = Number.POSITIVE_INFINITY;
    origin.reconcile();
  });
  return true;
}

function raiseLoad(world: World, factor: number, lastsMs: number): void {
  world.advance();
  world.loadFactor = factor;
  world.note(`the load rises by ${Math.round((factor - 1) * 100)} %`);
  world.schedule.after(lastsMs, () => {
    world.advance();
    world.loadFactor = 1;
  });
}

/** Somebody takes instances away from a fleet, and lets its minimum follow. False: there was only one. */
export function scaleInByOthers(world: World, random: Random): boolean {
  const fleet = random.chance(0.5) ? world.origin : world.destination;
  const { min, desired } = fleet.size;
  if (desired <= 1) return false;
  const next = random.integer(Math.max(1, desired - 2), desired - 1);
  world.note(`somebody scales the ${fleet.side} in from ${desired} to ${next}`);
  fleet.handAtMs = world.schedule.nowMs;
  fleet.size = { ...fleet.size, min: Math.min(min, next) };
  fleet.resize({ desired: next });
  return true;
}

/** Somebody puts a server of the destination into maint or drain, seldom all of a balancer, and mostly puts it back some time. */
function takeOut(world: World, random: Random): boolean {
  const balancer = random.pick([...world.balancers.values()]);
  const there = balancer.servers.filter(({ side, admin }) => side === 'destination' && admin === 'ready');
  if (there.length === 0) return false;
  const admin = random.pick(['maint', 'drain'] as const);
  const taken = random.chance(0.1) ? there : [random.pick(there)];
  for (const server of taken) setByHand(world, balancer, server, admin);
  if (random.chance(0.7))
    world.schedule.after(random.spread(0.02, 10) * 60_000, () => {
      for (const server of taken) if (server.out !== null) setByHand(world, balancer, server, 'ready');
    });
  return true;
}

/** Who looks after what is held puts back what people have taken out. */
export function putBack(world: World): void {
  for (const balancer of world.balancers.values())
    for (const server of balancer.servers) if (server.out !== null) setByHand(world, balancer, server, 'ready');
}

function setByHand(world: World, balancer: Balancer, server: Server, admin: AdminState): void {
  world.note(`somebody sets ${server.name} on ${balancer.id} ${admin} by hand (it was ${server.admin})`);
  balancer.writeByHand(server.name, { admin }, world.schedule.nowMs);
  world.changed();
}

function setSkew(world: World, skew: number): void {
  for (const balancer of world.balancers.values()) balancer.skew = skew;
  world.changed();
}

function deploy(world: World, random: Random, ratio: number): boolean {
  const fleet = ratio >= 5 || random.chance(0.6) ? world.destination : world.origin;
  const build = `${fleet.side}-${world.ratios.size}`;
  world.advance();
  world.ratios.set(build, ratio);
  world.note(`build ${build} (${ratio} times the baseline's failures) is deployed to the ${fleet.side}`);
  fleet.deploy(build, random.pick([0, 0, 5000, 20_000]));
  world.changed();
  return true;
}
