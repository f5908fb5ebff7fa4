import { lateRequests } from '../judge/counting.ts';
import { verdict } from '../judge/judge.ts';
import type { ServerReading } from '../observed/backend.ts';
import type { GroupReading, InstanceState } from '../observed/group.ts';
import { instancesAt } from '../observed/instances.ts';
import type { Reading } from '../observed/reading.ts';
import { carriesByTarget } from './effects.ts';
import type { BackCause } from './events.ts';
import { lastWords, lastWordsOf, wroteNothing } from './last-words.ts';
import { recentTally, seenLately } from './load.ts';
import type { Observation } from './observation.ts';
import type { RolloutState } from './state.ts';
import { carryingServers } from './targets.ts';
import type { Watch } from './watch.ts';

/**
 * Restarts of destination instances, with one pair of builds, that take the way back. Whatever they ended with: who was on them is
 * cut off all the same, and of one that an earlier controller has started nobody knows it.
 */
const restartsMax = 3;

/** As long as a provider waits at the most before it starts an instance again that has ended by itself. */
const startPauseMsMax = 30_000;

/** Absolute alarms that take the way back without statistics; null: none. While the destination carries nothing only crash loops are. */
export function tripped(state: RolloutState, watch: Watch, observation: Observation): BackCause | null {
  if (state.intended === null) return null;
  const carrying = carryingServers(state.intended.target.traffic, state.asFound, state.plan.backends);
  if (carrying.length === 0) return crashLoopBeforeTraffic(state, watch, observation);
  return crashLoop(watch, observation) ?? halfDown(state, observation) ?? hung(state, watch);
}

/** The judge's word, once it is `roll back`. */
export function judgedBack(watch: Watch): BackCause | null {
  const word = verdict(watch.judge);
  return word.verdict === 'roll back' ? { kind: 'judge', by: word.rollBack.by ?? 'comparison' } : null;
}

/** A destination that fails at least half of its attempts is left at once, whatever the origin can carry. */
export function destinationFails({ recent }: Pick<Watch, 'recent'>, nowMs: number): boolean {
  const { attempts, failures } = recentTally(seenLately(recent, nowMs), 'destination');
  return attempts >= 20 && failures * 2 >= attempts;
}

/**
 * Nobody suffers yet, and what is told may be of before: an instance that has looped since an earlier rollout, and whose fault is
 * removed, needs one more start until it is well. So it ends only what has gone on for as long as any start may be away, or has
 * been seen to end again and again since the operation began. Whoever holds it may be mending it.
 */
function crashLoopBeforeTraffic(state: RolloutState, watch: Watch, observation: Observation): BackCause | null {
  if (watch.loopingSinceMs === null || state.held !== null) return null;
  const isLasting = observation.nowMs - watch.loopingSinceMs >= startPauseMsMax;
  return isLasting || watch.restarts.total >= restartsMax ? crashLoop(watch, observation) : null;
}

function crashLoop(watch: Watch, observation: Observation): BackCause | null {
  const group = observation.destination.reading;
  const looping = group.known ? group.value.instances.find((one) => one.state === 'crash-looping') : undefined;
  if (looping !== undefined) {
    return {
      kind: 'tripwire',
      wire: 'crash loop',
      detail: `${looping.id} does not stay up; ${lastWords(looping) ?? wroteNothing}`,
    };
  }
  if (watch.restarts.total < restartsMax) return null;
  const words = lastWordsOf(group);
  return {
    kind: 'tripwire',
    wire: 'restarts',
    detail: `destination instances ended by themselves ${watch.restarts.total} times${words === null ? '' : `; ${words}`}`,
  };
}

/** Of the servers that are to carry at one backend, by whoever checks them: the balancer, else the provider. */
function halfDown(state: RolloutState, observation: Observation): BackCause | null {
  for (const plan of state.plan.backends) {
    const reading = observation.backends[plan.id]?.reading;
    const targets = state.intended?.target.traffic[plan.id] ?? {};
    if (!reading?.known || state.confirmed[plan.id] === undefined) continue;
    const carrying = reading.value.servers.filter(({ name }) => carriesByTarget(plan, name, targets[name]));
    const failing = carrying.filter((server) => failsCheck(server, observation.destination.reading));
    if (failing.length > 0 && failing.length * 2 >= carrying.length) {
      const names = failing.map((server) => server.name).join(', ');
      return {
        kind: 'tripwire',
        wire: 'health',
        detail: `${failing.length} of ${carrying.length} fail their checks at ${plan.id}: ${names}`,
      };
    }
  }
  return null;
}

/** A check that failed, and not one that nobody has made or told of: what is unknown is not failing, nor is what still starts. */
function failsCheck({ name, health }: ServerReading, group: Reading<GroupReading>): boolean {
  if (health !== 'unchecked') return health === 'down';
  return group.known && instancesAt(group.value, name).some(({ state }) => failedStates.includes(state));
}

const failedStates: readonly InstanceState[] = ['unhealthy', 'crash-looping'];

function hung(state: RolloutState, watch: Watch): BackCause | null {
  for (const plan of state.plan.backends) {
    const counting = watch.counting[plan.id];
    const requests = counting === undefined ? null : lateRequests(counting);
    if (!requests?.known || !requests.value.tripped) continue;
    const { origin, destination } = requests.value;
    const detail = `${plan.id}: ${destination.late} requests at the destination are older than 10 s (origin: ${origin.late})`;
    return { kind: 'tripwire', wire: 'hung requests', detail };
  }
  return null;
}
