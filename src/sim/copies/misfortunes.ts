import { aclKey } from '../../core/move/acl-facts.ts';
import type { Random } from '../random.ts';
import type { CopyRun } from './run.ts';
import type { SimTopic } from './target.ts';

/** What happens to the target, to movers and to the controllers' machine, now and then. */
export function plantMisfortunes(run: CopyRun, random: Random): void {
  plantAtTarget(run);
  plantAtRights(run);
  plantOutages(run);
  plantAtMovers(run);
  plantAtMachine(run, random);
}

const partitionsMax = 8;

function plantAtTarget(run: CopyRun): void {
  const { happenings, target, schedule, scenario } = run;
  const pick = (random: Random): SimTopic | null => {
    const topics = [...target.topics.values()];
    return topics.length === 0 ? null : random.pick(topics);
  };
  happenings.every('settings-by-hand', (random) => {
    const topic = pick(random);
    if (topic === null) return false;
    // Mostly what we set aside too, sometimes to the very value.
    const levers = run.plan.levers.filter((lever) => lever.topic === topic.name);
    const lever = levers.length > 0 && random.chance(0.8) ? random.pick(levers) : null;
    const key = lever?.key ?? 'segment.bytes';
    const value = random.pick([null, '123456', '654321', lever?.whileCopying ?? '777']);
    happenings.note(`somebody sets ${key} of ${topic.name} to ${value}`);
    target.changeByHand(topic, key, value);
    return true;
  });
  happenings.every('topic-made-by-others', (random) => {
    const absent = scenario.topics.filter(({ name }) => !target.topics.has(name));
    if (absent.length === 0) return false;
    const { name, ends } = random.pick(absent);
    happenings.note(`somebody makes ${name}`);
    const own: Record<string, string> = random.chance(0.5) ? { 'segment.bytes': '777' } : {};
    target.make(name, 'others', { partitions: random.integer(1, ends.length), own });
    return true;
  });
  happenings.every('topic-deleted', (random) => {
    const topic = pick(random);
    if (topic === null) return false;
    happenings.note(`somebody deletes ${topic.name}`);
    target.delete(topic);
    return true;
  });
  happenings.every('topic-remade', (random) => {
    const topic = pick(random);
    if (topic === null) return false;
    happenings.note(`somebody deletes ${topic.name} and makes it anew`);
    target.delete(topic);
    target.make(topic.name, 'others', { partitions: topic.partitions.length, own: { 'segment.bytes': '777' } });
    return true;
  });
  happenings.every('source-grows', (random) => {
    if (!scenario.isFollowed) return false;
    const { name } = random.pick(scenario.topics);
    const partitions = (run.sourcePartitions.get(name) ?? 0) + random.integer(1, 2);
    if (partitions > partitionsMax) return false;
    happenings.note(`${name} has ${partitions} partitions on the source by now`);
    run.sourcePartitions.set(name, partitions);
    return true;
  });
  happenings.every('group-commits', (random) => {
    const topic = pick(random);
    if (topic === null) return false;
    happenings.note(`a group commits on ${topic.name}`);
    topic.groups.set('readers', schedule.nowMs);
    return true;
  });
  happenings.every('foreign-write', (random) => {
    const topic = pick(random);
    if (topic === null) return false;
    const log = random.pick(topic.partitions);
    happenings.note(`somebody writes to ${topic.name}`);
    log.end += 1;
    log.foreignAtMs ??= schedule.nowMs;
    return true;
  });
}

function plantAtRights({ happenings, target, scenario, plan }: CopyRun): void {
  const { acls } = target;
  happenings.every('acl-made-by-hand', (random) => {
    const planned = plan.acls ?? [];
    const { name } = random.pick(scenario.topics);
    const other = { name, pattern: 'literal', principal: 'User:other', host: '*', operation: 3 } as const;
    // Mostly one that the copy makes too.
    const acl =
      planned.length > 0 && random.chance(0.7) ? random.pick(planned) : { ...other, permission: 'allow' as const };
    if (!acls.makeByHand(acl)) return false;
    happenings.note(`somebody makes the ACL ${aclKey(acl)}`);
    return true;
  });
  happenings.every('acl-taken-by-hand', (random) => {
    const standing = [...acls.standing.values()];
    if (standing.length === 0) return false;
    const acl = random.pick(standing);
    happenings.note(`somebody takes away the ACL ${aclKey(acl)}`);
    acls.takeByHand(acl);
    return true;
  });
}

function plantOutages({ happenings, target, schedule }: CopyRun): void {
  happenings.every('target-refuses', (random) => {
    target.isRefusing = true;
    happenings.note('the target refuses changes');
    schedule.after(random.spread(1000, 180_000), () => {
      target.isRefusing = false;
    });
    return true;
  });
  happenings.every('target-away', (random) => {
    target.isAway = true;
    happenings.note('the target answers nobody');
    schedule.after(random.spread(1000, 180_000), () => {
      target.isAway = false;
    });
    return true;
  });
}

function plantAtMovers({ happenings, movers }: CopyRun): void {
  happenings.every('mover-dies', (random) => {
    const living = movers.living();
    if (living.length === 0) return false;
    movers.kill(random.pick(living), 'dies');
    return true;
  });
  happenings.every('mover-stands-still', (random) => {
    const living = movers.living().filter(({ process }) => !process.standsStill);
    if (living.length === 0) return false;
    const ms = Math.round(random.spread(100, 90_000));
    const { process } = random.pick(living);
    happenings.note(`${process.name} stands still for ${ms} ms`);
    process.standStill(ms);
    return true;
  });
}

function plantAtMachine(run: CopyRun, random: Random): void {
  const { happenings, schedule, scenario } = run;
  // Each death counts where it comes about.
  happenings.every('crash', (own) => {
    happenings.doom(own);
    return false;
  });
  happenings.every('pause', (own) => {
    const awake = run.awake();
    if (awake.length === 0) return false;
    const { process } = own.pick(awake);
    const ms = Math.ceil(own.between(0.1, 3) * scenario.timing.leaseMs);
    process.pausedUntilMs = schedule.nowMs + ms;
    happenings.note(`controller ${process.holder} stands still for ${ms} ms`);
    return true;
  });
  happenings.every('disk-full', (own) => {
    run.isDiskFull = true;
    happenings.note('the disk that holds the journal is full');
    schedule.after(own.spread(1000, 180_000), () => {
      run.isDiskFull = false;
    });
    return true;
  });
  happenings.every('journal-stalls', (own) => {
    const ms = Math.round(own.spread(1000, 120_000));
    run.stalledUntilMs = Math.max(run.stalledUntilMs, schedule.nowMs + ms);
    happenings.note(`the disk that holds the journal answers nobody for ${ms} ms`);
    return true;
  });
  const steps = random.fork('clock');
  happenings.every('clock-steps', () => {
    const ms = steps.chance(0.5) ? -3_600_000 : Math.round(steps.spread(10_000, 3_600_000));
    run.wallOffsetMs += ms;
    run.checks.steppedAtMs = schedule.nowMs;
    happenings.note(`the wall clock is set by ${ms} ms`);
    return true;
  });
}
